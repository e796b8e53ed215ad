"""Whether flat beginnings are those that train, at equal learning rates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, final

import numpy as np
from jaxtyping import Float
from numpy.typing import NDArray

from reseed.curvature.remedies._trial import StabilityTrial
from reseed.statistics import json_ready

_SHUFFLES, _SEED = 9999, 0


@final
@dataclass(frozen=True)
class Concordance:
    """How often the run that trained had the smaller number, of two at one rate of which one trained.

    Attributes:
        share: In [0, 1], ties as halves; 0.5 is chance. NaN where no two runs can be compared.
        p_value: How often remedies that change places at a rate give a share as far from 0.5; NaN where it has no
            value.
        pairs: Pairs of runs.
        rates: Rates at which there are any.
    """

    share: float
    p_value: float
    pairs: int
    rates: int

    def numbers(self, name: str) -> dict[str, Any]:
        """Return them as JSON can hold them."""
        found = {f"{name}_concordance": self.share, f"{name}_p_value": self.p_value}
        return json_ready(found | {f"{name}_pairs": self.pairs, f"{name}_rates": self.rates})


def concordance(
    trials: Sequence[StabilityTrial], level: float, number: Callable[[StabilityTrial], Float[np.ndarray, " run"]]
) -> Concordance:
    """Return how well a number of runs tells those that trained from those that did not, at equal rates.

        share = sum 1[x_trained < x_failed] + 1[x_trained = x_failed] / 2,   over the number of such pairs

    Equal rates, since a larger one makes every run both sharper, relative to its threshold, and likelier to fail. A run
    that fails at a rate below all that its remedy trains at is too slow and not too fast; it does not count.

    Args:
        trials: With all remedies, at all rates.
        level: What counts as trained, see `StabilityTrial.trained`.
        number: Gives that of each run, [run]; NaN does not count.
    """
    strata = [
        group
        for _, same in groupby(sorted(trials, key=lambda one: one.rate), key=lambda one: one.rate)
        if len(group := [_runs(one, level, number) for one in same if not _is_slow(one, trials, level)]) > 1
    ]
    observed, pairs, rates = _counted(strata)
    if not pairs:
        return Concordance(float("nan"), float("nan"), 0, 0)
    share, random = observed / pairs, np.random.default_rng(_SEED)
    as_far = 1
    for _ in range(_SHUFFLES):
        won, of, _ = _counted([_shuffled(group, random) for group in strata])
        as_far += not of or abs(won / of - 0.5) >= abs(share - 0.5) - 1e-12
    return Concordance(share, as_far / (_SHUFFLES + 1), pairs, rates)


def _runs(
    trial: StabilityTrial, level: float, number: Callable[[StabilityTrial], Float[np.ndarray, " run"]]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the number of each run and whether it trained."""
    values = number(trial)
    known = ~np.isnan(values)
    return values[known], trial.trained(level)[known]


def _is_slow(trial: StabilityTrial, trials: Sequence[StabilityTrial], level: float) -> bool:
    fitting = (one.rate for one in trials if one.remedy == trial.remedy and one.trained(level).all())
    return trial.rate < min(fitting, default=np.inf)


def _counted(strata: Sequence[Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]]]) -> tuple[float, int, int]:
    """Return how many pairs the trained runs win, how many pairs there are, and at how many rates."""
    won, pairs, rates = 0.0, 0, 0
    for group in strata:
        values, trained = (np.concatenate(parts) for parts in zip(*group, strict=True))
        low, high = values[trained][:, None], values[~trained][None]
        won += float((low < high).sum() + (low == high).sum() / 2)
        pairs += low.size * high.size
        rates += bool(low.size * high.size)
    return won, pairs, rates


def _shuffled(
    group: Sequence[tuple[NDArray[np.float64], NDArray[np.bool_]]], random: np.random.Generator
) -> list[tuple[NDArray[np.float64], NDArray[np.bool_]]]:
    """Give the numbers of whole remedies to the outcomes of others, since runs of one remedy go together."""
    order = random.permutation(len(group))
    found = []
    for place, (_, trained) in zip(order, group, strict=True):
        values = group[place][0]
        count = min(len(values), len(trained))
        found.append((values[:count], trained[:count]))
    return found
