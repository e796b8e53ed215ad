"""What no curvature can be had of is refused alike by every function that takes networks and samples."""

import pytest
import torch
from torch import nn

from reseed import InputError
from reseed.curvature import (
    CurvatureTracker,
    critical_sharpness,
    empirical_risk,
    evaluate,
    ggn,
    gradient_covariance,
    gradient_noise,
    gradient_quotient,
    hessian,
    preconditioned_sharpness,
    sample_curvature,
    sharpness,
)

INPUTS, LABELS = torch.rand(20, 5), torch.arange(20) % 3


class Square(torch.autograd.Function):
    """x^2, whose gradient torch cannot differentiate."""

    @staticmethod
    def forward(ctx, x):
        """Return it."""
        ctx.save_for_backward(x)
        return x**2

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, gradient):
        """Return 2 x times the gradient."""
        return 2 * ctx.saved_tensors[0] * gradient


class Squared(nn.Module):
    """A layer of it."""

    def forward(self, x):
        """Return squares."""
        return Square.apply(x)


def of_risk(function):
    """A function of a risk as one of model, samples and loss."""
    return lambda model, x, y, loss="cross_entropy": function(empirical_risk(model, x, y, loss=loss))


def optimised(function):
    """A function of an optimiser too, which is plain gradient descent."""

    def call(model, x, y, loss="cross_entropy"):
        weights = [each for each in model.parameters() if each.requires_grad] or [torch.zeros(1, requires_grad=True)]
        return function(model, torch.optim.SGD(weights, lr=0.1), x, y, loss=loss)

    return call


CALLS = {
    "sharpness": sharpness,
    "preconditioned_sharpness": optimised(preconditioned_sharpness),
    "CurvatureTracker": optimised(CurvatureTracker),
    "evaluate": lambda model, x, y: evaluate(model, x, y, train_inputs=x, train_targets=y, probes=2, steps=3),
    **{
        function.__name__: of_risk(function)
        for function in (
            hessian,
            ggn,
            gradient_covariance,
            critical_sharpness,
            gradient_noise,
            gradient_quotient,
            sample_curvature,
        )
    },
}
OF_ONE_LOSS = {"evaluate"}  # which is the cross-entropy
FIRST_DERIVATIVES = {"critical_sharpness"}
RECORDS_ALL = {"CurvatureTracker", "evaluate"}  # runs that diverged are told, not refused


def diverged():
    """A network of which one weight is not a number."""
    model = nn.Linear(5, 3)
    nn.init.constant_(model.weight, float("nan"))
    return model


@pytest.mark.parametrize("name", CALLS)
def test_no_trainable_parameters(name):
    """The model is named."""
    frozen = nn.Linear(5, 3).requires_grad_(False)
    with pytest.raises(InputError, match="model, a Linear, has no trainable parameters; pass a network with weights"):
        CALLS[name](frozen, INPUTS, LABELS)


@pytest.mark.parametrize("name", CALLS)
def test_empty_data(name):
    """The inputs are named."""
    with pytest.raises(InputError, match="inputs hold no samples"):
        CALLS[name](nn.Linear(5, 3), INPUTS[:0], LABELS[:0])


@pytest.mark.parametrize("name", sorted(CALLS.keys() - OF_ONE_LOSS))
def test_losses_that_are_none(name):
    """Its shape, where it is no scalar; and one that has nothing to do with the weights."""
    with pytest.raises(InputError, match=r"loss must return a scalar tensor, got \(.*3\).*; average it over the sampl"):
        CALLS[name](nn.Linear(5, 3), INPUTS, LABELS, loss=lambda outputs, _: outputs)
    with pytest.raises(InputError, match="loss does not depend on the weights; pass a loss of the network's outputs"):
        CALLS[name](nn.Linear(5, 3), INPUTS, LABELS, loss=lambda outputs, _: outputs.detach().sum())


@pytest.mark.parametrize("name", sorted(CALLS.keys() - RECORDS_ALL))
def test_losses_that_are_not_finite(name):
    """The run and the value."""
    with pytest.raises(InputError, match="loss of run 0 is nan; leave out runs that have diverged"):
        CALLS[name](diverged(), INPUTS, LABELS)


@pytest.mark.parametrize("name", sorted(CALLS.keys() - FIRST_DERIVATIVES))
def test_layers_without_second_derivatives(name):
    """The layer and its type."""
    with pytest.raises(InputError, match=r"model has no second derivatives in its layer '1' \(Squared\); replace it"):
        CALLS[name](nn.Sequential(nn.Linear(5, 3), Squared()), INPUTS, LABELS)
