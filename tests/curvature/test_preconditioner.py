"""What optimisers divide their steps by, read from their state."""

import math

import pytest
import torch
from torch.optim import SGD, Adagrad, Adam, AdamW, NAdam, RMSprop

from reseed import InputError, InputTypeError
from reseed.curvature import preconditioner, stability_threshold

MAKERS = {
    "SGD": lambda weights: SGD(weights, 0.01),
    "Adam": lambda weights: Adam(weights, 0.01, (0.0, 0.9)),
    "AMSGrad": lambda weights: Adam(weights, 0.01, (0.0, 0.9), amsgrad=True),
    "AdamW": lambda weights: AdamW(weights, 0.01, (0.0, 0.9), weight_decay=0.0),
    "RMSprop": lambda weights: RMSprop(weights, 0.01, alpha=0.9),
    "centred RMSprop": lambda weights: RMSprop(weights, 0.01, alpha=0.9, centered=True),
    "Adagrad": lambda weights: Adagrad(weights, 0.01),
    "float tensors": lambda weights: Adam(weights, torch.tensor(0.01), (0.0, 0.9)),
}


def _weights():
    generator = torch.Generator().manual_seed(0)
    return [torch.nn.Parameter(torch.randn(shape, generator=generator).double()) for shape in ((3, 2), (4,))]


def _steps(optimizer, weights, count=5):
    generator = torch.Generator().manual_seed(1)
    for _ in range(count):
        for weight in weights:
            weight.grad = torch.randn(weight.shape, generator=generator).double()
        optimizer.step()


@pytest.mark.parametrize("name", MAKERS)
def test_without_momentum_a_step_is_rate_times_gradient_over_the_preconditioner(name):
    """The last step that torch made, taken apart, gives P back."""
    weights = _weights()
    optimizer = MAKERS[name](weights)
    _steps(optimizer, weights)
    before = [weight.detach().clone() for weight in weights]
    _steps(optimizer, weights, 1)
    ratios = [0.01 * weight.grad / (old - weight.detach()) for old, weight in zip(before, weights, strict=True)]
    torch.testing.assert_close(preconditioner(optimizer), torch.cat([ratio.flatten() for ratio in ratios]))


def test_corrections_of_adam_are_factors():
    """The second moment's may be left out, the first moment's be put in."""
    weights = _weights()
    optimizer = Adam(weights, 0.01, (0.8, 0.9), eps=0.0)
    _steps(optimizer, weights, 3)
    found = preconditioner(optimizer)
    torch.testing.assert_close(preconditioner(optimizer, bias_correction=False), found * math.sqrt(1 - 0.9**3))
    torch.testing.assert_close(preconditioner(optimizer, first_moment_bias=True), found * (1 - 0.8**3))


def test_groups_of_other_rates_are_divided_by_more_and_parameters_may_come_in_another_order():
    """P of a group is multiplied with the largest rate over its own; weights without gradients are left out."""
    weights = _weights()
    frozen = torch.nn.Parameter(torch.ones(7), requires_grad=False)
    groups = [{"params": weights[:1], "lr": 0.1}, {"params": [weights[1], frozen], "lr": 0.4}]
    for optimizer in (SGD(groups), Adam(groups)):
        _steps(optimizer, weights)
        alone = torch.ones(10) if isinstance(optimizer, SGD) else preconditioner(_alike(optimizer, weights))
        found = preconditioner(optimizer)
        torch.testing.assert_close(found, torch.cat([alone[:6] * 4, alone[6:]]).double())
        assert torch.equal(preconditioner(optimizer, [frozen, weights[1], weights[0]]), found.roll(4))
        assert stability_threshold(optimizer).preconditioned


def _alike(optimizer, weights):
    """An optimiser of one group in the same state."""
    alone = type(optimizer)(weights, 0.4)
    alone.state = optimizer.state
    return alone


@pytest.mark.parametrize("name", [name for name in MAKERS if name != "SGD"])
def test_before_the_first_step_there_is_none(name):
    """Also of Adagrad, whose sums are there from the beginning."""
    with pytest.raises(
        InputError,
        match=r"optimizer has made no step with parameter 0 \[3, 2\], so that \w+ has no preconditioner yet; call "
        r"optimizer\.step\(\) first, or ask for the plain sharpness\.",
    ):
        preconditioner(MAKERS[name](_weights()))
    assert preconditioner(SGD(_weights(), 0.1)).tolist() == [1.0] * 10


def test_a_divisor_that_is_zero_or_not_finite_is_refused():
    """A weight that got no gradient, under eps = 0; and one whose gradient overflowed."""
    weights = _weights()
    optimizer = Adam(weights, 0.01, eps=0.0)
    for weight in weights:
        weight.grad = torch.ones_like(weight)
    weights[1].grad[2:] = 0.0
    optimizer.step()
    with pytest.raises(
        InputError,
        match=r"preconditioner is 0 for 2 of 4 weights of parameter 1 \[4\], and must be a finite number above 0; give "
        r"the optimizer an eps above 0",
    ):
        preconditioner(optimizer)
    weights[1].grad[:] = math.inf
    optimizer.step()
    with pytest.raises(InputError, match=r"preconditioner is inf for 4 of 4 weights .* stop before training diverges"):
        preconditioner(optimizer)


def test_what_the_optimiser_does_not_train_has_none():
    """A parameter of another model, no parameters at all, an optimiser that is not known."""
    weights = _weights()
    optimizer = SGD(weights[:1], 0.1)
    with pytest.raises(InputError, match=r"parameter 1 \[4\] is none that the optimizer trains"):
        preconditioner(optimizer, weights)
    with pytest.raises(InputError, match="trains no parameters"):
        preconditioner(optimizer, [])
    with pytest.raises(InputTypeError, match="optimizer is a NAdam"):
        preconditioner(NAdam(weights))
