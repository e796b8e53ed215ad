"""How long runs take on this machine: a few steps and predictions of them are timed."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from itertools import islice, repeat
from typing import TYPE_CHECKING

from reseed.training import AbstractTraining, StackedTraining, Training

if TYPE_CHECKING:
    from reseed.studies._train_run import TrainRun

_MOST_S, _LONG_S, _MOST_STEPS = 0.2, 1.0, 10
_ROWS, _PREDICTIONS = 512, 2


def seconds_of_a_run(task: TrainRun, stacked: int | None = None) -> float:
    """Return roughly how many seconds of one core a run takes, its teachers and what is predicted of it included.

    The processor's time is taken and not the clock's: what else the machine does shall not count. Nothing is written,
    and no run knows of it. It takes a few tenths of a second, or a step and a prediction where these are longer.

    Args:
        task: Trains the runs, on a CPU.
        stacked: Runs of one program; None for a training by itself, whose layout is another one even for a single run.

    Returns:
        Seconds; NaN where the training fails, which is for the runs themselves to tell.
    """
    try:
        return _seconds(task, stacked)
    except (Exception, SystemExit):  # foreign code may raise anything
        return math.nan


def _seconds(task: TrainRun, stacked: int | None) -> float:
    (recipe, factory, data), plan, record = task.what(), task.plan, task.record
    runs = stacked or 1
    seeds = tuple(plan.seeds(run) for run in range(runs))
    training: AbstractTraining = (
        StackedTraining(recipe.bare, factory, data, seeds, plan.bootstrap)
        if stacked
        else Training(recipe.bare, factory, data, seeds[0], plan.bootstrap)
    )
    trainings = 1 if recipe.peers is None else recipe.peers.count
    trainings += sum(method.stage.teachers for method in recipe.mitigations if method.stage and not method.stage.shared)
    steps = training.total_steps
    _ = training.trained  # draws the models, once a run, which is not a step's time
    step = _each(islice(training.steps(), _MOST_STEPS))
    # No more rows than steps go through in the time that there is: large images are slow.
    rows = max(1, min(_ROWS, int(_MOST_S / max(step, 1e-9) * recipe.batch_size)))
    sample = data.inputs[:rows]
    prediction = _each(map(training.predict, repeat(sample, _PREDICTIONS)))
    marks = len(record.checkpoints(steps, training.steps_per_epoch))
    predicted = (marks + record.dropout_passes) * len(task.evaluation_targets)
    predicted += record.train * marks * len(task.train_labels)
    return (trainings * steps * step + predicted / len(sample) * prediction) / runs


def _each(work: Iterator[object]) -> float:
    """Return the seconds that an item takes.

    The first one makes what the others find, and counts only where it is alone or took long, after which none follows.
    """
    start = time.process_time()
    next(work)
    warm = last = time.process_time()
    made = 0
    while warm - start < _LONG_S and last - warm < _MOST_S and next(work, None) is not None:
        made, last = made + 1, time.process_time()
    return (last - warm) / made if made else warm - start
