"""Running one training to its end while recording it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed.training._loop import Training
from reseed.training._record import Level, Sink, predict, prediction_arrays


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
        forward_passes: Samples predicted for recording.
    """

    diverged_at: int | None
    accuracy: float
    steps: int
    samples_seen: int
    forward_passes: int


def run_training(
    training: Training,
    checkpoints: tuple[int, ...],
    splits: tuple[RecordedSplit, ...],
    level: Level,
    sink: Sink,
) -> TrainingOutcome:
    """Train to the end, recording each split at each checkpoint.

    Recording runs the model in evaluation mode and draws no random numbers, so the trajectory is bit for bit
    that of an unrecorded run. A run whose loss or predictions stop being finite ends there.

    Args:
        training: The run.
        checkpoints: Steps after which to record, see `RecordConfig.checkpoints`.
        splits: What to predict; the first is the evaluation split.
        level: What to keep.
        sink: Where it goes.
    """
    losses: list[Tensor] = []
    samples_seen = forward_passes = number = 0
    accuracy = float("nan")
    marks = {step: index for index, step in enumerate(checkpoints)}
    for step in training.steps():
        number = step.number
        samples_seen += len(step.rows)
        losses.append(step.loss)
        is_mark = number in marks
        # Looking at every loss would wait for the device at every step; once an epoch is soon enough.
        if not is_mark and number % training.steps_per_epoch and number != training.total_steps:
            continue
        bad = _first_not_finite(losses)
        if bad is not None:
            diverged = number - len(losses) + 1 + bad
            return TrainingOutcome(diverged, float("nan"), number, samples_seen, forward_passes)
        losses.clear()
        if not is_mark:
            continue
        for split in splits:
            logits = predict(training.model, split.inputs)
            forward_passes += len(logits)
            if not bool(torch.isfinite(logits).all()):
                return TrainingOutcome(number, float("nan"), number, samples_seen, forward_passes)
            arrays = prediction_arrays(logits, split.targets, level)
            sink.write(split.name, marks[number], arrays)
            if split is splits[0] and (known := split.targets >= 0).any():
                accuracy = float((arrays["labels"] == split.targets)[known].mean())
    return TrainingOutcome(None, accuracy, number, samples_seen, forward_passes)


def _first_not_finite(losses: list[Tensor]) -> int | None:
    finite = torch.isfinite(torch.stack(losses))
    return None if bool(finite.all()) else int((~finite).nonzero()[0])
