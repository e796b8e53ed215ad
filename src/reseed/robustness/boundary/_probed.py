"""Networks and inputs of which it is asked what would change the answers: checked once, in the form that is asked."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from reseed._numbers import check_whole
from reseed.perturbations.attacks import (
    Asked,
    Bounds,
    Budget,
    Given,
    Model,
    Norm,
    Numbers,
    budget_for,
    check_answers,
    check_labels,
    given_inputs,
    gradient_of,
    labels_of,
)

_AT_ONCE = 1 << 20  # numbers of the points that are asked about together


@final
@dataclass(frozen=True, eq=False)
class Probed:
    """A model with inputs and its answers to them.

    Attributes:
        asked: The model.
        given: The inputs.
        budget: Where points may lie: the box, and the ball where there is one.
        runs: How many networks there are; 1 where it is a single model.
        logits: The answers to the inputs, [run, sample, class].
        targets: The right answers, those of the networks themselves where none were given, [run, sample].
    """

    asked: Asked
    given: Given
    budget: Budget
    runs: int
    logits: Tensor
    targets: Tensor

    @property
    def answers(self) -> Tensor:
        """What the networks say, [run, sample]; ties go to the lowest class."""
        return self.logits.argmax(-1)

    @property
    def samples(self) -> int:
        """How many inputs there are."""
        return self.logits.shape[1]

    def blocks(self, batch_size: int | None, each: int = 1) -> Iterator[Tensor]:
        """Yield the samples, some at a time.

        Args:
            batch_size: How many; None: as many as memory allows.
            each: How many numbers are kept of a sample and run.
        """
        rows = batch_size or max(1, _AT_ONCE // (self.runs * each))
        yield from torch.split(torch.arange(self.samples, device=self.logits.device), rows)

    def items(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Return runs and samples of each run's item of some samples, both [item], runs ascending."""
        runs = torch.arange(self.runs, device=rows.device).repeat_interleave(len(rows))
        return runs, rows.repeat(self.runs)

    def given_back(self, values: Tensor) -> Any:
        """Return results [run, sample, ...] as what the inputs were; of a single model without the run axis."""
        return self.given.like(values if self.asked.runs is not None else values[0])


def probed(
    model: Model,
    inputs: Numbers,
    targets: Numbers | None,
    *,
    bounds: Bounds,
    frozen: Numbers | None,
    batch_size: int | None,
    norm: Norm = "inf",
    epsilon: float | Numbers | None = None,
) -> Probed:
    """Check a model and inputs, and ask for the answers to them.

    Raises:
        InputError: An argument is out of its range or does not fit the others; the message names it.
        InputTypeError: One is of a wrong type, such as images of whole numbers.
    """
    if batch_size is not None:
        check_whole("batch_size", batch_size)
    asked = Asked(model)
    given = given_inputs(inputs, asked)
    budget = budget_for(given, epsilon, norm, bounds, frozen, is_minimal=epsilon is None)
    runs = asked.runs or 1
    clean = budget.clean
    rows = batch_size or max(1, _AT_ONCE // (runs * clean[0].numel()))
    parts = []
    for part in torch.split(clean, rows):
        numbers = torch.arange(runs, device=clean.device).repeat_interleave(len(part))
        with torch.no_grad():
            logits = asked.logits(part.repeat(runs, *[1] * (clean.ndim - 1)), numbers)
        parts.append(logits.view(runs, len(part), -1))
    logits = torch.cat(parts, dim=1).detach()
    check_answers(logits)
    right = logits.argmax(-1) if targets is None else labels_of(targets, "targets", given, asked.runs)
    check_labels(right, "targets", logits.shape[-1])
    return Probed(asked, given, budget, runs, logits, right)


def batches(runs: Tensor, count: int, numbers: int) -> Iterator[Tensor]:
    """Yield places of items, some at a time, in each as large a share of one run's items as of another's.

    Networks that are one program answer all together, so that a batch of one run's items would cost as much as one of
    all runs.

    Args:
        runs: Whose each item is, ascending, [item].
        count: How many runs there are.
        numbers: How many numbers an item has.
    """
    total = len(runs)
    parts = math.ceil(total * numbers / _AT_ONCE)
    if parts <= 1:
        yield torch.arange(total, device=runs.device)
        return
    own = runs.bincount(minlength=count)
    rank = torch.arange(total, device=runs.device) - (own.cumsum(0) - own)[runs]
    part = rank * parts // own[runs]
    order = part.argsort(stable=True)
    yield from torch.split(order, part.bincount(minlength=parts).tolist())


def log_odds_against(logits: Tensor, targets: Tensor) -> Tensor:
    """Return log of (1 - p_y) / p_y, [item], the log odds of all other classes together.

    Cross-entropy is log(1 + exp of this), so that both grow in the same direction; but the gradient of this one does
    not vanish where a network is sure.

    Examples:
        >>> log_odds_against(torch.tensor([[60.0, 0.0]]), torch.tensor([0]))
        tensor([-60.])
    """
    own = logits.gather(1, targets[:, None])
    others = logits.scatter(1, targets[:, None], -torch.inf)
    return others.logsumexp(1) - own[:, 0]


def ascent_of_loss(asked: Asked, points: Tensor, targets: Tensor, runs: Tensor) -> tuple[Tensor, Tensor]:
    """Return logits [item, class] and the direction in which cross-entropy grows, [item, ...], of any length.

    Raises:
        InputError: The model gives no gradients.
    """
    with torch.enable_grad():
        points = points.detach().requires_grad_()
        logits = asked.logits(points, runs)
        slope = gradient_of(log_odds_against(logits, targets), points)
    return logits.detach(), slope
