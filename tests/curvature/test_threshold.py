"""The curvature at which optimisers diverge, against the optimisers of torch themselves."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch.optim import SGD, Adagrad, Adam, AdamW, NAdam, RMSprop

from reseed import InputError, InputTypeError, OptimizerConfig, Recipe
from reseed.curvature import normalised_sharpness, preconditioner, stability_threshold
from reseed.training._optimizers import TorchOptimizer

START, STEPS, NEAR = 1e-60, 800, 0.02

# With eps = 0.5 and weights as small as these, P is 0.5 to all digits for as long as the training does not diverge.
ROWS = {
    "gradient descent": lambda weights: SGD(weights, 0.1),
    "heavy ball": lambda weights: SGD(weights, 0.1, momentum=0.9),
    "Nesterov": lambda weights: SGD(weights, 0.1, momentum=0.9, nesterov=True),
    "averaged gradients": lambda weights: SGD(weights, 0.1, momentum=0.8, dampening=0.8),
    "dampening": lambda weights: SGD(weights, 0.1, momentum=0.9, dampening=0.3),
    "dampening without momentum": lambda weights: SGD(weights, 0.1, dampening=0.3),
    "L2 decay": lambda weights: SGD(weights, 0.1, momentum=0.5, weight_decay=4.0),
    "Adam": lambda weights: Adam(weights, 0.1, eps=0.5),
    "Adam of other betas": lambda weights: Adam(weights, 0.1, (0.5, 0.99), eps=0.5),
    "Adam without momentum": lambda weights: Adam(weights, 0.1, (0.0, 0.99), eps=0.5),
    "AMSGrad": lambda weights: Adam(weights, 0.1, eps=0.5, amsgrad=True),
    "AdamW": lambda weights: AdamW(weights, 0.1, eps=0.5, weight_decay=3.0),
    "RMSprop": lambda weights: RMSprop(weights, 0.1, eps=0.5),
    "RMSprop, centred, with momentum": lambda weights: RMSprop(weights, 0.1, eps=0.5, momentum=0.7, centered=True),
    "Adagrad": lambda weights: Adagrad(weights, 0.1, eps=0.5),
}


def _parameter(values):
    return torch.nn.Parameter(torch.tensor(values, dtype=torch.float64))


def _descend(optimizer, weights, gradient, steps):
    """Make steps; return how large the weights then are and how large they were at most, both [parameter]."""
    most = torch.zeros(())
    for _ in range(steps):
        for weight, slope in zip(weights, gradient(), strict=True):
            weight.grad = slope
        optimizer.step()
        sizes = torch.cat([weight.detach().abs() for weight in weights])
        most = torch.fmax(most, sizes)
    return sizes, most  # adaptive methods come back from where they diverged to, with larger divisors


@torch.no_grad()
def _begin(optimizer, weights):
    """Let what divides Adam's averages at first come near 1, without gradients, and set weights to where they start."""
    starts = [weight.clone() for weight in weights]
    _descend(optimizer, weights, lambda: [torch.zeros_like(weight) for weight in weights], 100)
    for weight, start in zip(weights, starts, strict=True):
        weight.copy_(start)


@pytest.mark.parametrize("name", ROWS)
def test_two_percent_below_the_threshold_weights_shrink_and_two_percent_above_they_grow(name):
    """Each row of the table on h x^2 / 2 of two curvatures, by torch's own optimiser."""
    weights = _parameter([START, START])
    optimizer = ROWS[name]([weights])
    _begin(optimizer, [weights])
    curvature = torch.tensor([1 - NEAR, 1 + NEAR], dtype=torch.float64) * stability_threshold(optimizer).value
    curvature = curvature * preconditioner(optimizer)
    last, most = _descend(optimizer, [weights], lambda: [curvature * weights.detach()], STEPS)
    assert last[0] < START * 1e-10
    assert most[1] > START * 1e10


@pytest.mark.parametrize("decay", [0.0, 2.0])
@pytest.mark.parametrize("name", ["sgd", "sgdw", "adam", "adamw"])
def test_a_recipe_has_the_threshold_of_the_optimiser_that_trains_it(name, decay):
    """The settings of a recipe and the optimiser that reseed builds from them agree on every decay."""
    config = OptimizerConfig(name, lr=0.1, momentum=0.8, weight_decay=decay)
    found = stability_threshold(config)
    assert stability_threshold(Recipe(optimizer=config)) == found
    built = TorchOptimizer(config, [_parameter([1.0])], fused=False)._optimizer
    if name != "sgdw":  # whose decay torch's SGD knows nothing of
        assert stability_threshold(built) == found
    if name == "adam" and decay:  # belongs to the preconditioned Hessian, where it is added
        assert found.value == stability_threshold(dataclasses.replace(config, weight_decay=0.0)).value


def test_decoupled_decay_of_a_recipe_shrinks_the_threshold():
    """Sgdw at 2 % below and above, by the trainer's own optimiser."""
    config = OptimizerConfig("sgdw", lr=0.1, momentum=0.9, weight_decay=3.0)
    weights = _parameter([START, START])
    optimizer = TorchOptimizer(config, [weights], fused=False)
    curvature = torch.tensor([1 - NEAR, 1 + NEAR], dtype=torch.float64) * stability_threshold(config).value
    for _ in range(STEPS):
        weights.grad = curvature * weights.detach()
        optimizer.step(config.lr)
    below, above = weights.detach().abs().tolist()
    assert below < START * 1e-10
    assert above > START * 1e10


GROUPS = {
    "rates": (SGD, [{"lr": 0.1}, {"lr": 0.03}]),
    "rates under Nesterov": (SGD, [{"lr": 0.1}, {"lr": 0.03}], {"momentum": 0.9, "nesterov": True}),
    "momentum and dampening": (SGD, [{"lr": 0.1, "momentum": 0.9}, {"lr": 0.05, "momentum": 0.4, "dampening": 0.4}]),
    "L2 decay": (SGD, [{"lr": 0.1, "weight_decay": 5.0}, {"lr": 0.1}]),
    "rates of Adam with L2 decay": (Adam, [{"lr": 0.1, "weight_decay": 2.0}, {"lr": 0.03}], {"eps": 0.5}),
    "decoupled decay": (AdamW, [{"lr": 0.1, "weight_decay": 6.0}, {"lr": 0.05, "weight_decay": 0.0}], {"eps": 0.5}),
}


@pytest.mark.parametrize("name", GROUPS)
def test_groups_that_differ_have_one_threshold_of_a_common_preconditioned_hessian(name):
    """A quadratic that mixes the groups' weights shrinks below the threshold of P^-1 (H + K) and grows above it."""
    kind, settings, *common = GROUPS[name]
    for near, grows in ((1 - NEAR, False), (1 + NEAR, True)):
        weights = [_parameter([START, START]), _parameter([START, -START, START])]
        groups = [{"params": [weight], **own} for weight, own in zip(weights, settings, strict=True)]
        optimizer = kind(groups, lr=0.1, **(common[0] if common else {}))
        _begin(optimizer, weights)
        threshold, scale = stability_threshold(optimizer), preconditioner(optimizer).numpy()
        assert threshold.preconditioned
        root = np.random.default_rng(0).normal(size=(5, 5))
        shape, decay = (
            root @ root.T + 3 * np.eye(5),
            np.repeat([own.get("weight_decay", 0.0) for own in settings], [2, 3]),
        )
        decay = np.zeros(5) if kind is AdamW else decay

        def sharpness(size, shape=shape, decay=decay, scale=scale):
            return np.linalg.eigvalsh((size * shape + np.diag(decay)) / np.sqrt(np.outer(scale, scale)))[-1]

        low, high = 0.0, 1e4
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if sharpness(middle) < near * threshold.value else (low, middle)
        hessian = torch.from_numpy(low * shape)

        def gradient(weights=weights, hessian=hessian):
            return (hessian @ torch.cat([weight.detach() for weight in weights])).split([2, 3])

        last, most = _descend(optimizer, weights, gradient, STEPS)
        assert bool((most > START * 1e8).all()) if grows else bool((last < START * 1e-8).all())


def test_the_rule_of_gradient_descent_knows_neither_momentum_nor_decay():
    """Of whichever optimiser it is 2 over the largest rate."""
    weights = [_parameter([1.0]), _parameter([1.0])]
    groups = [{"params": weights[:1], "lr": 0.1}, {"params": weights[1:], "lr": 0.5}]
    for optimizer in (SGD(groups, 0.1, momentum=0.9, weight_decay=0.1), Adam(groups), AdamW(groups)):
        found = stability_threshold(optimizer, rule="2/lr")
        assert (found.value, found.rule, found.formula) == (4.0, "2/lr", "2 / lr")


def test_rates_that_fall_by_themselves_are_those_of_the_next_step():
    """Adagrad divides its rate by 1 + lr_decay t."""
    weights = _parameter([1.0])
    optimizer = Adagrad([weights], lr=0.5, lr_decay=0.25)
    assert stability_threshold(optimizer).value == pytest.approx(4.0)
    _descend(optimizer, [weights], lambda: [weights.detach()], 4)
    assert stability_threshold(optimizer).value == pytest.approx(8.0)


def test_a_rate_of_zero_bears_every_curvature():
    """As at the first step of a warm-up from zero."""
    found = stability_threshold(SGD([_parameter([1.0])], lr=0.0))
    assert found.value == math.inf
    assert normalised_sharpness(3.0, found) == 0.0


def test_normalised_sharpness_divides_and_has_no_value_where_no_curvature_is_borne():
    """Also of tensors; a decay that is larger than the threshold leaves nothing."""
    found = normalised_sharpness(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([2.0, 4.0]))
    torch.testing.assert_close(found, torch.tensor([[0.5, 0.5], [1.5, 1.0]], dtype=torch.float64))
    unstable = stability_threshold(SGD([_parameter([1.0])], lr=1.0, weight_decay=3.0))
    assert unstable.value == -1.0
    with pytest.warns(RuntimeWarning, match="no curvature"):
        assert math.isnan(normalised_sharpness(1.0, unstable))
    with pytest.raises(InputError, match=r"sharpness is \[2\] but threshold is \[3\]; pass one threshold for all"):
        normalised_sharpness([1.0, 2.0], [1.0, 2.0, 3.0])
    with pytest.raises(InputError, match="sharpness must hold numbers, got <U1"):
        normalised_sharpness("a", 1.0)


class _OwnAdam(Adam):
    """May do anything."""


def test_an_optimiser_that_nobody_analysed_gets_no_guess():
    """Neither another one of torch nor a class that is derived from a known one."""
    for kind in (NAdam, _OwnAdam):
        with pytest.raises(InputTypeError, match=f"optimizer is a {kind.__name__}, of which no threshold.*Adagrad are"):
            stability_threshold(kind([_parameter([1.0])]))
    with pytest.raises(InputTypeError, match="optimizer is a float"):
        stability_threshold(0.1)


def test_what_is_stable_nowhere_or_unknown_is_refused():
    """Ascent, momentum of one or more, groups of different Nesterov momentum, an unknown rule."""
    weights = [_parameter([1.0]), _parameter([1.0])]
    with pytest.raises(InputError, match="maximize=True: ascent has no threshold"):
        stability_threshold(SGD(weights, 0.1, maximize=True))
    with pytest.raises(InputError, match="momentum 1 and dampening 0, with which it is stable at no curvature"):
        stability_threshold(SGD(weights, 0.1, momentum=1.0))
    groups = [{"params": weights[:1], "momentum": 0.5}, {"params": weights[1:], "momentum": 0.9}]
    with pytest.raises(InputError, match="groups that differ in Nesterov's momentum"):
        stability_threshold(SGD(groups, 0.1, momentum=0.9, nesterov=True))
    with pytest.raises(InputError, match=r"rule must be 'optimizer' or '2/lr', got '3/lr'\."):
        stability_threshold(SGD(weights, 0.1), rule="3/lr")
