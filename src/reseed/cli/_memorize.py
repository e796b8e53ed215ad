"""`reseed memorize`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, Positional, arg

import reseed
from reseed._choices import Weights
from reseed._errors import InputError
from reseed.cli._options import Count, Maybe, Number, Open, Place, ReadingOptions, RecipeOptions, words
from reseed.cli._output import console, open_page, print_json, print_notes

if TYPE_CHECKING:
    from reseed import Memorized

_STUDY = "study.json"


@dataclass(frozen=True)
class Memorize(RecipeOptions):
    """Say which training labels are likely wrong.

    Of a data set, trains networks each of which leaves a fold of the training set out, and ranks samples by what the
    networks that saw a sample and those that did not say of its label. Of a study whose training split is recorded
    (reseed measure --record-train), ranks by what is there and trains nothing. Writes suspects.csv, most suspicious
    first. Finished runs are kept whatever happens: the same command continues, and more --repeats extend the study.

    Examples:
      reseed memorize digits
      reseed memorize data.csv --text utterance --label intent
      reseed memorize mnist --limit 5000 --epochs 20
      reseed memorize cifar10 --model cnn --limit 10000 --folds 5
      reseed memorize mnist --limit 5000 --share 0.7 --repeats 60
      reseed memorize my-study
    """

    dataset: Annotated[Positional[Maybe[str]], arg(metavar="DATASET|STUDY", help_behavior_hint="")] = None
    """What reseed measure takes, or the folder or URL of a study. Default: what --recipe says, else digits."""
    out: Place = None
    """The study's folder, or a URL (s3://, gs://, az://). Default: reseed-studies/ and a name made of data, model and
    recipe."""
    seed: int = 0
    """Base seed of networks and folds."""
    json: bool = False
    """Print JSON instead of tables."""
    open: Open = False
    folds: Count = None
    """Into how many folds the training set is divided. Default: 5."""
    share: Number = None
    """Train each network on a random share of the training set, in place of all but a fold: 0.7 with --repeats 60 for
    memorisation of single samples."""
    repeats: Count = None
    """How often it is divided, or a share drawn, for memorisation's intervals; the ranking gains little. Default: 1."""
    vary: Annotated[Maybe[str], arg(metavar="STREAM,...", help_behavior_hint="")] = None
    """What differs between runs besides the fold. Default: init,order,dropout,augment."""
    weights: Weights = "auto"
    """Keep the weights of every run: those of the last step (final), of every recorded one (checkpoints), or none.
    auto: the final ones while a run's take 16 MiB or less."""
    top: int = 10
    """How many suspects to print."""
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Train where there is something to train, rank, and print what was found."""
        found = self._of_study(self.dataset) if _is_study(self.dataset) else self._of_data()
        page = reseed.inspect(found.study)
        report = page.write()
        _show(found, report, top=self.top, as_json=self.json)
        print_notes(page, sys.stderr)
        if self.open:
            open_page(report)

    def _of_study(self, place: str | None) -> Memorized:
        given: dict[str, Any] = {
            "--folds": self.folds,
            "--share": self.share,
            "--repeats": self.repeats,
            "--out": self.out,
            "--vary": self.vary,
        }
        given |= {"--model": self.model, "--recipe": self.file.recipe}
        for name, value in given.items():
            if value is not None:
                raise InputError(f"{name} is for a data set, but {place!r} is a study, of which nothing is trained.")
        return reseed.memorize(reseed.Study.open(str(place)))

    def _of_data(self) -> Memorized:
        asked: dict[str, Any] = {
            "folds": self.folds,
            "share": self.share,
            "repeats": self.repeats,
            "out": self.out,
        }
        asked["vary"] = None if self.vary is None else words(self.vary)
        asked = {name: value for name, value in asked.items() if value is not None}
        recipe = self.whole_recipe()
        return reseed.memorize(
            recipe=recipe, seed=self.seed, weights=self.weights, **asked, **self.execution.arguments()
        )


def _is_study(place: str | None) -> bool:
    return place is not None and ("://" in place or Path(place, _STUDY).exists())


def _show(found: Memorized, report: Path, *, top: int, as_json: bool) -> None:
    if as_json:
        tree = reseed.report.scores_tree(found.scores)
        print_json(tree | {"suspects": found.suspects.to_pylist()})
        return
    reseed.workflows.print_memorized(found, console(), top=top)
    study = found.study
    print(f"suspects: {study.path / reseed.workflows.SUSPECTS}")
    print(f"report:   {report}")
