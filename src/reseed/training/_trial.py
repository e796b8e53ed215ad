"""Whether runs can be stacked: layers are looked at; of a model that reseed does not know, two runs are tried."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from reseed._errors import ModelError
from reseed.models import check_stackable
from reseed.training._loop import Training
from reseed.training._recipe import OptimizerConfig, ScheduleConfig
from reseed.training._stacked import StackedTraining

_STEPS, _ROWS = 2, 4
# Adam would blow up rounding: its first step follows the sign of a gradient, however small that is.
_OPTIMIZER = OptimizerConfig("sgd", lr=1e-3)


def check_can_stack(training: StackedTraining) -> None:
    """Accept a recipe whose runs can be trained as one program.

    Raises:
        ModelError: The model has a layer that cannot be stacked, or foreign code that cannot be mapped over runs; the
            message names the reason.
    """
    if training.architecture.is_native:
        check_stackable(training.draw(0))
    else:
        check_by_trial(training)


def check_by_trial(training: StackedTraining) -> None:
    """Accept foreign code that trains two runs as one program as it trains them one by one.

    Raises:
        ModelError: It cannot be mapped over runs, or does something else when it is; the message says what.
    """
    name = training.recipe.model.name
    recipe = replace(
        training.recipe,
        optimizer=_OPTIMIZER,
        schedule=ScheduleConfig(),
        steps=_STEPS,
        batch_size=min(_ROWS, training.recipe.batch_size),
        mitigations=(),
    )
    stack = replace(training, recipe=recipe, seeds=training.seeds[:2])
    traces = [
        _trace(Training(recipe, training.architecture, training.data, seeds, training.bootstrap), 1)
        for seeds in stack.seeds
    ]
    try:
        found = _trace(stack, len(stack.seeds))
    except (Exception, SystemExit) as error:  # foreign code may raise anything when mapped; the cause stays attached
        reason = (str(error) or type(error).__name__).splitlines()[0].rstrip(" .")
        raise ModelError(
            f"runs of model {name!r} cannot be stacked: {reason}. Choose the engine serial or processes."
        ) from error
    for what, together in found.items():
        if not _are_close(together, torch.cat([trace[what] for trace in traces])):
            raise ModelError(
                f"runs of model {name!r} cannot be stacked: {what} of two runs as one program are not those of the "
                "same runs one by one, so the model depends on more than its inputs, parameters and buffers. "
                "Choose the engine serial or processes."
            )


def _trace(training: StackedTraining | Training, runs: int) -> dict[str, Tensor]:
    """Train to the end and return what came of it by what it is, each [run, ...]."""
    trace = {
        f"the logits at step {step.number}": step.logits.view(runs, *step.logits.shape[-2:])
        for step in training.steps()
    }
    gradients = [parameter.grad for parameter in training.trained if parameter.grad is not None]
    trace["the gradients"] = torch.cat([gradient.reshape(runs, -1) for gradient in gradients], dim=1)
    trace["the predictions"] = training.predict(training.data.inputs[:_ROWS])
    return trace


def _are_close(one: Tensor, other: Tensor) -> bool:
    """Whether tensors are equal up to rounding, on the whole; what is not finite is not this check's matter."""
    tolerance = torch.finfo(other.dtype).eps ** 0.5
    one, other = one.nan_to_num(), other.nan_to_num()
    return one.shape == other.shape and bool((one - other).norm() <= tolerance * other.norm() + tolerance**2)
