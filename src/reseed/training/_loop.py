"""The training loop: what all runs share, and one run by itself."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from types import MappingProxyType
from typing import NamedTuple, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reseed._draws import draw_key
from reseed._errors import ModelError
from reseed.models import AbstractArchitecture, draw_model, own_tensors, seedless_weights, tensors_of, with_state
from reseed.training._augment import augment
from reseed.training._average import Averages, first_averaged
from reseed.training._draws import DropoutDraws
from reseed.training._evaluated import EvaluatedWeights, evaluated_weights
from reseed.training._monitor import Signals, gradient_norms, signals_of
from reseed.training._objective import BatchLoss, Objective, Taught, displaced
from reseed.training._optimizers import FusedOptimizer, TorchOptimizer
from reseed.training._passes import dropping, pass_step
from reseed.training._prepare import prepare
from reseed.training._recipe import Recipe
from reseed.training._record import EVAL_BATCH, predict
from reseed.training._schedule import lr_factor
from reseed.training._seeds import Seeds, word_of_place
from reseed.training._snapshot import AVERAGES, MODEL, OPTIMIZER, Snapshot, below, fill, numbered, prefixed
from reseed.training._statistics import normalising, refresh_statistics
from reseed.training._step import Step
from reseed.training._track import Stand
from reseed.training._trained_on import rows_of
from reseed.training._training_set import TrainingSet


class Block(NamedTuple):
    """Steps that have just been made."""

    samples: int
    """Samples that each run saw in them, as often as they went forward and backward; see `AbstractTraining.seen`."""
    losses: Tensor
    """Mean losses of the batches in nats, before the updates, [step, run]."""
    signals: Signals
    """More about each step where the training monitors, see `signals_of`; else nothing."""


@dataclass(frozen=True, eq=False)
class AbstractTraining(ABC):
    """One or several runs of a recipe, and an iterator over their optimisation steps.

    Everything random is a function of the runs' seeds; global random state is left as it was.

    Args:
        recipe: What to do.
        architecture: The factory that the recipe names.
        data: The training set.
        monitor: Whether to look at gradients and predictions in every step; nothing else changes.
        begun: Where to go on from: the same training's own `snapshot`, or that of one which had as many runs, the same
            recipe and other seeds.
    """

    recipe: Recipe
    architecture: AbstractArchitecture
    data: TrainingSet
    monitor: bool = field(default=False, kw_only=True)
    begun: Snapshot | None = field(default=None, kw_only=True)

    @abstractmethod
    def steps(self) -> Iterator[Step]:
        """Train, yielding after every optimisation step; gradients stay until the next one."""

    @property
    @abstractmethod
    def trained(self) -> list[nn.Parameter]:
        """What the optimiser changes."""

    @property
    def made(self) -> int:
        """Steps that were made before it begins."""
        return 0 if self.begun is None else self.begun.made

    @abstractmethod
    def snapshot(self, made: int) -> Snapshot:
        """Return where it stands after ``made`` steps, which are those it has made; no copies."""

    def blocks(self, stops: Iterable[int]) -> Iterator[Block]:
        """Train to each of the stops, numbers of steps in rising order, yielding there what was done since the last."""
        steps, number = self.steps(), self.made
        for stop in stops:
            made = [next(steps) for _ in range(number, stop)]
            samples = self.seen([step.rows for step in made], number)
            yield Block(samples, torch.stack([step.loss.reshape(-1) for step in made]), signals_of(made))
            number = stop

    @abstractmethod
    def predict(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class] of the weights that the recipe evaluates, in evaluation mode.

        Models are left as they were.
        """

    @abstractmethod
    def predict_dropped(self, inputs: Tensor, number: int) -> Tensor:
        """Return the logits [run, sample, class] of a pass, counted from 0, in evaluation mode but for dropout.

        Masks are a function of the runs' dropout words, the pass and the sample's place. Models are left as they were.
        """

    @property
    @abstractmethod
    def networks(self) -> tuple[Seeds, ...]:
        """The words of each network: one a run, or its peers one after the other."""

    @property
    @abstractmethod
    def example(self) -> nn.Module:
        """A model of the recipe, for the names, shapes and types of its tensors."""

    @abstractmethod
    def evaluated_weights(self) -> list[EvaluatedWeights]:
        """Return what the networks are evaluated with."""

    @abstractmethod
    def present_weights(self) -> list[EvaluatedWeights]:
        """Return what the networks are at this moment, without averages over steps."""

    @abstractmethod
    def squares(self) -> list[Mapping[str, Tensor]]:
        """Return, of each network, what the optimiser remembers of squared gradients; empty where it does not."""

    @final
    def evaluated_networks(self) -> list[nn.Module]:
        """Return the networks as they are evaluated, in modules of their own."""
        return self._as_modules(self.evaluated_weights())

    @final
    def stand(self, made: int) -> Stand:
        """Return where it stands after ``made`` steps, for whoever measures it."""
        recipe, step = self.recipe, min(made, self.total_steps - 1)
        rate = recipe.optimizer.lr * lr_factor(recipe.schedule, step, self.total_steps, self.steps_per_epoch)
        return Stand(recipe, self.data, made, rate, self._as_modules(self.present_weights()), self.squares())

    def _as_modules(self, weights: Sequence[EvaluatedWeights]) -> list[nn.Module]:
        each = zip(self.networks, weights, strict=True)
        return [with_state(self.draw(own.init), own_weights.all) for own, own_weights in each]

    @property
    def own_bytes(self) -> int:
        """Bytes of what a run has of its own: the parameters that are trained, and the buffers, of its networks."""
        each = sum(tensor.numel() * tensor.element_size() for tensor in own_tensors(self.example).values())
        return each * (1 if self.recipe.peers is None else self.recipe.peers.count)

    def answers(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return what `predict` does and where runs abstain, [run, sample]; None where none of them ever does."""
        return self.predict(inputs), None

    @final
    def mixed(self) -> AbstractContextManager[object]:
        """Return the context of a forward pass in training: the recipe's precision."""
        is_mixed = self.recipe.precision == "bfloat16"
        return torch.autocast(self.data.inputs.device.type, torch.bfloat16) if is_mixed else nullcontext()

    def draw(self, word: int, seedless: Mapping[str, Tensor] = MappingProxyType({})) -> nn.Module:
        """Return a freshly drawn model, on the device of the data and, for numbers, in their precision.

        Args:
            word: The init word.
            seedless: Initial weights that no seed decides, see `reseed.models.seedless_weights`.
        """
        inputs = self.data.inputs
        model = draw_model(self.architecture, self.data.input_shape, self.data.num_classes, word, seedless)
        return model.to(inputs.device, inputs.dtype if inputs.is_floating_point() else None)

    @final
    def begin(self, seeds: Seeds, bootstrap: bool, place: int = 0) -> nn.Module:
        """Return a network of the training as it is before the first step.

        Args:
            seeds: Its words.
            bootstrap: Whether it trains on a resample.
            place: Its place among the networks of its run. Each place has a fixed seed of its own, since networks that
                begin alike would say the same.
        """
        config = self.recipe.model
        if config.init == "drawn":
            network = self.draw(seeds.init)
        else:
            network = self.draw(seeds.init, self._seedless_weights(seeds, bootstrap, place))
        if self.begun is None:  # else what has been trained takes the place of its weights
            is_shared = config.init != "drawn" and config.init_share == 1
            word = word_of_place(config.init_seed, place) if is_shared else seeds.init
            rows = rows_of(seeds, bootstrap, len(self.data.labels))
            prepare(network, self.recipe, self.architecture, self.data, word, rows)
        return network

    def _seedless_weights(self, seeds: Seeds, bootstrap: bool, place: int) -> Mapping[str, Tensor]:
        """Return the initial weights of a network that no seed decides."""
        config, data = self.recipe.model, self.data
        # Directions are of the run's own rows, so that what a run does not see is in none of its weights.
        rows = rows_of(seeds, bootstrap, len(data.labels)) if config.init == "pca" else np.empty(0, np.int64)
        key = place, rows.tobytes()
        if key not in self._seedless:
            whole = len(rows) == len(data.labels) and not bootstrap
            self._seedless[key] = seedless_weights(
                self.architecture,
                data.input_shape,
                data.num_classes,
                word_of_place(config.init_seed, place),
                lambda: data.inputs if whole else data.inputs[torch.from_numpy(rows)],
            )
        return self._seedless[key]

    @cached_property
    def _seedless(self) -> dict[tuple[int, bytes], Mapping[str, Tensor]]:
        """Initial weights that no seed decides, by a network's place in its run and by what it trains on."""
        return {}

    @property
    def passes(self) -> int:
        """How often a run takes each sample of a batch forward and backward: by networks, and by passes of a step."""
        peers = self.recipe.peers
        return math.prod(method.passes for method in self.recipe.mitigations) * (1 if peers is None else peers.count)

    @final
    def seen(self, batches: Iterable[Tensor], made: int) -> int:
        """Return how many samples a run takes forward and backward in steps.

        Args:
            batches: The rows of each, [sample] or [run, sample].
            made: Steps that were made before. Before the first one, what methods take to prepare networks counts too.
        """
        networks = 1 if self.recipe.peers is None else self.recipe.peers.count
        before = 0 if made else networks * sum(method.samples_before for method in self.recipe.mitigations)
        return before + self.passes * sum(rows.shape[-1] for rows in batches)

    @property
    def samples(self) -> int:
        """How many samples an epoch of a run has: all, unless the runs leave some out."""
        subset = self.networks[0].subset
        return len(self.data.labels) if subset is None else subset.size(len(self.data.labels))

    @property
    def steps_per_epoch(self) -> int:
        """Batches of one pass; a last batch of one single sample is left out."""
        return steps_per_epoch(self.samples, self.recipe.batch_size)

    @property
    def total_steps(self) -> int:
        """Optimisation steps of the whole training."""
        return self.recipe.steps or self.recipe.epochs * self.steps_per_epoch

    def refreshed(self, number: int) -> int:
        """Return how many training samples a run passes forward before it is first evaluated after a step, from 1.

        None, unless the recipe wants batch-norm statistics of its averaged weights.
        """
        config, peers = self.recipe.average, self.recipe.peers
        if config.name == "none" or config.statistics != "refreshed" or not self._normalises:
            return 0
        if number < first_averaged(config, self.total_steps):
            return 0
        samples = min(self.samples, self.steps_per_epoch * self.recipe.batch_size)
        return samples * (1 if peers is None else peers.count)

    @cached_property
    def _normalises(self) -> bool:
        return bool(normalising(self.draw(0)))

    def orders(self, seeds: Seeds, bootstrap: bool) -> Iterator[NDArray[np.int64]]:
        """Yield the rows of each epoch [sample] in the order that ``seeds.order`` says."""
        sample = rows_of(seeds, bootstrap, len(self.data.labels))
        for epoch in range(math.ceil(self.total_steps / self.steps_per_epoch)):
            yield sample[seeds.generator("order", epoch).permutation(len(sample))]

    def first_epoch(self, order: NDArray[np.int64]) -> Sequence[Tensor]:
        """Return all batches of an epoch with rows [sample] or [run, sample], however few steps the training has."""
        rows = torch.from_numpy(order).to(self.data.labels.device)
        return torch.split(rows, self.recipe.batch_size, dim=-1)[: self.steps_per_epoch]

    def batches(self, orders: Iterable[NDArray[np.int64]]) -> Iterator[Tensor]:
        """Cut the rows of epochs, [sample] or [run, sample], into those of batches along the last axis."""
        device, left = self.data.labels.device, self.total_steps
        for order in orders:
            batches = torch.split(torch.from_numpy(order).to(device), self.recipe.batch_size, dim=-1)
            for rows in batches[: min(self.steps_per_epoch, left)]:
                left -= 1
                yield rows


@final
@dataclass(frozen=True, eq=False)
class Training(AbstractTraining):
    """One run: a freshly drawn model, trained by itself.

    Args:
        recipe: What to do.
        architecture: The factory that the recipe names.
        data: The training set.
        seeds: The run's words.
        bootstrap: Whether to train on a resample, with replacement, of the training set (drawn from
            ``seeds.data``) instead of on the set itself.
        taught: What teachers say of the training set, see `Taught`.
        monitor: See `AbstractTraining`.
        begun: See `AbstractTraining`.
    """

    seeds: Seeds
    bootstrap: bool = False
    taught: Taught = ()

    @cached_property
    def model(self) -> nn.Module:
        """The run's model, in training mode, on the device of the data."""
        model = self.begin(self.seeds, self.bootstrap).train()
        if self.begun is not None:
            fill(changing(model.parameters(), model), below(MODEL, self.begun.tensors))
        return model

    def snapshot(self, made: int) -> Snapshot:
        """Return where it stands, see `AbstractTraining`."""
        changed = changing(self.trained, self.model)
        return Snapshot(made, state_of(changed, self._updates, self._averages))

    def steps(self) -> Iterator[Step]:
        """Train, yielding after every optimisation step; gradients stay until the next one."""
        recipe, data, model = self.recipe, self.data, self.model
        forward = self._forward
        objective = Objective(recipe.mitigations, data, [self.seeds.augment], self.total_steps, self.taught)
        batches = enumerate(self.batches(self.orders(self.seeds, self.bootstrap)))
        for number, rows in islice(batches, self.made, None):
            inputs = augment(data.inputs[rows], recipe.augment, [self.seeds.augment], number)
            (inputs,), loss_of = objective.begin(number, rows[None], inputs[None])
            logits, loss = self._learn(forward, inputs, number, loss_of)
            if moves := objective.ascent(self.trained, 1):
                with displaced(moves, model):
                    self._learn(forward, inputs, number, loss_of)
            norm = gradient_norms(self.trained) if self.monitor else None
            self._updates.make(number)
            self._averages.update(number + 1)
            yield Step(number + 1, rows, inputs, logits, loss, norm)

    def _learn(self, forward: _Forward, inputs: Tensor, number: int, loss_of: BatchLoss) -> tuple[Tensor, Tensor]:
        """Make a forward and a backward pass, and return logits [sample, class] and the loss."""
        with self.mixed():
            logits = forward(inputs, number)
            loss = loss_of.of(logits[None])[0]
        self.model.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        return logits.detach(), loss.detach()

    @cached_property
    def _forward(self) -> _Forward:
        return _Forward(self.model, self.architecture.is_native, self.seeds.dropout)

    @property
    def trained(self) -> list[nn.Parameter]:
        """The parameters that are not frozen."""
        return [parameter for parameter in self.model.parameters() if parameter.requires_grad]

    @cached_property
    def _updates(self) -> Updates:
        updates = Updates(self.recipe, self.trained, self.total_steps, self.steps_per_epoch)
        if self.begun is not None:
            updates.resume(below(OPTIMIZER, self.begun.tensors))
        return updates

    @cached_property
    def _averages(self) -> Averages:
        averages = Averages(self.recipe.average, evaluated(self.trained, self.model), self.total_steps, self._refresh)
        if self.begun is not None:
            averages.resume(below(AVERAGES, self.begun.tensors))
        return averages

    def _refresh(self) -> None:
        rows = self.first_epoch(next(self.orders(self.seeds, self.bootstrap)))
        refresh_statistics(self.model, (self.data.inputs[batch] for batch in rows))

    def predict(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class] with a single run."""
        with self._averages.in_place():
            return predict(self.model, inputs)[None]

    @property
    def networks(self) -> tuple[Seeds, ...]:
        """The words of the run."""
        return (self.seeds,)

    @property
    def example(self) -> nn.Module:
        """The run's model."""
        return self.model

    def evaluated_weights(self) -> list[EvaluatedWeights]:
        """Return what the run's network is evaluated with."""
        with self._averages.in_place():
            return self.present_weights()

    def present_weights(self) -> list[EvaluatedWeights]:
        """Return what the run's network is at this moment."""
        return [evaluated_weights(tensors_of(self.model), self.model)]

    def squares(self) -> list[Mapping[str, Tensor]]:
        """Return what the optimiser remembers of squared gradients."""
        found = self._updates.squares()
        names = [name for name, parameter in self.model.named_parameters() if parameter.requires_grad]
        return [dict(zip(names, found, strict=True))] if found else []

    def predict_dropped(self, inputs: Tensor, number: int) -> Tensor:
        """Return the logits [run, sample, class] of a pass with a single run."""
        forward, parts = self._forward, torch.split(inputs, EVAL_BATCH)
        with self._averages.in_place(), dropping(self.model):
            each = [forward(part, pass_step(number, batch)) for batch, part in enumerate(parts)]
        return torch.cat(each)[None]


def steps_per_epoch(samples: int, batch_size: int) -> int:
    """Return how many batches a pass has; a last batch of one single sample is left out.

    Examples:
        >>> steps_per_epoch(100, 32), steps_per_epoch(97, 32), steps_per_epoch(1, 32)
        (4, 3, 1)
    """
    return max(1, math.ceil(samples / batch_size) - (batch_size > 1 and samples % batch_size == 1))


def evaluated(trained: Sequence[Tensor], model: nn.Module) -> list[Tensor]:
    """Return what changes in training and decides predictions: parameters and floating-point buffers."""
    return [*trained, *(value for value in model.buffers() if value.is_floating_point())]


def changing(parameters: Iterable[Tensor], model: nn.Module) -> list[Tensor]:
    """Return all that a training changes, in a fixed order: parameters that are not frozen, and buffers."""
    return [*(one for one in parameters if one.requires_grad), *model.buffers()]


def state_of(changed: Sequence[Tensor], updates: Updates, averages: Averages) -> dict[str, Tensor]:
    """Return what later steps depend on, by name; no copies."""
    state = numbered(MODEL, changed)
    return state | prefixed(OPTIMIZER, updates.state()) | prefixed(AVERAGES, averages.state())


class Updates:
    """Clipping, schedule and optimiser step, for the parameters of one or several runs whose gradients are there.

    Args:
        recipe: Says what to do.
        parameters: Of several runs: each parameter's first axis is divisible by ``runs``, run by run.
        total: Steps of the whole training.
        epoch: Steps of an epoch.
        runs: How many runs the parameters hold; each has its gradient clipped by its own norm.
        direct: Call torch's kernels directly, where the device has them; all parameters must have gradients.
    """

    def __init__(
        self,
        recipe: Recipe,
        parameters: list[nn.Parameter],
        total: int,
        epoch: int,
        runs: int = 1,
        *,
        direct: bool = False,
    ) -> None:
        self._recipe, self._parameters, self._runs = recipe, parameters, runs
        self._total, self._epoch = total, epoch
        has_kernels = all(value.is_floating_point() and value.device.type in ("cpu", "cuda") for value in parameters)
        config = recipe.optimizer
        self._optimizer: FusedOptimizer | TorchOptimizer = (
            FusedOptimizer(config, parameters)
            if direct and has_kernels
            else TorchOptimizer(config, parameters, fused=has_kernels)
        )

    def make(self, number: int) -> None:
        """Make step ``number`` (from 0) down the gradients."""
        config = self._recipe.optimizer
        if config.clip_norm is not None:
            self._clip(config.clip_norm)
        self._optimizer.step(config.lr * lr_factor(self._recipe.schedule, number, self._total, self._epoch))

    def state(self) -> dict[str, Tensor]:
        """Return what the optimiser remembers, by name; no copies."""
        return self._optimizer.state()

    def squares(self) -> list[Tensor]:
        """Return what the optimiser remembers of squared gradients, one for each parameter, or none; no copies."""
        return self._optimizer.squares()

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned."""
        self._optimizer.resume(state)

    def _clip(self, most: float) -> None:
        if self._runs == 1:
            nn.utils.clip_grad_norm_(self._parameters, most)
            return
        factors = (most / (gradient_norms(self._parameters, self._runs) + 1e-6)).clamp(max=1.0)
        for parameter in self._parameters:
            if parameter.grad is not None:
                parameter.grad.view(self._runs, -1).mul_(factors[:, None])


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
    """Accept a model that turns two samples into two rows of logits, and methods that go with the number of classes.

    Raises:
        ModelError: The model's forward pass raises, or returns something else.
        RecipeError: A method does not go with the number of classes, or initial weights not with the model.
    """
    for method in training.recipe.mitigations:
        method.check_classes(training.data.num_classes)
    name, model, inputs = training.recipe.model.name, training.model, training.data.inputs[:2]
    try:
        logits = predict(model, inputs)
    except (Exception, SystemExit) as error:  # foreign code may raise anything; the cause stays attached
        raise ModelError(
            f"model {name!r} cannot take inputs of shape {tuple(inputs.shape)}: {type(error).__name__}: {error}"
        ) from error
    if logits.shape != (len(inputs), training.data.num_classes):
        raise ModelError(
            f"model {name!r} returned shape {tuple(logits.shape)} for {len(inputs)} samples; it must return logits "
            f"of shape [sample, class] with {training.data.num_classes} classes."
        )
