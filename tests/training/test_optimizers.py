"""Optimiser kernels called directly, against torch.optim."""

import pytest
import torch
from torch import nn

from reseed.training import OptimizerConfig
from reseed.training._optimizers import FusedOptimizer, TorchOptimizer

CONFIGS = [
    OptimizerConfig("sgd", 0.1, 0.9, 1e-3),
    OptimizerConfig("sgd", 0.1, 0.0),
    OptimizerConfig("sgdw", 0.1, 0.9, 0.1),
    OptimizerConfig("adam", 1e-2, weight_decay=1e-3),
    OptimizerConfig("adamw", 1e-2, weight_decay=0.1),
]


@pytest.mark.parametrize("config", CONFIGS)
def test_kernels_do_what_torch_does(config):
    """Twenty steps at changing rates end at the weights of torch.optim, bit for bit."""
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(4, 3, generator=generator), torch.randn(5, generator=generator)]
    ends = []
    for make in (FusedOptimizer, lambda config, values: TorchOptimizer(config, values, fused=True)):
        parameters = [nn.Parameter(value.clone()) for value in start]
        optimizer = make(config, parameters)
        draws = torch.Generator().manual_seed(1)
        for step in range(20):
            for parameter in parameters:
                parameter.grad = torch.randn(parameter.shape, generator=draws)
            optimizer.step(config.lr / (1 + step))
        ends.append(parameters)
    for one, other in zip(*ends, strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("config", CONFIGS)
def test_fused_and_plain_agree(config):
    """One kernel for all parameters gives what torch computes parameter by parameter."""
    ends = []
    for fused in (True, False):
        parameter = nn.Parameter(torch.linspace(-1, 1, 7))
        optimizer = TorchOptimizer(config, [parameter], fused=fused)
        for _ in range(5):
            parameter.grad = parameter.detach().sin()
            optimizer.step(config.lr)
        ends.append(parameter)
    torch.testing.assert_close(*ends)
