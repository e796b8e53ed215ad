"""What a training is asked on samples of the training set that it leaves out."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from reseed.mitigations import fit_temperature
from reseed.training._loop import AbstractTraining
from reseed.training._seeds import Seeds
from reseed.training._training_set import TrainingSet


@dataclass(frozen=True)
class FittedTemperature:
    """The temperature that a training says on samples which it left out, and what it cost.

    Attributes:
        temperature: See `reseed.mitigations.fit_temperature`; None where the training diverged.
        steps: Optimisation steps.
        samples_seen: Training samples, as often as they were seen.
        forward_passes: Samples that were predicted.
    """

    temperature: float | None
    steps: int
    samples_seen: int
    forward_passes: int


def held_out_rows(samples: int, share: float, seeds: Seeds) -> tuple[Tensor, Tensor]:
    """Return which rows of a training set are held out, and the others: a random order's first and last ones.

    Args:
        samples: How many there are.
        share: Share of them that is held out.
        seeds: The words of the training that leaves them out; its order stream decides.
    """
    order = torch.from_numpy(seeds.generator("order", 0).permutation(samples))
    held = round(share * samples)
    return order[:held], order[held:]


def part_of(data: TrainingSet, rows: Tensor) -> TrainingSet:
    """Return some rows of a training set."""
    rows = rows.to(data.labels.device)
    return replace(data, inputs=data.inputs[rows], labels=data.labels[rows])


def temperature_of(training: AbstractTraining, held: TrainingSet) -> FittedTemperature:
    """Train a single run to its end and fit a temperature to its logits.

    Args:
        training: Not begun.
        held: Samples that it leaves out.
    """
    (block,) = training.blocks([training.total_steps])
    logits = training.predict(held.inputs)[0]
    has_ended_well = bool(torch.isfinite(logits).all())
    temperature = fit_temperature(logits, held.labels) if has_ended_well else None
    asked = len(held.labels) + training.refreshed(training.total_steps)
    return FittedTemperature(temperature, training.total_steps, block.samples, asked)
