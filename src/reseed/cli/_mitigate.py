"""`reseed mitigate`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Literal

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed._choices import Level, Weights
from reseed.cli._options import File, Maybe, Open, ReadingOptions, RecipeOptions, methods, words
from reseed.cli._output import open_page, show_comparison

if TYPE_CHECKING:
    from reseed import RecordConfig


@dataclass(frozen=True)
class RecordingOptions:
    """What is kept of every run."""

    every: str = "final"
    """Record predictions at the final step only (final), every epoch, or every so many steps (a number)."""
    level: Level = "scores"
    """Record labels; or scores as well (confidence, margin, ...); or full probabilities."""
    weights: Weights = "auto"
    """Keep the weights of every run, so that its network need not be trained again: those of the last step (final), of
    every recorded one (checkpoints), or none. auto: the final ones while a run's take 16 MiB or less."""
    temperature: bool = True
    """Also show calibration after temperature scaling, for which each study trains once more on 90 % of the training
    set. Not with --level labels."""

    def config(self) -> RecordConfig:
        """Return them as the function calls them."""
        given = vars(self) | {"temperature": self.temperature and self.level != "labels"}
        return reseed.RecordConfig(**given)


@dataclass(frozen=True)
class Mitigate(RecipeOptions):
    """Train a recipe with each of several methods and say which of them keep predictions in place, and at what cost.

    Trains the control, a second control with other seeds (what it seems to change is chance), and one study for each
    method, all in one folder. Finished runs are kept whatever happens: the same command continues, more --runs extend
    every study, and other --methods join those that are there.

    Examples:
      reseed mitigate digits
      reseed mitigate massive --model text-tfidf --methods control,swa,tgtss --runs 10
      reseed mitigate digits --methods swa,tgtss:exponent=0.5+swa
      reseed mitigate digits --fresh-data 0.9 --margin 0.3
      reseed mitigate --list
    """

    runs: int = 30
    """Trainings in each study."""
    out: File = None
    """The folder of all studies. Default: reseed-studies/ and a name made of data, model and recipe."""
    seed: int = 0
    """Base seed of all studies but the second control, which has the next one."""
    json: bool = False
    """Print comparison.json instead of tables."""
    open: Open = False
    methods: Annotated[str, arg(metavar="METHOD,...")] = "default"
    """What to compare: NAME[:OPTION=VALUE][+NAME...], several with commas between them (a value of several numbers has
    commas as well; in other values write %2C); default stands for methods of one or two trainings and one network at
    inference."""
    list: bool = False
    """Print every method with what it is and what it costs, and train nothing."""
    details: bool = False
    """Print every measure of every method as well."""
    interval: Literal["two-way", "jackknife", "samples"] = "two-way"
    """What 95 % intervals cover: other runs and other samples, other runs on these samples
    (jackknife), or other samples."""
    margin: float = 0.5
    """How many percentage points of accuracy a recommended method may lose: the lower end of the 95 % interval of its
    difference must be above minus the margin."""
    vary: Annotated[str, arg(metavar="STREAM,...")] = "init,order,dropout,augment"
    """What differs between runs: init, order, dropout, augment. With data among them every study is trained twice: with
    the same training data, and on a bootstrap of it in each run."""
    fresh_data: Annotated[Maybe[float], arg(metavar="SHARE", help_behavior_hint="")] = None
    """Train every study twice: with the same training data, and on another random share of it in each run, such as 0.9.
    What is recommended helps in both. Default: with the same data only."""
    recording: OmitArgPrefixes[RecordingOptions] = field(default_factory=RecordingOptions)
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Train, and print what was found."""
        if self.list:
            _list_methods()
            return
        found = reseed.mitigate(
            recipe=self.whole_recipe(),
            methods=methods(self.methods),
            interval=self.interval,
            margin=self.margin,
            fresh_data=self.fresh_data,
            runs=self.runs,
            out=self.out,
            vary=words(self.vary),
            seed=self.seed,
            record=self.recording.config(),
            **self.execution.arguments(),
        )
        folder = found.control.study.path.parent
        show_comparison(found, folder, as_json=self.json, details=self.details)
        if self.open:
            open_page(folder / reseed.workflows.PAGE)


def _list_methods() -> None:
    for name, method in reseed.mitigations.MITIGATIONS.items():
        summary, cost = reseed.mitigations.card(method)
        print(f"{name}\n    {summary}\n    Cost: {cost}")
