"""How long a training may be, and how much of it may be recorded."""

from __future__ import annotations

from reseed._bounds import check_bound
from reseed._errors import RecipeError
from reseed.training._loop import AbstractTraining
from reseed.training._record import RecordConfig
from reseed.training._track import tracker_of


def check_length(training: AbstractTraining, record: RecordConfig) -> None:
    """Accept a training that ends within a lifetime and whose record can be held.

    Args:
        training: Not begun.
        record: What is recorded of it.

    Raises:
        RecipeError: It has too many steps or checkpoints; the message says the number and the bound.
    """
    recipe, total, epoch = training.recipe, training.total_steps, training.steps_per_epoch
    made_of = "" if recipe.steps else f" ({recipe.epochs:,} epochs of {epoch:,} steps)"
    check_bound("steps", total, "steps of a training", RecipeError, why=made_of)
    if record.monitor:
        check_bound("monitored steps", total, "steps that are monitored", RecipeError, why=made_of)
    tracker = tracker_of(record.track)
    if tracker is not None:
        check_bound("checkpoints", total // tracker.every + 2, "measurements of a run", RecipeError, why=made_of)
    record.checkpoints(total, epoch)
