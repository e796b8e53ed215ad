"""`reseed robustness`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

import reseed
from reseed._errors import InputError
from reseed.cli._options import Command, Count, DataOptions, Maybe, Name, Number, Open, ReadingOptions
from reseed.cli._output import console, open_page, print_json, print_notes

if TYPE_CHECKING:
    from reseed.scores import Scores


@dataclass(frozen=True)
class Robustness(Command):
    """Say how far answers are from changing with their inputs: by attacks, corruptions and noise.

    Of a study the scores are kept with it: reseed inspect, reseed export, the report and --foretell show them. What is
    done is kept whatever happens: the same command continues.

    Examples:
      reseed robustness my-study
      reseed robustness my-study --effort quick
      reseed robustness my-study --epsilon 0.03 --norm inf
      reseed robustness my-study --effort thorough --samples 200 --json
      reseed robustness my_models:trained --data mnist
    """

    model: Annotated[Positional[str], arg(metavar="PATH|URL|MODULE:FUNCTION")]
    """A study's folder or URL; or, with --data, a function without arguments that returns a trained network, or a list
    of networks of one architecture."""
    data: Name = None
    """For MODULE:FUNCTION: a data set as reseed measure takes it, on whose evaluation samples the network is asked."""
    seed: int = 0
    """Seed of everything that is drawn."""
    json: bool = False
    """Print JSON instead of tables."""
    open: Open = False
    epsilon: Number = None
    """How far attacks may change inputs. Default: images 8/255 with three channels, else 0.1; features 0.1 standard
    deviations; features of texts a tenth of their mean norm."""
    norm: Annotated[Maybe[Literal["inf", "2", "1"]], arg(metavar="{inf,2,1}", help_behavior_hint="")] = None
    """In which norm that is, and distances are. Default: inf; for features of texts 2."""
    effort: Literal["quick", "standard", "thorough"] = "standard"
    """How much is done: attacks, severities and draws, on 500, 1000 or all samples."""
    samples: Count = None
    """On how many samples, drawn with --seed. Default: by --effort."""
    threads: Count = None
    """Threads of arithmetic. Default: one; for larger images all cores."""
    trust_code: bool = False
    """Import the code that the study's recipe names as its model (MODULE:FUNCTION). Give it where you trust whoever
    made the study."""
    columns: Annotated[OmitArgPrefixes[DataOptions], arg(name="data")] = field(default_factory=DataOptions)
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Evaluate, and print what was found."""
        asked: dict[str, Any] = {
            "epsilon": self.epsilon,
            "norm": self.norm,
            "effort": self.effort,
            "samples": self.samples,
            "seed": self.seed,
            "threads": self.threads,
        }
        if self.data is not None:
            if self.open:
                raise InputError("--open is for studies: networks that --data asks get numbers alone, and no page.")
            _show(_of_own(self, asked), as_json=self.json)
            return
        if any(value is not None for value in vars(self.columns).values()):
            raise InputError("options of files are for --data; a study knows its own data.")
        if ":" in self.model and "://" not in self.model and not Path(self.model).exists():
            raise InputError(f"{self.model!r} names code; say with --data on which data it is asked.")
        study = reseed.Study.open(self.model)
        _show(reseed.robustness.evaluate(study, trust_code=self.trust_code, **asked), as_json=self.json)
        found = reseed.inspect(study)
        page = found.write()
        if not self.json:
            print(f"scores: {study.url or study.path}/scores/robustness")
            print(f"report: {page}")
        print_notes(found, sys.stderr)
        if self.open:
            open_page(page)


def _of_own(options: Robustness, asked: dict[str, Any]) -> Scores:
    networks = reseed.models.trained_networks(options.model)
    columns = {name: value for name, value in vars(options.columns).items() if value is not None}
    splits = reseed.load(reseed.DataConfig(str(options.data), **columns))
    evaluation = splits.evaluation
    if evaluation.is_text:
        raise InputError(
            f"the data {options.data!r} holds texts, and a network of your own takes numbers; make a study of it "
            "(reseed measure), or call reseed.robustness.evaluate with the inputs that it takes."
        )
    return reseed.robustness.evaluate(
        networks, evaluation.inputs, evaluation.labels, train_inputs=splits.train.inputs, **asked
    )


def _show(scores: Scores, *, as_json: bool) -> None:
    if as_json:
        print_json(reseed.report.scores_tree(scores))
        return
    reseed.report.print_scores(scores, console())
    cost = scores.cost
    print(f"cost:   {cost.get('forward_passes', 0):,.0f} forward passes of a sample, {cost.get('wall_s', 0):.1f} s")
