"""Networks and inputs that all attacks are tried on."""

import pytest
import torch
from torch import nn

from reseed.models import Networks


def perceptron(seed, features=6, classes=4, dtype=torch.float64):
    """A network of one hidden layer, whose weights a generator of its own draws."""
    generator = torch.Generator().manual_seed(seed)
    made = nn.Sequential(nn.Flatten(), nn.Linear(features, 8), nn.ReLU(), nn.Linear(8, classes))
    with torch.no_grad():
        for value in made.parameters():
            value.copy_(torch.randn(value.shape, generator=generator))
    return made.to(dtype).eval()


def linear(weight, bias=None):
    """A linear network in double precision, weights [class, feature]."""
    weight = torch.as_tensor(weight, dtype=torch.float64)
    made = nn.Linear(weight.shape[1], weight.shape[0]).double().eval()
    with torch.no_grad():
        made.weight.copy_(weight)
        made.bias.copy_(torch.zeros(len(weight)) if bias is None else torch.as_tensor(bias, dtype=torch.float64))
    return made.requires_grad_(False)


@pytest.fixture
def make():
    """What makes perceptrons and linear networks."""
    return {"perceptron": perceptron, "linear": linear}


@pytest.fixture
def three():
    """Three perceptrons together."""
    return Networks([perceptron(seed) for seed in range(3)])


@pytest.fixture
def inputs():
    """Inputs in [0.05, 0.95], [sample, feature]; the last two have coordinates on the bounds."""
    found = 0.05 + 0.9 * torch.rand(12, 6, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    found[-2:, :3] = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    return found


@pytest.fixture
def targets(three, inputs):
    """What the first of the three networks answers, but for two samples that it gets wrong."""
    found = three.predict(inputs)[0].argmax(1)
    found[:2] = (found[:2] + 1) % 4
    return found
