"""What a recipe's mitigations make of a batch: the inputs that the model sees, and the loss that it descends."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor, nn

from reseed.mitigations import AbstractMitigation, Batch, Penalty, class_prior, soft_cross_entropy
from reseed.training._loss import cross_entropy
from reseed.training._training_set import TrainingSet

Taught = tuple[Tensor | None, ...]
"""What the teachers of each of a recipe's mitigations say of the training set, [run, sample, class], where the first
axis has one entry if all runs learn from the same teachers; None for methods without teachers, and empty where those
have nothing to say that labels do not."""


@dataclass(frozen=True, eq=False)
class BatchLoss:
    """The loss of a batch, as a function of its logits [run, sample, class].

    Attributes:
        labels: Hard labels, [run, sample].
        targets: Soft targets in their place, [run, sample, class].
        penalties: What is added to each sample's loss.
    """

    labels: Tensor
    targets: Tensor | None
    penalties: tuple[Penalty, ...]

    def __call__(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Return losses [run] and their gradient; see `Loss`."""
        if self.targets is None and not self.penalties:
            return cross_entropy(logits, self.labels)
        with torch.enable_grad():
            free = logits.detach().requires_grad_()
            losses = self.of(free)
            (gradient,) = torch.autograd.grad(losses.sum(), free)
        return losses.detach(), gradient

    def of(self, logits: Tensor) -> Tensor:
        """Return losses [run], through which gradients flow."""
        if self.targets is None and not self.penalties and len(logits) == 1:
            return nn.functional.cross_entropy(logits[0], self.labels[0])[None]
        if self.targets is None:
            single = logits.to(torch.promote_types(logits.dtype, torch.float32))
            losses = nn.functional.cross_entropy(single.transpose(1, 2), self.labels, reduction="none")
        else:
            losses = soft_cross_entropy(logits, self.targets, check=False)
        for penalty in self.penalties:
            losses = losses + penalty(logits)
        return losses.mean(-1)


@final
class Objective:
    """What mitigations make of the batches of some runs.

    Args:
        mitigations: The recipe's.
        data: The training set.
        words: Each network's word for random draws.
        total: Steps of the whole training.
        taught: What teachers say, for these runs; see `Taught`.
        peers: Networks in each run.

    Raises:
        RecipeError: A method does not go with the number of classes.
    """

    def __init__(
        self,
        mitigations: Sequence[AbstractMitigation],
        data: TrainingSet,
        words: Sequence[int],
        total: int,
        taught: Taught,
        peers: int = 1,
    ) -> None:
        self._methods = list(zip(mitigations, taught or (None,) * len(mitigations), strict=True))
        self._data, self._words, self._total, self._peers = data, words, total, peers
        for method in mitigations:
            method.check_classes(data.num_classes)
        self._frequencies = class_prior(data.labels, data.num_classes) if mitigations else torch.empty(0)

    def begin(self, number: int, rows: Tensor, inputs: Tensor) -> tuple[Tensor, BatchLoss]:
        """Return what the models see of a batch, and the loss.

        Args:
            number: The step, from 0.
            rows: Rows of the training set, [run, sample].
            inputs: Theirs, augmented, [run, sample, ...].
        """
        labels = self._data.labels.index_select(0, rows.flatten()).view(rows.shape)
        if not self._methods:
            return inputs, BatchLoss(labels, None, ())
        plain = Batch(
            number,
            self._total,
            labels,
            self._data.num_classes,
            self._words,
            frequencies=self._frequencies,
            precision=torch.float64 if inputs.dtype == torch.float64 else torch.float32,
        )
        targets: Tensor | None = None
        penalties = []
        for method, taught in self._methods:
            batch = (
                plain if taught is None or not taught.numel() else replace(plain, taught=self._of_rows(taught, rows))
            )
            inputs = method.inputs(inputs, batch)
            targets = method.targets(targets, batch)
            if (penalty := method.penalty(batch)) is not None:
                penalties.append(penalty)
        if targets is not None:
            targets = targets.to(torch.promote_types(targets.dtype, torch.float32))
        return inputs, BatchLoss(labels, targets, tuple(penalties))

    def ascent(self, parameters: Sequence[nn.Parameter], runs: int) -> list[tuple[nn.Parameter, Tensor]]:
        """Return how far to move parameters before a second pass; empty where no method wants one."""
        for method, _ in self._methods:
            if method.passes > 1:
                moving = [parameter for parameter in parameters if parameter.grad is not None]
                gradients = [parameter.grad for parameter in moving if parameter.grad is not None]
                return list(zip(moving, method.ascent(moving, gradients, runs), strict=True))
        return []

    def _of_rows(self, taught: Tensor, rows: Tensor) -> Tensor:
        if len(taught) == 1:
            return taught[0].index_select(0, rows.flatten()).view(*rows.shape, -1)
        run = torch.arange(len(rows), device=rows.device) // self._peers
        return taught[run[:, None], rows]


@contextmanager
def displaced(moves: Sequence[tuple[nn.Parameter, Tensor]], model: nn.Module) -> Iterator[None]:
    """Have parameters elsewhere inside, bit for bit where they were outside, and buffers untouched by what happens."""
    with torch.no_grad():
        kept = [(parameter, parameter.detach().clone()) for parameter, _ in moves]
        buffers = [(buffer, buffer.clone()) for buffer in model.buffers()]
        for parameter, move in moves:
            parameter.add_(move)
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, value in (*kept, *buffers):
                tensor.copy_(value)
