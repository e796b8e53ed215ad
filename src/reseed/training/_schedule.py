"""Learning-rate schedules as pure functions of the step."""

from __future__ import annotations

import math

from reseed.training._recipe import ScheduleConfig


def lr_factor(schedule: ScheduleConfig, step: int, total: int) -> float:
    """Return the factor on the peak learning rate at ``step`` of ``total``.

    With w = round(warmup * total) warm-up steps the factor is (step + 1) / w before step w. After it, with
    u = (step - w) / (total - w): 1 (constant), or floor + (1 - floor) f(u) with f(u) = (1 + cos(pi u)) / 2 (cosine) or
    1 - u (linear).

    Args:
        schedule: Name, warm-up share and floor.
        step: The step about to be made, 0 <= step < total.
        total: All steps of the training.

    Returns:
        A factor in (0, 1].

    Examples:
        >>> [lr_factor(ScheduleConfig("linear", warmup=0.5), step, 4) for step in range(4)]
        [0.5, 1.0, 1.0, 0.5]
    """
    warmup = round(schedule.warmup * total)
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / (total - warmup)
    match schedule.name:
        case "constant":
            return 1.0
        case "cosine":
            left = (1.0 + math.cos(math.pi * progress)) / 2.0
        case "linear":
            left = 1.0 - progress
    return schedule.floor + (1.0 - schedule.floor) * left
