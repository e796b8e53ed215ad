"""`reseed tune`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed.cli._options import File, Maybe, Open, ReadingOptions, RecipeOptions, words
from reseed.cli._output import console, open_page, print_json

if TYPE_CHECKING:
    from reseed import Tuning


@dataclass(frozen=True)
class Tune(RecipeOptions):
    """Search for a recipe whose predictions change less when it is trained again, while accuracy stays.

    Tries combinations of schedules, initial scales, averages of weights, label smoothing and teachers with few runs
    each on validation samples, goes on with the best third, and confirms the winner with other seeds on the evaluation
    split. Where all that are tried diverge, lose accuracy or are no more stable, it tries others while the budget
    lasts. Finished runs are kept whatever happens: the same command continues. Writes tune.json and the page tune.html,
    the confirmation's comparison.json, comparison.parquet and comparison.html, and tuned.toml if the winner holds up.

    Examples:
      reseed tune massive --model text-tfidf --budget 40 --out tuning    # what was found: tuning/tune.html
      reseed tune digits --budget 150 --max-cost 1.1
      reseed tune digits --budget 150 --fresh-data 0.9
      reseed measure --recipe tuning/tuned.toml
    """

    out: File = None
    """The folder of all studies. Default: reseed-studies/ and a name made of data, model and recipe."""
    seed: int = 0
    """Base seed of the search and of the candidates' order; the confirmation has the next two."""
    json: bool = False
    """Print tune.json instead of tables."""
    open: Open = False
    budget: float = 40.0
    """Trainings in all, in trainings of the control; one that costs twice as much counts twice. Half of them or more
    are the confirmation's."""
    max_cost: float = 2.0
    """The most that training the tuned recipe may cost, relative to the control."""
    margin: float = 0.5
    """How many percentage points of accuracy the winner may lose in the confirmation: the lower end of the 95 %
    interval of its difference must be above minus the margin. The search asks for no significant loss."""
    vary: Annotated[str, arg(metavar="STREAM,...")] = "init,order,dropout,augment"
    """What differs between runs: init, order, dropout, augment; data among them stands for a bootstrap of the training
    set as fresh data."""
    fresh_data: Annotated[Maybe[float], arg(metavar="SHARE", help_behavior_hint="")] = None
    """Search on another random share of the training data in each run, such as 0.9, and confirm the winner both with
    the same data and so; the confirmation then costs twice as much for a run. Default: with the same data only."""
    details: bool = False
    """Print every measure of the confirmation as well."""
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Search, and print what was found."""
        found = reseed.tune(
            recipe=self.whole_recipe(),
            budget=self.budget,
            max_cost=self.max_cost,
            margin=self.margin,
            vary=words(self.vary),
            fresh_data=self.fresh_data,
            out=self.out,
            seed=self.seed,
            **self.execution.arguments(),
        )
        if self.json:
            print_json(found.summary)
        else:
            _show(found, details=self.details)
        if self.open:
            open_page(found.path / reseed.workflows.TUNING_PAGE)


def _show(found: Tuning, *, details: bool) -> None:
    reseed.workflows.print_tuning(found, console(), details=details)
    written = {"numbers": reseed.workflows.TUNING, "report": reseed.workflows.TUNING_PAGE}
    if found.holds:
        written["recipe"] = reseed.workflows.TUNED
    for what, name in written.items():
        print(f"{what + ':':<8} {found.path / name}")
