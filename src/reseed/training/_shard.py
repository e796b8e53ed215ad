"""Some of a program's runs, with all that they need to step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import final

import numpy as np
import torch
from torch import Tensor

from reseed.training._augment import augment
from reseed.training._average import Averages, lent
from reseed.training._evaluated import EvaluatedWeights, evaluated_weights
from reseed.training._loop import AbstractTraining, Updates, changing, evaluated, state_of
from reseed.training._monitor import Signals, gradient_norms, signals_of
from reseed.training._objective import Objective, Taught, displaced
from reseed.training._passes import dropping, pass_step
from reseed.training._record import EVAL_BATCH, predict, rows_at_once
from reseed.training._seeds import Seeds
from reseed.training._snapshot import AVERAGES, MODEL, OPTIMIZER, below, fill
from reseed.training._stack import AbstractStack
from reseed.training._stacked_mlp import StackedMlp
from reseed.training._statistics import refresh_statistics
from reseed.training._step import Step

_PREDICT_ROWS = 8192


@final
class Shard:
    """Consecutive runs of a program that step together; shards have nothing but the data in common.

    So each may step in a thread of its own, and none computes anything else for that.

    Args:
        training: What to do, and with which data.
        stack: The runs' models, freshly drawn, on the device of the data.
        runs: Their places among the runs of the program.
        seeds: Their words.
        taught: What teachers say of the training set to these runs.
        bootstrap: Whether each run trains on its own resample of the training set.
        begun: What `state` of the same runs returned, to go on from.
    """

    def __init__(
        self,
        training: AbstractTraining,
        stack: AbstractStack,
        runs: slice,
        seeds: Sequence[Seeds],
        taught: Taught = (),
        bootstrap: bool = False,
        begun: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.stack, self.runs = stack.train(), runs
        self._training, self._count = training, len(seeds)
        self._words, self._seeds, self._bootstrap = [own.augment for own in seeds], seeds, bootstrap
        recipe, is_native = training.recipe, training.architecture.is_native
        peers = 1 if recipe.peers is None else recipe.peers.count
        total = training.total_steps
        self._objective = Objective(recipe.mitigations, training.data, self._words, total, taught, peers)
        self._updates = Updates(recipe, stack.trained, total, training.steps_per_epoch, self._count, direct=is_native)
        self._averages = Averages(recipe.average, evaluated(stack.trained, stack), total, self._refresh)
        if begun is not None:
            fill(changing(stack.trained, stack), below(MODEL, begun))
            self._updates.resume(below(OPTIMIZER, begun))
            self._averages.resume(below(AVERAGES, begun))
        # The same memory for every batch: the system would hand out fresh pages for each, which takes longer than
        # filling them.
        self._memory = training.data.inputs.new_empty(0)

    def state(self) -> dict[str, Tensor]:
        """Return what later steps depend on, by name; no copies."""
        return state_of(changing(self.stack.trained, self.stack), self._updates, self._averages)

    def step(self, number: int, rows: Tensor) -> Step:
        """Make step ``number`` (from 0) with the rows [run, sample] of the program's runs.

        What it says of inputs is valid until the next step.
        """
        data, rows = self._training.data, rows[self.runs]
        flat = rows.flatten()
        inputs = augment(self._batch(flat), self._training.recipe.augment, self._words, number)
        batch, loss = self._objective.begin(number, rows, inputs.view(*rows.shape, *data.input_shape))
        with self._training.mixed():
            logits, losses = self.stack.learn(batch, loss, number)
            if moves := self._objective.ascent(self.stack.trained, self._count):
                with displaced(moves, self.stack):
                    self.stack.learn(batch, loss, number)
        norms = gradient_norms(self.stack.trained, self._count) if self._training.monitor else None
        self._updates.make(number)
        self._averages.update(number + 1)
        return Step(number + 1, rows, batch.flatten(0, 1), logits, losses, norms)

    def advance(self, first: int, batches: Sequence[Tensor]) -> tuple[Tensor, Signals]:
        """Make steps from number ``first`` (from 0), one for each batch of rows.

        Returns:
            Losses [step, run], and what else is recorded of them.
        """
        losses, signals = [], []
        for number, rows in enumerate(batches, first):
            step = self.step(number, rows)
            losses.append(step.loss)
            signals.append(signals_of([step]))
        return torch.stack(losses), {name: torch.cat([one[name] for one in signals]) for name in signals[0]}

    def predict(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class] of inputs [sample, ...] in evaluation mode; see `AbstractTraining`."""
        most = _PREDICT_ROWS if self._training.architecture.is_native else EVAL_BATCH
        # Dense layers make no channels of an image, and each part has them read all weights of all runs.
        rows = most if isinstance(self.stack, StackedMlp) else rows_at_once(inputs, most)
        parts = torch.split(inputs, max(1, rows // self._count))
        with self._averages.in_place():
            each = [predict(self.stack, part.expand(self._count, *part.shape), self._count) for part in parts]
        return torch.cat(each, dim=1)

    def evaluated_weights(self) -> list[EvaluatedWeights]:
        """Return what each network is evaluated with."""
        with self._averages.in_place():
            return self.present_weights()

    def present_weights(self) -> list[EvaluatedWeights]:
        """Return what each network is at this moment."""
        model = self._training.example
        return [evaluated_weights(self.stack.state_of(number, model), model) for number in range(self._count)]

    def squares(self) -> list[Mapping[str, Tensor]]:
        """Return what the optimiser remembers of squared gradients, of each network."""
        found = self._updates.squares()
        if not found:
            return []
        trained = {name for name, one in self._training.example.named_parameters() if one.requires_grad}
        with lent(self.stack.trained, found):  # the stack knows which part of a parameter is whose
            each = self.present_weights()
        return [{name: tensor for name, tensor in one.own.items() if name in trained} for one in each]

    def predict_dropped(self, inputs: Tensor, number: int) -> Tensor:
        """Return the logits [run, sample, class] of a pass; see `AbstractTraining`."""
        each = []
        with self._averages.in_place(), dropping(self.stack):
            for batch, part in enumerate(torch.split(inputs, EVAL_BATCH)):  # whatever the runs: masks go by batch
                each.append(self.stack.dropped(part.expand(self._count, *part.shape), pass_step(number, batch)))
        return torch.cat(each, dim=1)

    def _refresh(self) -> None:
        data = self._training.data
        orders = np.stack([next(self._training.orders(own, self._bootstrap)) for own in self._seeds])
        batches = self._training.first_epoch(orders)
        refresh_statistics(self.stack, (data.inputs[rows] for rows in batches))

    def _batch(self, rows: Tensor) -> Tensor:
        inputs = self._training.data.inputs
        if len(self._memory) < len(rows):
            self._memory = inputs.new_empty(len(rows), *inputs.shape[1:])
        return torch.index_select(inputs, 0, rows, out=self._memory[: len(rows)])
