"""The determinism probe: the same seed twice must agree, two seeds must differ."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import torch
from torch import Tensor

from reseed._arguments import setting
from reseed._errors import DeterminismError
from reseed.models import AbstractArchitecture
from reseed.training._loop import Training
from reseed.training._recipe import Recipe
from reseed.training._record import predict
from reseed.training._seeds import SeedPlan, Seeds, Stream
from reseed.training._training_set import TrainingSet

_STEPS = 2


def probe_determinism(recipe: Recipe, architecture: AbstractArchitecture, data: TrainingSet, plan: SeedPlan) -> None:
    """Make two steps of run 0 twice and of run 1 once, and compare every tensor on the way.

    Raises:
        DeterminismError: Run 0 is not the same twice, naming the first tensor that differs; or runs 0 and 1 are
            equal although their seeds differ.
    """

    def trace(seeds: Seeds) -> Iterator[tuple[str, Tensor]]:
        # Teachers train as any run does, and what they say is the same for both: the probe goes without.
        training = Training(recipe.bare, architecture, data, seeds, bootstrap=plan.bootstrap)
        yield from _trace(training)

    differing = _first_difference(trace(plan.seeds(0)), trace(plan.seeds(0)))
    if differing is not None:
        raise DeterminismError(
            f"the same seed twice gave two different trainings; the first tensor that differs is {differing}. "
            "Something draws random numbers that no seed stream controls, or computes without a fixed order (a model "
            f"factory with its own generator, a kernel on a GPU without {setting('deterministic', True)}): fix that, "
            f"or skip this check with {setting('probe', False)} and accept that the study cannot be reproduced."
        )
    if _first_difference(trace(plan.seeds(0)), trace(plan.seeds(1))) is None:
        raise DeterminismError(
            f"two different seeds gave the same training: this recipe makes no use of what varies "
            f"({', '.join(sorted(plan.vary))}). Vary init or order, or turn on dropout or augmentation."
        )


def makes_use_of(
    stream: Stream, recipe: Recipe, architecture: AbstractArchitecture, data: TrainingSet, base: int = 0
) -> bool:
    """Whether the first two steps of a training change with the seed of one stream.

    Args:
        stream: The only stream that differs.
        recipe: What to train.
        architecture: The factory that the recipe names.
        data: The training set.
        base: The base seed.
    """
    plan = SeedPlan(base, frozenset({stream}))
    traces = (_trace(Training(recipe.bare, architecture, data, plan.seeds(run), stream == "data")) for run in (0, 1))
    return _first_difference(*traces) is not None


def _trace(training: Training) -> Iterator[tuple[str, Tensor]]:
    """Yield every tensor of the first steps with a name that a user understands."""
    model = training.model
    for name, parameter in model.named_parameters():
        yield f"the initial value of parameter {name!r}", parameter.detach().clone()
    for step in islice(training.steps(), _STEPS):
        at = f"at step {step.number}"
        yield f"the batch's rows {at}", step.rows
        yield f"the inputs after augmentation {at}", step.inputs
        yield f"the logits {at}", step.logits
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                yield f"the gradient of parameter {name!r} {at}", parameter.grad.clone()
        for name, tensor in model.state_dict().items():
            yield f"the value of {name!r} after the update {at}", tensor.clone()
        yield f"the predictions {at}", predict(model, step.inputs)


def _first_difference(first: Iterator[tuple[str, Tensor]], second: Iterator[tuple[str, Tensor]]) -> str | None:
    """Return the name of the first tensor that differs; NaN equals NaN, divergence is not this probe's matter."""
    for (name, left), (_, right) in zip(first, second, strict=True):
        if left.shape != right.shape or not torch.equal(left.nan_to_num(), right.nan_to_num()):
            return name
    return None
