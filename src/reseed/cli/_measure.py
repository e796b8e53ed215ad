"""`reseed measure`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed._choices import Level, Weights
from reseed._errors import InputError
from reseed.cli._options import (
    Count,
    Maybe,
    Number,
    Open,
    Place,
    ReadingOptions,
    RecipeOptions,
    check_one_question,
    words,
)
from reseed.cli._output import console, open_page, print_json, show

if TYPE_CHECKING:
    from pathlib import Path

    from reseed import Attribution, BootstrapMeasurement, NestedMeasurement, RecordConfig


@dataclass(frozen=True)
class QuestionOptions:
    """What else is asked; one of them at a time."""

    until: Number = None
    """Begin with 10 runs and add more until the 95 % interval of mean label entropy over runs is this narrow: its
    half-width in nats."""
    attribute: bool = False
    """Measure which source of randomness the changes come from: a study in which all of --vary differ, one for each
    alone, and one for each with it alone held fixed."""
    bootstrap: bool = False
    """Measure what another training sample does: models of bootstrap resamples against the model of all data. Records
    probabilities at the final step, whatever --every and --level say."""
    nested: Count = None
    """Take seed and training sample apart: train on this many bootstrap resamples, with --runs seeds on each. Records
    as --bootstrap does."""
    epsilon: Number = None
    """With --nested: mix this share of the uniform distribution into predictions before divergences, which else are
    infinite where a run rules a class out."""


@dataclass(frozen=True)
class RecordingOptions:
    """What is kept of every run."""

    every: str = "epoch"
    """Record predictions every epoch, at the final step only (final), or every so many steps (a number)."""
    burn_in: int = 0
    """Leave out checkpoints up to and including this step."""
    level: Level = "scores"
    """Record labels; or scores as well (confidence, margin, ...); or full probabilities."""
    record_train: bool = False
    """Record predictions on the training split as well."""
    dropout_passes: int = 0
    """At the end of each run also predict so many times with its dropout on, as a signal of one run; 20 is usual."""
    monitor: bool = False
    """Record every step's loss, gradient norm and mean entropy of the batch as well."""
    weights: Weights = "auto"
    """Keep the weights of every run, so that its network need not be trained again: those of the last step (final), of
    every recorded one (checkpoints), or none. auto: the final ones while a run's take 16 MiB or less."""
    curvature: Annotated[Maybe[str], arg(metavar="every=STEPS", help_behavior_hint="")] = None
    """Measure the sharpness of the training loss every so many steps, beside what the optimiser bears; also
    samples=512, products=10, after colons. reseed curvature STUDY then shows it."""
    temperature: bool = False
    """Fit a temperature by one more training on 90 % of the training set, and also record what temperature scaling
    makes of confidence. To answer with it: --mitigation temperature."""

    def config(self) -> RecordConfig:
        """Return them as the functions call them."""
        given = dict(vars(self))
        given["train"] = given.pop("record_train")
        curvature = given.pop("curvature")
        given["track"] = "" if curvature is None else f"curvature:{curvature}"
        return reseed.RecordConfig(**given)


@dataclass(frozen=True)
class Measure(RecipeOptions):
    """Train one recipe with many seeds and say which predictions change.

    Options that are not given come from --recipe, else from the model's own defaults. Finished runs are kept
    whatever happens: the same command continues, and more --runs extend the study.

    Examples:
      reseed measure digits
      reseed measure massive --model text-tfidf --runs 10
      reseed measure data.csv --text utterance --label intent --out my-study
      reseed measure digits --runs 1
      reseed measure digits --until 0.005 --runs 200
      reseed measure massive --encoder sentence-transformers/all-MiniLM-L6-v2
      reseed measure mnist --model my_models:small_net --epochs 2 --vary init
      reseed measure digits --attribute
      reseed measure digits --mitigation tgtss+swa
      reseed measure digits --bootstrap
      reseed measure digits --nested 5 --runs 4
      reseed measure mnist --engine cluster --address auto --out s3://my-bucket/mnist
    """

    runs: Count = None
    """Trainings in all, with --attribute in each study, with --bootstrap resamples, with --nested on each training
    sample, with --until the most there may be. With 1, instability is estimated from that run. Default: 50; 10 with
    --attribute, 200 with --bootstrap, 4 with --nested."""
    out: Place = None
    """The study's folder, or a URL (s3://, gs://, az://). Default: reseed-studies/ and a name made of data, model
    and recipe."""
    seed: int = 0
    """Base seed from which all seeds derive."""
    json: bool = False
    """Print summary.json instead of tables."""
    open: Open = False
    mitigation: Annotated[Maybe[str], arg(metavar="NAME[:OPTION=VALUE][+NAME...]", help_behavior_hint="")] = None
    """Methods that keep predictions in place, such as swa, tgtss:exponent=0.5 or tgtss+swa."""
    vary: Annotated[Maybe[str], arg(metavar="STREAM,...", help_behavior_hint="")] = None
    """What differs between runs: init, order, dropout, augment, data (a bootstrap of the training set). Default:
    init,order,dropout,augment; with --bootstrap data alone."""
    print_config: bool = False
    """Print the whole recipe as TOML, and train nothing."""
    question: OmitArgPrefixes[QuestionOptions] = field(default_factory=QuestionOptions)
    recording: OmitArgPrefixes[RecordingOptions] = field(default_factory=RecordingOptions)
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def streams(self) -> list[str] | None:
        """Return the names in --vary, or None where it is not given."""
        return None if self.vary is None else words(self.vary)

    def execute(self) -> None:
        """Train, and print what was found."""
        recipe = self.whole_recipe(self.mitigation or ())
        if self.print_config:
            print(recipe.to_toml(), end="")
            return
        arguments: dict[str, Any] = {
            "recipe": recipe,
            "out": self.out,
            "seed": self.seed,
            **self.execution.arguments(),
        }
        if self.runs is not None:
            arguments["bootstraps" if self.question.bootstrap else "runs"] = self.runs
        streams = self.streams()
        if streams is not None:
            arguments["vary"] = streams
        question, recording = self.question, self.recording
        _check_options(question, recording)
        if question.nested is not None:
            arguments |= {"training_sets": question.nested, "epsilon": question.epsilon, "weights": recording.weights}
            page = _show_nested(reseed.measure_nested(**arguments), as_json=self.json)
        elif question.bootstrap:
            page = _show_bootstrap(reseed.measure_bootstrap(**arguments, weights=recording.weights), as_json=self.json)
        elif question.attribute:
            page = _show_sources(reseed.attribute(**arguments, record=recording.config()), as_json=self.json)
        else:
            found = reseed.measure(**arguments, record=recording.config(), until=question.until)
            show(found, as_json=self.json)
            page = found.study.path / reseed.workflows.REPORT
        if self.open:
            open_page(page)


def _check_options(question: QuestionOptions, recording: RecordingOptions) -> None:
    check_one_question(
        {
            "--until": question.until is not None,
            "--attribute": question.attribute,
            "--bootstrap": question.bootstrap,
            "--nested": question.nested is not None,
        }
    )
    ignored = {
        "--monitor": recording.monitor,
        "--record-train": recording.record_train,
        "--dropout-passes": recording.dropout_passes > 0,
        "--temperature": recording.temperature,
        "--curvature": recording.curvature is not None,
    }
    if (question.bootstrap or question.nested is not None) and any(ignored.values()):
        named = next(name for name, is_given in ignored.items() if is_given)
        raise InputError(f"{named}: --bootstrap and --nested record final probabilities only; leave it out.")
    if question.epsilon is not None and question.nested is None:
        raise InputError("--epsilon is for the divergences of --nested; pass it with that.")


def _show_bootstrap(found: BootstrapMeasurement, *, as_json: bool) -> Path:
    page = found.path / reseed.workflows.BOOTSTRAP_PAGE
    if as_json:
        print_json(found.summary)
        return page
    header = found.study.header
    title = f"{header.dataset}, {header.model}"
    reseed.report.print_bootstrap(found.instability, found.seeds, console(), title=title, notes=found.notes)
    print(f"numbers: {found.path / reseed.workflows.BOOTSTRAP}")
    print(f"report:  {page}")
    return page


def _show_nested(found: NestedMeasurement, *, as_json: bool) -> Path:
    page = found.path / reseed.workflows.NESTED_PAGE
    if as_json:
        print_json(found.summary)
        return page
    header = found.studies[0].header
    reseed.report.print_nested(found.estimates, console(), title=f"{header.dataset}, {header.model}", notes=found.notes)
    print(f"numbers: {found.path / reseed.workflows.NESTED}")
    print(f"report:  {page}")
    return page


def _show_sources(found: Attribution, *, as_json: bool) -> Path:
    page = found.path / reseed.workflows.ATTRIBUTION_PAGE
    if as_json:
        print_json(found.summary)
        return page
    header = next(iter(found.studies.values())).header
    reseed.report.print_sources(found.effects, console(), title=f"{header.dataset}, {header.model}", notes=found.notes)
    print(f"numbers: {found.path / reseed.workflows.ATTRIBUTION}")
    print(f"report:  {page}")
    return page
