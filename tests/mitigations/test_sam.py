"""Sharpness-aware minimisation against closed forms and against loops written by hand."""

import copy
from dataclasses import replace

import pytest
import torch
from tests.mitigations.conftest import CNN, MLP, PLAN
from torch import nn

from reseed._errors import RecipeError
from reseed.mitigations import GradientClipping, Sam
from reseed.models import architecture
from reseed.training import OptimizerConfig, Recipe, StackedTraining, Training, mitigated

SGD = Recipe(model=MLP, optimizer=OptimizerConfig("sgd", 0.5, 0.0), steps=1, batch_size=16)


def test_on_a_quadratic_the_gradient_is_that_of_the_worst_point():
    """At w + e the gradient of 0.5 x'Ax is A (x + rho Ax / |Ax|)."""
    generator = torch.Generator().manual_seed(0)
    root = torch.randn(5, 5, generator=generator, dtype=torch.float64)
    a, x = root @ root.T, torch.randn(5, generator=generator, dtype=torch.float64)
    (move,) = Sam(0.3).ascent([x[None]], [(a @ x)[None]], 1)
    torch.testing.assert_close(a @ (x + move[0]), a @ (x + 0.3 * a @ x / torch.linalg.vector_norm(a @ x)))


def test_the_adaptive_radius_is_relative_to_each_weight():
    """ASAM moves by rho w^2 g / |w g|, the norm over all parameters."""
    generator = torch.Generator().manual_seed(1)
    w = [torch.randn(*shape, generator=generator, dtype=torch.float64) for shape in ((1, 4, 3), (1, 3))]
    g = [torch.randn(*one.shape, generator=generator, dtype=torch.float64) for one in w]
    norm = torch.sqrt(sum(((one * other) ** 2).sum() for one, other in zip(w, g, strict=True)))
    for move, one, other in zip(Sam(0.3, adaptive=True).ascent(w, g, 1), w, g, strict=True):
        torch.testing.assert_close(move, 0.3 * one**2 * other / norm)


@pytest.mark.parametrize("adaptive", [False, True])
def test_each_run_has_its_own_norm(adaptive):
    """Runs in a stack move as they do alone, though their gradients differ by orders of magnitude."""
    generator = torch.Generator().manual_seed(2)
    size = torch.tensor([1e-3, 1.0, 1e3])
    shapes = (4, 3), (3,)
    w = [torch.randn(3, *shape, generator=generator) for shape in shapes]
    g = [torch.randn(3, *shape, generator=generator) * size.view(-1, *(1,) * len(shape)) for shape in shapes]
    together = Sam(0.3, adaptive).ascent(w, g, 3)
    for run in range(3):
        alone = Sam(0.3, adaptive).ascent([one[run] for one in w], [one[run] for one in g], 1)
        for one, other in zip(together, alone, strict=True):
            torch.testing.assert_close(one[run], other)


def test_a_gradient_of_zero_does_not_move():
    """At a stationary point there is no direction, and nothing is not a number."""
    (move,) = Sam(0.3).ascent([torch.ones(1, 3)], [torch.zeros(1, 3)], 1)
    assert torch.equal(move, torch.zeros(1, 3))


def by_hand(training: Training, rho: float, *, clip: float | None = None) -> nn.Module:
    """Make the training's first step with a loop of its own: two passes, statistics of the first."""
    model, recipe, data = copy.deepcopy(training.model), training.recipe, training.data
    rows = next(training.batches(training.orders(training.seeds, bootstrap=False)))
    inputs, labels = data.inputs[rows], data.labels[rows]

    def gradients(network: nn.Module) -> list[torch.Tensor]:
        loss = nn.functional.cross_entropy(network(inputs), labels)
        return list(torch.autograd.grad(loss, list(network.parameters())))

    first = gradients(model)
    norm = torch.sqrt(sum((one**2).sum() for one in first))
    elsewhere = copy.deepcopy(model)
    with torch.no_grad():
        for parameter, one in zip(elsewhere.parameters(), first, strict=True):
            parameter.add_(rho * one / norm)
    second = gradients(elsewhere)
    length = torch.sqrt(sum((one**2).sum() for one in second))
    factor = 1.0 if clip is None else min(1.0, clip / float(length))
    with torch.no_grad():
        for parameter, one in zip(model.parameters(), second, strict=True):
            parameter.sub_(recipe.optimizer.lr * factor * one)
    return model


@pytest.mark.parametrize("clip", [None, 0.05])
def test_a_step_of_training_is_the_one_by_hand(data, clip):
    """Weights and batch statistics after a step: gradient of the second pass, clipped, statistics of the first."""
    recipe = mitigated(replace(SGD, model=replace(CNN, dropout=0.0)), [Sam(0.2)])
    if clip is not None:
        recipe = mitigated(recipe, [GradientClipping(clip)])
    build = architecture(recipe.model)
    training = Training(recipe, build, data, PLAN.seeds(0))
    expected = by_hand(training, 0.2, clip=clip).state_dict()
    list(training.steps())
    for name, value in training.model.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=1e-5, atol=1e-7)
    stacked = StackedTraining(recipe, build, data, (PLAN.seeds(0), PLAN.seeds(1)))
    list(stacked.blocks([1]))
    torch.testing.assert_close(stacked.predict(data.inputs)[0], training.predict(data.inputs)[0])


def test_a_radius_of_zero_is_the_control_bit_for_bit(data):
    """The method at strength zero is left out of the recipe; its step, if made anyway, changes no bit."""
    control = replace(SGD, steps=5)
    assert mitigated(control, [Sam(0.0)]) == control
    trained = []
    for recipe in (control, replace(control, mitigations=(Sam(0.0),))):
        training = Training(recipe, architecture(recipe.model), data, PLAN.seeds(0))
        list(training.steps())
        trained.append(training.predict(data.inputs))
    assert torch.equal(*trained)


def test_mixed_precision(data):
    """In bfloat16 both passes are mixed, weights and moves single precision, and what is learned is near float32."""
    single = replace(data, inputs=data.inputs.float())
    predictions = []
    for precision in ("float32", "bfloat16"):
        recipe = mitigated(replace(SGD, steps=5, precision=precision, model=replace(CNN, dropout=0.0)), [Sam(0.1)])
        training = Training(recipe, architecture(recipe.model), single, PLAN.seeds(0))
        list(training.steps())
        assert all(parameter.dtype == torch.float32 for parameter in training.model.parameters())
        predictions.append(training.predict(single.inputs).softmax(-1))
    torch.testing.assert_close(*predictions, rtol=0, atol=0.1)
    assert not torch.equal(*predictions)


def test_a_negative_radius_is_refused():
    """A radius below zero raises and names method and field."""
    with pytest.raises(RecipeError, match=r"sam: rho must be zero or more, got -0\.1"):
        Sam(-0.1)
