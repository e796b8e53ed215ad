"""Several runs as one program on one device."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from reseed.models import StackedModel, check_stackable, vmapped_model
from reseed.training._augment import augment
from reseed.training._draws import DrawnDropout, DropoutDraws, Masks
from reseed.training._loop import AbstractTraining, Step, Updates
from reseed.training._loss import cross_entropy
from reseed.training._memory import bytes_of_one_run
from reseed.training._record import EVAL_BATCH, predict
from reseed.training._run_by_run import RunByRun
from reseed.training._seeds import Seeds
from reseed.training._stack import AbstractStack, AutogradStack
from reseed.training._stacked_mlp import StackedMlp, is_mlp
from reseed.training._trial import check_by_trial

_PREDICT_ROWS = 8192
_MOST_RUNS = 64


@final
@dataclass(frozen=True, eq=False)
class StackedTraining(AbstractTraining):
    """Several runs of a recipe, trained together: one step of all runs is one step of one program.

    Each run has its own initial weights, batch order, dropout and augmentation, bit for bit those that `Training` gives
    the same seeds, and its own optimiser state, gradient clipping and batch-norm statistics. Arithmetic is the same up
    to rounding. A run that stops being finite does not touch its neighbours. The data is held once.

    Args:
        recipe: What to do.
        architecture: The factory that the recipe names; see `check_can_stack`.
        data: The training set.
        seeds: The words of each run.
        bootstrap: Whether each run trains on its own resample of the training set.
    """

    seeds: tuple[Seeds, ...]
    bootstrap: bool = False

    @cached_property
    def model(self) -> AbstractStack:
        """The runs' models as one, in training mode, on the device of the data."""
        models = [self.draw(seeds.init) for seeds in self.seeds]
        dropout = [seeds.dropout for seeds in self.seeds]
        is_native, device = self.architecture.is_native, self.data.inputs.device
        return stack_models(models, dropout, is_native=is_native, device=device).train()

    def steps(self) -> Iterator[Step]:
        """Train, yielding after every optimisation step of all runs; gradients stay until the next one."""
        recipe, data, model, runs = self.recipe, self.data, self.model, len(self.seeds)
        updates = Updates(recipe, model.trained, self.total_steps, runs, direct=self.architecture.is_native)
        words = [seeds.augment for seeds in self.seeds]
        orders = zip(*(self.orders(seeds, self.bootstrap) for seeds in self.seeds), strict=True)
        for number, rows in enumerate(self.batches(np.stack(order) for order in orders)):
            flat = rows.flatten()
            inputs = augment(data.inputs.index_select(0, flat), recipe.augment, words, number)
            labels = data.labels.index_select(0, flat).view(rows.shape)
            loss = partial(_cross_entropy_of, labels)
            with self.mixed():
                logits, losses = model.learn(inputs.view(*rows.shape, *data.input_shape), loss, number)
            updates.make(number)
            self.averages.update(number + 1)
            yield Step(number + 1, rows, inputs, logits, losses)

    @property
    def evaluated(self) -> list[Tensor]:
        """Parameters and floating-point buffers of all runs."""
        return [*self.model.trained, *(value for value in self.model.buffers() if value.is_floating_point())]

    def logits(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class]; all runs see the same inputs [sample, ...]."""
        runs = len(self.seeds)
        most = _PREDICT_ROWS if self.architecture.is_native else EVAL_BATCH
        parts = torch.split(inputs, max(1, most // runs))
        return torch.cat([predict(self.model, part.expand(runs, *part.shape), runs) for part in parts], dim=1)


def stack_models(
    models: Sequence[nn.Module], dropout: Sequence[int], *, is_native: bool, device: torch.device
) -> AbstractStack:
    """Return K models as one.

    Args:
        models: Freshly drawn models of one factory, on the device; they are used up.
        dropout: The dropout word of each run.
        is_native: Whether they are reseed's own.
        device: Where they train.

    Raises:
        ModelError: A layer cannot be stacked; the message names it.
    """
    masks = Masks(dropout)
    if not is_native:
        return AutogradStack(vmapped_model(models, DropoutDraws(masks).of_run).to(device), masks)
    networks = [model for model in models if is_mlp(model)]
    if len(networks) == len(models):
        return StackedMlp(networks, masks)
    if device.type != "cpu":
        return AutogradStack(StackedModel(models, lambda p: DrawnDropout(p, masks)), masks)
    draws = [DropoutDraws(word) for word in dropout]
    for model, own in zip(models, draws, strict=True):
        own.replace_modules(model)
    return RunByRun(models, draws)


def _cross_entropy_of(labels: Tensor, logits: Tensor, runs: slice) -> tuple[Tensor, Tensor]:
    return cross_entropy(logits, labels[runs])


def check_can_stack(training: StackedTraining) -> None:
    """Accept a recipe whose runs can be trained as one program.

    Raises:
        ModelError: The model has a layer that cannot be stacked, or foreign code that cannot be mapped over runs; the
            message names the reason.
    """
    if training.architecture.is_native:
        check_stackable(training.draw(0))
    else:
        check_by_trial(training)


def steps_run_by_run(training: StackedTraining) -> bool:
    """Whether the program works on one run after another, see `RunByRun`."""
    return isinstance(training.model, RunByRun)


def group_size(training: StackedTraining) -> int:
    """Return how many runs to train as one program: what half of the free memory holds, at most 64."""
    each = bytes_of_one_run(training.recipe, training.architecture, training.data)
    return int(max(2, min(_MOST_RUNS, _free_bytes(training.data.inputs.device) // 2 // each)))


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, AttributeError):  # a system that does not tell
        return 2 << 30
