"""Running trainings to their end while recording them."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
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
from reseed.training._record import Scaling, Sink, prediction_arrays
from reseed.training._snapshot import below, prefixed
from reseed.training._track import STEP, Tracker
from reseed.training._watch import Marks, Moment, Standing, Watcher

DROPOUT = "dropout"
"""Where dropout passes are recorded, in place of a split's name; once, as checkpoint 0."""
TRACKED = "tracked"
"""Where what a lens measures along the training is recorded, in place of a split's name; a number has one sample."""
_COUNTED = ("diverged_at", "steps", "samples_seen", "forward_passes")
_SIGNALS = "signals."


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
    watcher: Watcher | None = None,
    standing: Standing | None = None,
    scaling: Scaling | None = None,
    tracker: Tracker | None = None,
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
        watcher: Looks on; nothing else changes.
        standing: Where the same training stood that this one goes on from, as it was ``begun``; sinks have got what it
            had recorded.
        scaling: How recorded probabilities are scaled; nothing else changes.
        tracker: Measures the networks along the training; nothing else changes.

    Returns:
        One outcome for each run.
    """
    known = _Known(len(sinks))
    if standing is not None:
        known.resume(standing, training.data.labels.device)
    tracked = () if tracker is None else _tracked(training, tracker)
    every = sorted({*_stops(training, checkpoints), *tracked})
    stops = [stop for stop in every if training.made < stop <= (until or training.total_steps)]
    if tracker is not None and training.made == 0:
        _track(training, tracker, 0, 0, sinks, known.live)
    marks = Marks(training.made, stops, is_watched=watcher is not None)
    for block in training.blocks(marks):
        known.take(block)
        marks.reached()
        number = marks.number
        if number in stops:
            known.count(number)
            if number in checkpoints:
                _record(training, number, checkpoints.index(number), splits, level, scaling, sinks, known)
            if tracker is not None and number in tracked and known.live:
                _track(training, tracker, number, tracked.index(number), sinks, known.live)
            if number in weights and known.live:
                _hand_out(training, number, sinks, known.live)
            if not known.live:
                break
        if watcher is not None:
            watcher.look(known.moment(training, number), partial(known.standing, training, number))
    if dropout_passes:
        _record_passes(training, splits[0], dropout_passes, scaling, sinks, known)
    if training.monitor:
        whole = {name: values.cpu().numpy() for name, values in known.signals.items()}
        for run, sink in enumerate(sinks):
            sink.write_steps({name: values[:, run] for name, values in whole.items()})
    return known.outcomes()


def _record(
    training: AbstractTraining,
    number: int,
    checkpoint: int,
    splits: Sequence[RecordedSplit],
    level: Level,
    scaling: Scaling | None,
    sinks: Sequence[Sink],
    known: _Known,
) -> None:
    """Record what the runs that have not diverged predict after step ``number``."""
    for split in splits if known.live else ():
        is_first = split is splits[0]
        refreshed = training.refreshed(number) if is_first else 0
        logits, silent = training.answers(split.inputs)
        for run in known.live:
            known.forward_passes[run] += len(split.targets) + refreshed
            if not bool(torch.isfinite(logits[run]).all()):
                known.diverged_at[run] = number
                continue
            arrays = prediction_arrays(logits[run], split.targets, level, scaling)
            if silent is not None:
                arrays["abstains"] = silent[run].numpy()
            sinks[run].write(split.name, checkpoint, arrays)
            if is_first:
                known.labels[run] = arrays["labels"]
            if is_first and (targets := split.targets >= 0).any():
                known.accuracy[run] = float((arrays["labels"] == split.targets)[targets].mean())


def _stops(training: AbstractTraining, checkpoints: Sequence[int]) -> Iterator[int]:
    """Yield where to look at a training, in rising order: at checkpoints, at the end of each epoch and of all.

    Looking at every loss would wait for the device at every step; once an epoch is soon enough.
    """
    total, epoch = training.total_steps, training.steps_per_epoch
    for step, _ in groupby(merge(checkpoints, range(epoch, total, epoch), (total,))):
        yield step


def _tracked(training: AbstractTraining, tracker: Tracker) -> tuple[int, ...]:
    """Return after which steps a training is measured."""
    total = training.total_steps
    return (*range(0, total, tracker.every), total)


def _track(
    training: AbstractTraining, tracker: Tracker, step: int, place: int, sinks: Sequence[Sink], live: Sequence[int]
) -> None:
    """Give the sinks of the runs that have not diverged what is measured of them."""
    found = tracker.measure(training.stand(step))
    for run in live:
        numbers = {name: np.asarray(values[run : run + 1], np.float64) for name, values in found.items()}
        sinks[run].write(TRACKED, place, {STEP: np.array([step], np.float64), **numbers})


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
    scaling: Scaling | None,
    sinks: Sequence[Sink],
    known: _Known,
) -> None:
    """Record the dropout passes of the runs that finished, whose last labels are known."""
    found = {run: DropoutPasses(known.labels[run], scaling) for run in known.live}
    for number in range(passes if found else 0):
        logits = training.predict_dropped(split.inputs, number)
        for run, own in found.items():
            own.add(logits[run])
            known.forward_passes[run] += len(split.targets)
    for run, own in found.items():
        sinks[run].write(DROPOUT, 0, own.arrays())


class _Known:
    """What is known so far of each run, and of the steps since the last stop.

    Args:
        runs: How many there are.
    """

    def __init__(self, runs: int) -> None:
        self.diverged_at: list[int | None] = [None] * runs
        self.accuracy = [math.nan] * runs
        self.steps, self.samples_seen, self.forward_passes = [0] * runs, [0] * runs, [0] * runs
        self.labels: dict[int, NDArray[np.integer]] = {}
        self._blocks: list[Block] = []
        self._signals: list[Signals] = []

    @property
    def live(self) -> list[int]:
        """The runs that have not diverged."""
        return [run for run, step in enumerate(self.diverged_at) if step is None]

    @property
    def signals(self) -> Signals:
        """What a training that monitors says of every step, [step, run]."""
        return _joined(self._signals)

    def take(self, block: Block) -> None:
        """Take what was done; this waits for the device."""
        self._blocks.append(block._replace(losses=block.losses.cpu()))
        self._signals.append(block.signals)

    def count(self, number: int) -> None:
        """Count what was taken up to step ``number``, and mark the runs whose losses are not finite."""
        losses = torch.cat([block.losses for block in self._blocks])
        finite = torch.isfinite(losses)
        for run in self.live:
            self.steps[run] = number
            self.samples_seen[run] += sum(block.samples for block in self._blocks)
            if not bool(finite[:, run].all()):
                self.diverged_at[run] = number - len(finite) + 1 + int((~finite[:, run]).nonzero()[0])
        self._blocks = []

    def moment(self, training: AbstractTraining, number: int) -> Moment:
        """Return how far a training is."""
        accuracies = tuple(self.accuracy[run] for run in self.live)
        return Moment(number, training.total_steps, training.steps_per_epoch, accuracies)

    def standing(self, training: AbstractTraining, number: int) -> Standing:
        """Return where a training stands after step ``number``."""
        pending = {"losses": torch.cat([block.losses for block in self._blocks])} if self._blocks else {}
        outcomes = {
            **{name: list(getattr(self, name)) for name in _COUNTED},
            "accuracy": [None if math.isnan(value) else value for value in self.accuracy],
            "samples": sum(block.samples for block in self._blocks),
        }
        return Standing(training.snapshot(number), pending | prefixed(_SIGNALS, self.signals), outcomes)

    def resume(self, standing: Standing, device: torch.device) -> None:
        """Go on from what `standing` returned."""
        for name in _COUNTED:
            setattr(self, name, list(standing.outcomes[name]))
        self.accuracy = [math.nan if value is None else value for value in standing.outcomes["accuracy"]]
        if "losses" in standing.pending:
            self._blocks = [Block(standing.outcomes["samples"], standing.pending["losses"], {})]
        if signals := below(_SIGNALS, standing.pending):
            self._signals = [{name: values.to(device) for name, values in signals.items()}]

    def outcomes(self) -> list[TrainingOutcome]:
        """Return how the runs ended."""
        return [
            TrainingOutcome(
                self.diverged_at[run],
                math.nan if self.diverged_at[run] is not None else self.accuracy[run],
                self.steps[run],
                self.samples_seen[run],
                self.forward_passes[run],
            )
            for run in range(len(self.steps))
        ]


def _joined(signals: Sequence[Signals]) -> Signals:
    return {name: torch.cat([one[name] for one in signals]) for name in (signals[0] if signals else ())}
