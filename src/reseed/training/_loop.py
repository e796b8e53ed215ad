"""The training loop: one run of one recipe from one set of seeds."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from reseed._errors import ModelError
from reseed.models import AbstractArchitecture, draw_model
from reseed.training._augment import augment
from reseed.training._draws import DropoutDraws, draw_key
from reseed.training._recipe import OptimizerConfig, Recipe
from reseed.training._record import predict
from reseed.training._schedule import lr_factor
from reseed.training._seeds import Seeds, generator


class Step(NamedTuple):
    """One optimisation step that has just been made."""

    number: int
    """Steps made so far, this one included."""
    rows: Tensor
    """Rows of the training set in the batch, [sample]."""
    inputs: Tensor
    """What the model saw, after augmentation, [sample, ...]."""
    logits: Tensor
    """[sample, class], before the update."""
    loss: Tensor
    """Mean cross-entropy of the batch in nats, before the update."""


@dataclass(frozen=True)
class TrainingSet:
    """Inputs [sample, ...] and labels [sample] on the device where training happens."""

    inputs: Tensor
    labels: Tensor
    num_classes: int

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.inputs.shape[1:])


@dataclass(frozen=True, eq=False)
class Training:
    """One run: a freshly drawn model, and an iterator over its optimisation steps.

    Everything random is a function of ``seeds``; global random state is left as it was.

    Args:
        recipe: What to do.
        architecture: The factory that the recipe names.
        data: The training set.
        seeds: The run's words.
        bootstrap: Whether to train on a resample, with replacement, of the training set (drawn from
            ``seeds.data``) instead of on the set itself.
    """

    recipe: Recipe
    architecture: AbstractArchitecture
    data: TrainingSet
    seeds: Seeds
    bootstrap: bool = False

    @cached_property
    def model(self) -> nn.Module:
        """The run's model, in training mode, on the device of the data."""
        model = draw_model(self.architecture, self.data.input_shape, self.data.num_classes, self.seeds.init)
        return model.to(self.data.inputs.device).train()

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one pass; a last batch of one single sample is left out."""
        samples, batch = len(self.data.labels), self.recipe.batch_size
        return max(1, math.ceil(samples / batch) - (batch > 1 and samples % batch == 1))

    @property
    def total_steps(self) -> int:
        """Optimisation steps of the whole training."""
        return self.recipe.steps or self.recipe.epochs * self.steps_per_epoch

    def steps(self) -> Iterator[Step]:
        """Train, yielding after every optimisation step; gradients stay until the next one."""
        recipe, data, model = self.recipe, self.data, self.model
        parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
        optimizer = _optimizer(recipe.optimizer, parameters)
        forward = _Forward(model, self.architecture.is_native, self.seeds.dropout)
        total, rate = self.total_steps, recipe.optimizer.lr
        for number, rows in enumerate(self._batches()):
            inputs = augment(data.inputs[rows], recipe.augment, self.seeds.augment, number)
            logits = forward(inputs, number)
            loss = nn.functional.cross_entropy(logits, data.labels[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            if recipe.optimizer.clip_norm is not None:
                nn.utils.clip_grad_norm_(parameters, recipe.optimizer.clip_norm)
            scheduled = recipe.optimizer.lr * lr_factor(recipe.schedule, number, total)
            if scheduled != rate:
                rate = scheduled
                for group in optimizer.param_groups:
                    group["lr"] = rate
            optimizer.step()
            yield Step(number + 1, rows, inputs, logits.detach(), loss.detach())

    def _batches(self) -> Iterator[Tensor]:
        """Yield the rows of each batch, in the order that ``seeds.order`` says, one permutation an epoch."""
        samples, device = len(self.data.labels), self.data.labels.device
        sample = np.arange(samples)
        if self.bootstrap:
            sample = generator(self.seeds.data).integers(0, samples, samples)
        made = 0
        for epoch in range(math.ceil(self.total_steps / self.steps_per_epoch)):
            order = sample[generator(self.seeds.order, epoch).permutation(samples)]
            batches = torch.split(torch.from_numpy(order).to(device), self.recipe.batch_size)
            for rows in batches[: self.steps_per_epoch]:
                if made == self.total_steps:
                    return
                made += 1
                yield rows


class _Forward:
    """The forward pass of a training step, with random draws from the run's own dropout stream."""

    def __init__(self, model: nn.Module, is_native: bool, word: int) -> None:
        self._model, self._is_native, self._word = model, is_native, word
        self._draws = DropoutDraws(word)
        if is_native:
            self._draws.replace_modules(model)

    def __call__(self, inputs: Tensor, step: int) -> Tensor:
        if self._is_native:
            self._draws.begin(step)
            return self._model(inputs)  # type: ignore[no-any-return]
        # Foreign code may draw from the global generator in ways that cannot be replaced (inside an LSTM, say):
        # lend it a state that is a function of (word, step), and give back the one that was there.
        with self._draws.at_step(step), torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(draw_key(self._word, step, 0) & 0xFFFFFFFF)
            return self._model(inputs)  # type: ignore[no-any-return]


def check_forward(training: Training) -> None:
    """Accept a model that turns two samples into two rows of logits.

    Raises:
        ModelError: Its forward pass raises, or returns something else.
    """
    name, inputs = training.recipe.model.name, training.data.inputs[:2]
    try:
        logits = predict(training.model, inputs)
    except (Exception, SystemExit) as error:  # foreign code may raise anything; the cause stays attached
        raise ModelError(
            f"model {name!r} cannot take inputs of shape {tuple(inputs.shape)}: {type(error).__name__}: {error}"
        ) from error
    if logits.shape != (len(inputs), training.data.num_classes):
        raise ModelError(
            f"model {name!r} returned shape {tuple(logits.shape)} for {len(inputs)} samples; it must return logits "
            f"of shape [sample, class] with {training.data.num_classes} classes."
        )


def _optimizer(config: OptimizerConfig, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    # One kernel for all parameters halves the time of a small model's step.
    fused = all(parameter.is_floating_point() and parameter.device.type in ("cpu", "cuda") for parameter in parameters)
    decay = config.weight_decay
    match config.name:
        case "sgd":
            return torch.optim.SGD(parameters, config.lr, config.momentum, weight_decay=decay, fused=fused)
        case "adam":
            return torch.optim.Adam(parameters, config.lr, weight_decay=decay, fused=fused)
        case "adamw":
            return torch.optim.AdamW(parameters, config.lr, weight_decay=decay, fused=fused)
