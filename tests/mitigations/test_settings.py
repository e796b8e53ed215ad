"""Methods that are settings of a recipe: which fields they set, and what the training then does."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from tests.mitigations.conftest import MLP, PLAN
from torch import nn

from reseed._errors import RecipeError
from reseed.mitigations import (
    AbstractMitigation,
    CosineDecay,
    Dropout,
    Ema,
    GradientClipping,
    InitScale,
    LargerBatch,
    LearningRate,
    LinearDecay,
    Swa,
    Warmup,
    WeightDecay,
)
from reseed.models import ModelConfig, architecture
from reseed.training import OptimizerConfig, Recipe, ScheduleConfig, StackedTraining, Training, lr_factor, mitigated
from reseed.training._loop import Updates

CONTROL = Recipe(model=MLP, batch_size=8)
SGD, ADAM = OptimizerConfig("sgd", 0.1), OptimizerConfig("adam", 0.1)
SGDW, ADAMW = replace(SGD, name="sgdw"), replace(ADAM, name="adamw")


@pytest.mark.parametrize(
    ("method", "control", "expected"),
    [
        (WeightDecay(0.2), {"optimizer": ADAM}, {"optimizer": replace(ADAM, weight_decay=0.2)}),
        (WeightDecay(0.2), {"optimizer": ADAMW}, {"optimizer": replace(ADAM, weight_decay=0.2)}),
        (WeightDecay(0.2), {"optimizer": SGDW}, {"optimizer": replace(SGD, weight_decay=0.2)}),
        (WeightDecay(0.2, decoupled=True), {"optimizer": ADAM}, {"optimizer": replace(ADAMW, weight_decay=0.2)}),
        (WeightDecay(0.2, decoupled=True), {"optimizer": SGD}, {"optimizer": replace(SGDW, weight_decay=0.2)}),
        (GradientClipping(0.5), {"optimizer": SGD}, {"optimizer": replace(SGD, clip_norm=0.5)}),
        (InitScale(0.5), {"model": replace(MLP, init_scale=0.6)}, {"model": replace(MLP, init_scale=0.3)}),
        (
            LearningRate(2.0),
            {"optimizer": CONTROL.optimizer},
            {"optimizer": replace(CONTROL.optimizer, lr=2 * CONTROL.optimizer.lr)},
        ),
        (Dropout(0.7), {"model": MLP}, {"model": replace(MLP, dropout=0.7)}),
        (CosineDecay(0.75), {}, {"schedule": ScheduleConfig("cosine", floor=0.25)}),
        (LinearDecay(), {"schedule": ScheduleConfig("cosine", 0.1)}, {"schedule": ScheduleConfig("linear", 0.1)}),
        (Warmup(0.2), {"schedule": ScheduleConfig("cosine")}, {"schedule": ScheduleConfig("cosine", 0.2)}),
        (LargerBatch(3), {"batch_size": 5}, {"batch_size": 15}),
        (LargerBatch(3), {"batch_size": 5, "steps": 31}, {"batch_size": 15, "steps": 10}),
        (
            LargerBatch(4, "linear"),
            {"batch_size": 5, "optimizer": SGD},
            {"batch_size": 20, "optimizer": replace(SGD, lr=0.4)},
        ),
        (
            LargerBatch(4, "root"),
            {"batch_size": 5, "optimizer": ADAM},
            {"batch_size": 20, "optimizer": replace(ADAM, lr=0.2)},
        ),
    ],
)
def test_methods_set_fields(method, control, expected):
    """A method sets its fields, relative to what is there where that is meant, and nothing else."""
    assert mitigated(Recipe(**control), [method]) == replace(Recipe(**control), **expected)


@pytest.mark.parametrize(
    ("methods", "text"),
    [
        ([CosineDecay(), LinearDecay()], "linear-decay sets schedule.name to 'linear', another method to 'cosine'"),
        ([Swa(), Ema()], "ema sets average.name to 'ema', another method to 'swa'"),
    ],
)
def test_methods_that_set_the_same_field_are_refused(methods: list[AbstractMitigation], text):
    """Two methods that want different values of a field cannot be combined."""
    with pytest.raises(RecipeError, match=text):
        mitigated(CONTROL, methods)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: WeightDecay(-1.0), "weight-decay: strength must be zero or more, got -1.0"),
        (lambda: Ema(1.0), r"ema: decay must be a share in \[0, 1\), got 1.0"),
        (lambda: Ema(last=1.5), r"ema: last must be a share in \[0, 1\], got 1.5"),
        (lambda: Warmup(1.0), r"warmup: share must be a share in \[0, 1\), got 1.0"),
        (lambda: GradientClipping(0.0), "gradient-clipping: norm must be a positive number, got 0.0"),
        (lambda: InitScale(0.0), "init-scale: factor must be a positive number, got 0.0"),
        (lambda: LearningRate(0.0), "learning-rate: factor must be a positive number, got 0.0"),
        (lambda: InitScale(math.inf), "init-scale: factor must be a positive number, got inf"),
        (lambda: CosineDecay(1.5), r"cosine-decay: decay must be a share in \[0, 1\], got 1.5"),
        (lambda: LinearDecay(-0.5), r"linear-decay: decay must be a share in \[0, 1\], got -0.5"),
        (lambda: Dropout(1.0), r"dropout: p must be a probability in \[0, 1\), got 1.0"),
        (lambda: LargerBatch(0), "larger-batch: factor must be 1 or more, got 0"),
        (lambda: LargerBatch(2, "square"), "larger-batch: rate must be kept, linear or root, got 'square'"),
    ],
)
def test_strengths_out_of_range_are_refused(make, text):
    """A strength that makes no sense raises and names method and field."""
    with pytest.raises(RecipeError, match=text):
        make()


def test_the_rate_rises_and_falls_as_the_formulas_say():
    """Warm-up is (t + 1) / w and meets the peak at its end; decay starts at the peak and heads for the floor."""
    total, share = 40, 0.25
    for method in (CosineDecay(0.8), LinearDecay(0.8)):
        schedule = mitigated(CONTROL, [Warmup(share), method]).schedule
        found = [lr_factor(schedule, step, total, 1) for step in range(total)]
        u = np.arange(30) / 30
        fall = (1 + np.cos(np.pi * u)) / 2 if isinstance(method, CosineDecay) else 1 - u
        np.testing.assert_allclose(found, [*(np.arange(1, 11) / 10), *(0.2 + 0.8 * fall)], rtol=1e-12)


def test_initial_weights_are_scaled(data):
    """Matrices and kernels are the control's times the factor, biases and norms are the control's."""
    for model in (MLP, ModelConfig("cnn", width=4)):
        plain = replace(CONTROL, model=model)
        scaled = mitigated(plain, [InitScale(0.25)])
        one, other = (
            Training(recipe, architecture(recipe.model), data, PLAN.seeds(0)).model for recipe in (plain, scaled)
        )
        for (name, before), after in zip(one.named_parameters(), other.parameters(), strict=True):
            assert torch.equal(after, before * (0.25 if before.ndim > 1 else 1.0)), name


def test_clipped_gradients_are_shortened_run_by_run(data):
    """Each run of a stack makes the step of its gradient, shortened by that run's own norm to the bound."""
    bound, seeds = 0.05, tuple(PLAN.seeds(run) for run in range(3))
    recipe = replace(CONTROL, model=ModelConfig("mlp"), optimizer=OptimizerConfig("sgd", 0.5, 0.0), steps=1)
    free = [Training(recipe, architecture(recipe.model), data, own) for own in seeds]
    clipped = mitigated(recipe, [GradientClipping(bound)])
    stack = StackedTraining(clipped, architecture(recipe.model), data, seeds)
    starts = [[value.detach().clone() for value in training.model.parameters()] for training in free]
    for training in (*free, stack):
        list(training.steps())
    for place, training in enumerate(free):
        gradient = [parameter.grad for parameter in training.model.parameters()]
        norm = torch.sqrt(sum((part**2).sum() for part in gradient))
        assert norm > bound
        with torch.no_grad():
            for parameter, start, part in zip(training.model.parameters(), starts[place], gradient, strict=True):
                parameter.copy_(start - 0.5 * part * bound / (norm + 1e-6))
        torch.testing.assert_close(stack.predict(data.inputs)[place], training.predict(data.inputs)[0])


def test_clipped_descent_stays_in_the_valley():
    """On 0.5 lambda x^2 with lr lambda > 2 clipped descent never leaves max(|x0|, lr c); without it, it diverges."""
    curvature, rate, bound, start = 30.0, 0.1, 1.0, 3.0
    for is_clipped in (True, False):
        recipe = Recipe(optimizer=OptimizerConfig("sgd", rate, 0.0))
        if is_clipped:
            recipe = mitigated(recipe, [GradientClipping(bound)])
        x = nn.Parameter(torch.tensor([start], dtype=torch.float64))
        updates, farthest = Updates(recipe, [x], 200, 10), 0.0
        for number in range(200):
            x.grad = curvature * x.detach()
            updates.make(number)
            farthest = max(farthest, abs(x.item()))
        assert (farthest <= max(start, rate * bound) + 1e-9) == is_clipped


def test_decays_of_weights_differ_as_their_formulas_say():
    """With momentum, by hand: the L2 term goes through the momentum, decoupled decay shrinks weights by lr k."""
    rate, momentum, k, gradients = 0.1, 0.9, 0.5, [1.0, -2.0, 0.5, 0.0]
    control = Recipe(optimizer=OptimizerConfig("sgd", rate, momentum))
    for decoupled in (False, True):
        w, velocity = 2.0, 0.0
        parameter = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
        updates = Updates(mitigated(control, [WeightDecay(k, decoupled)]), [parameter], len(gradients), len(gradients))
        for number, gradient in enumerate(gradients):
            parameter.grad = torch.tensor([gradient], dtype=torch.float64)
            updates.make(number)
            velocity = momentum * velocity + gradient + (0.0 if decoupled else k * w)
            w = w * (1 - rate * k if decoupled else 1.0) - rate * velocity
        assert parameter.item() == pytest.approx(w, rel=1e-12)
