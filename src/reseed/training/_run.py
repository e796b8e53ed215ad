"""Running trainings to their end while recording them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import groupby

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed._choices import Level
from reseed.training._loop import AbstractTraining, Block
from reseed.training._monitor import Signals
from reseed.training._passes import DropoutPasses
from reseed.training._record import Sink, prediction_arrays

DROPOUT = "dropout"
"""Where dropout passes are recorded, in place of a split's name; once, as checkpoint 0."""


@dataclass(frozen=True, eq=False)
class RecordedSplit:
    """A split whose predictions are recorded: inputs [sample, ...] and targets [sample], -1 where unknown."""

    name: str
    inputs: Tensor
    targets: NDArray[np.integer]


@dataclass(frozen=True)
class TrainingOutcome:
    """How a run ended, and what it cost.

    Attributes:
        diverged_at: The step whose loss or predictions were first not finite; None for a run that finished.
        accuracy: Share of correct labels on the first recorded split's known targets; NaN if there are none.
        steps: Optimisation steps made.
        samples_seen: Training samples, counted as often as they were seen.
        forward_passes: Samples predicted for recording, and passed forward for the batch-norm statistics of averaged
            weights; those of the training itself are ``samples_seen``.
    """

    diverged_at: int | None
    accuracy: float
    steps: int
    samples_seen: int
    forward_passes: int


def run_training(
    training: AbstractTraining,
    checkpoints: tuple[int, ...],
    splits: tuple[RecordedSplit, ...],
    level: Level,
    sinks: Sequence[Sink],
    dropout_passes: int = 0,
    *,
    weights: Collection[int] = (),
    until: int | None = None,
) -> list[TrainingOutcome]:
    """Train to the end, recording each split of each run at each checkpoint.

    Recording runs the models in evaluation mode and draws no random numbers, so the trajectory is bit for bit that of
    an unrecorded training, monitored or not. A run whose loss or predictions stop being finite ends there; its
    neighbours go on.

    Args:
        training: One or several runs.
        checkpoints: Steps after which to record, see `RecordConfig.checkpoints`.
        splits: What to predict; the first is the evaluation split.
        level: What to keep.
        sinks: Where it goes, one for each run.
        dropout_passes: How often to predict the first split at the end with dropout on, see `RecordConfig`.
        weights: Those of the checkpoints after which sinks get the weights as well.
        until: A checkpoint after which the training stands still; default: its end.

    Returns:
        One outcome for each run.
    """
    ledger, last = _Outcomes(len(sinks)), dict[int, NDArray[np.integer]]()
    marks = {step: index for index, step in enumerate(checkpoints)}
    signals: list[Signals] = []
    stops = [stop for stop in _stops(training, checkpoints) if until is None or stop <= until]
    for number, block in zip(stops, training.blocks(stops), strict=True):
        ledger.count(number, block)
        if training.monitor:
            signals.append(block.signals)
        ledger.mark_diverged(block.losses, number)
        for split in splits if number in marks and ledger.live else ():
            refreshed = training.refreshed(number) if split is splits[0] else 0
            logits, silent = training.answers(split.inputs)
            for run in ledger.live:
                ledger.forward_passes[run] += len(split.targets) + refreshed
                if not bool(torch.isfinite(logits[run]).all()):
                    ledger.diverged_at[run] = number
                    continue
                arrays = prediction_arrays(logits[run], split.targets, level)
                if silent is not None:
                    arrays["abstains"] = silent[run].numpy()
                sinks[run].write(split.name, marks[number], arrays)
                if split is splits[0]:
                    last[run] = arrays["labels"]
                if split is splits[0] and (known := split.targets >= 0).any():
                    ledger.accuracy[run] = float((arrays["labels"] == split.targets)[known].mean())
        if number in weights and ledger.live:
            _hand_out(training, number, sinks, ledger.live)
        if not ledger.live:
            break
    if dropout_passes:
        _record_passes(training, splits[0], dropout_passes, {run: last[run] for run in ledger.live}, sinks, ledger)
    if training.monitor:
        whole = {name: torch.cat([one[name] for one in signals]).cpu().numpy() for name in signals[0]}
        for run, sink in enumerate(sinks):
            sink.write_steps({name: values[:, run] for name, values in whole.items()})
    return ledger.outcomes()


def _stops(training: AbstractTraining, checkpoints: Sequence[int]) -> Iterator[int]:
    """Yield where to look at a training, in rising order: at checkpoints, at the end of each epoch and of all.

    Looking at every loss would wait for the device at every step; once an epoch is soon enough.
    """
    total, epoch = training.total_steps, training.steps_per_epoch
    for step, _ in groupby(merge(checkpoints, range(epoch, total, epoch), (total,))):
        yield step


def _hand_out(training: AbstractTraining, step: int, sinks: Sequence[Sink], live: Sequence[int]) -> None:
    """Give the sinks of the runs that have not diverged what these are evaluated with."""
    networks = training.evaluated_weights()
    members = len(networks) // len(sinks)
    for run in live:
        sinks[run].write_weights(step, networks[run * members : (run + 1) * members])


def _record_passes(
    training: AbstractTraining,
    split: RecordedSplit,
    passes: int,
    labels: Mapping[int, NDArray[np.integer]],
    sinks: Sequence[Sink],
    ledger: _Outcomes,
) -> None:
    """Record the dropout passes of the runs that finished, whose last labels are given."""
    found = {run: DropoutPasses(own) for run, own in labels.items()}
    for number in range(passes if found else 0):
        logits = training.predict_dropped(split.inputs, number)
        for run, own in found.items():
            own.add(logits[run])
            ledger.forward_passes[run] += len(split.targets)
    for run, own in found.items():
        sinks[run].write(DROPOUT, 0, own.arrays())


class _Outcomes:
    """What is known so far of each run."""

    def __init__(self, runs: int) -> None:
        self.diverged_at: list[int | None] = [None] * runs
        self.accuracy = [float("nan")] * runs
        self.steps, self.samples_seen, self.forward_passes = [0] * runs, [0] * runs, [0] * runs

    @property
    def live(self) -> list[int]:
        """The runs that have not diverged."""
        return [run for run, step in enumerate(self.diverged_at) if step is None]

    def count(self, number: int, block: Block) -> None:
        """Take what was done up to step ``number``."""
        for run in self.live:
            self.steps[run] = number
            self.samples_seen[run] += block.samples

    def mark_diverged(self, losses: Tensor, number: int) -> None:
        """Take the losses [step, run] of the steps up to ``number``."""
        finite = torch.isfinite(losses).cpu()
        for run in self.live:
            if not bool(finite[:, run].all()):
                self.diverged_at[run] = number - len(finite) + 1 + int((~finite[:, run]).nonzero()[0])

    def outcomes(self) -> list[TrainingOutcome]:
        return [
            TrainingOutcome(
                step, float("nan") if step is not None else accuracy, *(counts[run] for counts in self._counts)
            )
            for run, (step, accuracy) in enumerate(zip(self.diverged_at, self.accuracy, strict=True))
        ]

    @property
    def _counts(self) -> tuple[list[int], list[int], list[int]]:
        return self.steps, self.samples_seen, self.forward_passes
