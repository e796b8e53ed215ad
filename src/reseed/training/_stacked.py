"""Several runs as one program on one device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import final

import numpy as np
import torch
from torch import Tensor, nn

from reseed.models import StackedModel, check_stackable, draw_model, vmapped_model
from reseed.training._augment import augment
from reseed.training._draws import DrawnDropout, DropoutDraws, Masks
from reseed.training._loop import AbstractTraining, Step, Updates
from reseed.training._memory import bytes_of_one_run
from reseed.training._record import EVAL_BATCH, predict
from reseed.training._seeds import Seeds
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
    def model(self) -> nn.Module:
        """The runs' models as one, in training mode, on the device of the data."""
        data = self.data
        models = [draw_model(self.architecture, data.input_shape, data.num_classes, seeds.init) for seeds in self.seeds]
        if self.architecture.is_native:
            whole: nn.Module = StackedModel(models, lambda p: DrawnDropout(p, self._masks))
        else:
            whole = vmapped_model(models, DropoutDraws(self._masks).of_run)
        return whole.to(data.inputs.device).train()

    def steps(self) -> Iterator[Step]:
        """Train, yielding after every optimisation step of all runs; gradients stay until the next one."""
        recipe, data, model, runs = self.recipe, self.data, self.model, len(self.seeds)
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        updates = Updates(recipe, parameters, self.total_steps, runs)
        words = [seeds.augment for seeds in self.seeds]
        orders = zip(*(self.orders(seeds, self.bootstrap) for seeds in self.seeds), strict=True)
        for number, rows in enumerate(self.batches(np.stack(order) for order in orders)):
            inputs = augment(data.inputs[rows].flatten(0, 1), recipe.augment, words, number)
            self._masks.begin(number)
            logits = model(inputs.view(*rows.shape, *data.input_shape))
            # Classes in front: torch's softmax over a short last axis is many times slower than over this one.
            each = nn.functional.cross_entropy(logits.movedim(-1, 0)[None], data.labels[rows][None], reduction="none")
            losses = each[0].mean(1)
            # Runs share no parameter, so the gradient of the sum is each run's own.
            updates.make(number, losses.sum())
            yield Step(number + 1, rows, inputs, logits.detach(), losses.detach())

    def predict(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class]; all runs see the same inputs [sample, ...]."""
        runs = len(self.seeds)
        most = _PREDICT_ROWS if self.architecture.is_native else EVAL_BATCH
        parts = torch.split(inputs, max(1, most // runs))
        return torch.cat([predict(self.model, part.expand(runs, *part.shape), runs) for part in parts], dim=1)

    @cached_property
    def _masks(self) -> Masks:
        return Masks([seeds.dropout for seeds in self.seeds])


def check_can_stack(training: StackedTraining) -> None:
    """Accept a recipe whose runs can be trained as one program.

    Raises:
        ModelError: The model has a layer that cannot be stacked, or foreign code that cannot be mapped over runs; the
            message names the reason.
    """
    data = training.data
    if training.architecture.is_native:
        check_stackable(draw_model(training.architecture, data.input_shape, data.num_classes, 0))
    else:
        check_by_trial(training)


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
