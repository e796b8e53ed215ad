"""What a lens measures of networks along their training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol, cast, final

from numpy.typing import NDArray
from torch import Tensor, nn

from reseed._arguments import argument
from reseed._errors import RecipeError
from reseed._near import did_you_mean
from reseed.training._recipe import Recipe
from reseed.training._training_set import TrainingSet

LENSES = ("curvature",)
"""Lenses that measure along a training. Their packages ``reseed.NAME.tracking`` have two functions: `tracker` makes
what measures, and ``tracked_scores`` says of a study what was measured, as scores."""
STEP = "step"
"""What the steps after which was measured are called among the numbers."""


@final
@dataclass(frozen=True, eq=False)
class Stand:
    """Where the runs of a training stand between two steps; all of it copies, which nobody else changes.

    Attributes:
        recipe: What is done.
        data: The training set.
        step: Steps made.
        rate: The learning rate of the next step, or of the last one where none is left.
        networks: The network of each run as it is now, without averages over steps.
        squares: Of each run, what the optimiser remembers of squared gradients, by parameter; empty where it divides
            by nothing, or has made no step.
    """

    recipe: Recipe
    data: TrainingSet
    step: int
    rate: float
    networks: Sequence[nn.Module]
    squares: Sequence[Mapping[str, Tensor]]


class Tracker(Protocol):
    """Measures the networks of a training every so many steps."""

    @property
    def every(self) -> int:
        """How many steps lie between two measurements; the first is before the first step, the last after the last."""

    def measure(self, stand: Stand) -> Mapping[str, NDArray[Any]]:
        """Return numbers of each run by name, [run]; NaN where there is none. No generator's state is changed."""


def check_track(text: str) -> None:
    """Accept what `tracker_of` can read.

    Raises:
        RecipeError: It cannot.
    """
    tracker_of(text)


def check_tracked(recipe: Recipe, text: str) -> None:
    """Accept a recipe whose runs can be measured along their training, where they are to be.

    Raises:
        RecipeError: A run is several networks.
    """
    if text and recipe.peers is not None:
        raise RecipeError(
            f"{argument('track')} measures runs of one network, and a run of this recipe is {recipe.peers.count}; "
            "leave it out, or measure the recipe without them."
        )


def tracker_of(text: str) -> Tracker | None:
    """Return what measures along a training, by a text ``LENS:every=STEPS``; None of an empty one.

    Raises:
        RecipeError: The lens is unknown or measures nothing along a training, or an option is wrong.

    Examples:
        >>> tracker_of("curvature:every=50").every
        50
    """
    if not text:
        return None
    lens, *options = text.split(":")
    named = argument("track")
    if lens not in LENSES:
        hint = did_you_mean(lens, LENSES)
        raise RecipeError(f"{named} names {lens!r}; what can be measured along a training: {', '.join(LENSES)}.{hint}")
    given: dict[str, int] = {}
    for option in options:
        name, _, value = option.partition("=")
        if not value.isdecimal() or int(value) < 1 or len(value) > 9:
            raise RecipeError(f"{named} says {option!r}; write OPTION=NUMBER, such as {lens}:every=50.")
        given[name] = int(value)
    # By name, since lenses build on trainings and not the other way round.
    made = import_module(f"reseed.{lens}.tracking").tracker
    try:
        return cast(Tracker, made(**given))
    except TypeError as error:
        said = str(error).partition("() ")[2]
        raise RecipeError(f"{named} says {text!r}, but {said}; see RecordConfig.track.") from error
