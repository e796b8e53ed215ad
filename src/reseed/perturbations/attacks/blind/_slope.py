"""Gradients that are estimated from answers alone."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, final

import torch
from torch import Tensor

from reseed._draws import draw_key, item_normal, item_uniform
from reseed.perturbations.attacks.core._budget import Budget, column
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._losses import Loss

Drawn = Literal["signs", "normal"]
_AT_ONCE = 1 << 19  # numbers of the probes that are held together; about what a cache holds


@final
@dataclass(frozen=True)
class Probes:
    """Pairs of points of which a gradient is estimated.

    Attributes:
        count: How many pairs.
        drawn: Random signs (SPSA), or normal numbers (natural evolution strategies).
        reach: How far they lie, as a share of the budget; see `unit_of`.
    """

    count: int
    drawn: Drawn
    reach: float

    def around(self, points: Tensor, budget: Budget, samples: Tensor, keys: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return the pairs, [2 * probe, item, ...], and what turns the differences of a loss into gradients.

        Args:
            points: Around which they lie, [item, ...].
            budget: Where they may lie.
            samples: The numbers of the items, [item].
            keys: Of what each pair draws.
        """
        shape, draw = points.shape[1:], item_normal if self.drawn == "normal" else item_uniform
        v = torch.stack([draw(key, samples, shape) for key in keys]).to(points.dtype)
        v = v if self.drawn == "normal" else torch.where(v < 0.5, -1.0, 1.0).to(v.dtype)
        step = self.reach * unit_of(budget) * v
        ahead, behind = (
            torch.minimum(torch.maximum(points + way * step, budget.lower), budget.upper) for way in (1, -1)
        )
        between = ahead - behind
        weights = torch.where(between == 0, 0.0, v * v / torch.where(between == 0, 1.0, between))
        return torch.cat([ahead, behind]), weights


def slope(hunt: Hunt, points: Tensor, loss: Loss, probes: Probes, seed: int, step: int) -> Tensor:
    """Return an estimate of the loss's gradient at points, [item, ...], of differences between pairs of probes.

    The probes of a pair are x + r v and x - r v, put into the box, where v is drawn and r is how far they lie. With d
    their difference, the estimate is the mean of (L(x + r v) - L(x - r v)) v^2 / d, by feature; inside the box that
    is the usual (L(x + r v) - L(x - r v)) v / (2 r). It is unbiased for a linear loss, at the edge of the box too,
    where one side of a pair stays in place. Of a linear loss with the gradient w a feature's estimate by one pair has
    the variance |w|^2 - w_i^2 for signs, and |w|^2 + w_i^2 for normal numbers. A feature that cannot change has 0.

    Args:
        hunt: Who is asked; the probes are remembered where they are the best.
        points: Where, [item, ...], inside the budget.
        loss: Of what.
        probes: What is asked about.
        seed: Of what is drawn.
        step: A part of the key of what is drawn.
    """
    together = max(1, _AT_ONCE // (2 * max(1, points.numel())))
    total = torch.zeros_like(points)
    for first in range(0, probes.count, together):
        numbers = range(first, min(first + together, probes.count))
        keys = [draw_key(seed, step, number) for number in numbers]
        pairs, weights = probes.around(points, hunt.budget, hunt.items.samples, keys)
        value = hunt.look_at_many(pairs, loss).value
        change = (value[: len(keys)] - value[len(keys) :]).to(points.dtype).nan_to_num(0.0, 0.0, 0.0)
        for own, weight in zip(change, weights, strict=True):  # in order, so that sums are the same in every batch
            total = total + column(own, weight) * weight
    return total / probes.count


def unit_of(budget: Budget) -> Tensor:
    """Return how far a feature moves where all move alike and use up the budget together, broadcastable to an item.

    For the norm inf that is epsilon, for 2 epsilon / sqrt(D), for 1 epsilon / D, of D features that may change.
    """
    shrunk = {"inf": 1.0, "2": math.sqrt(budget.dimensions), "1": float(budget.dimensions)}[budget.norm]
    return budget.share * (budget.epsilon / shrunk)
