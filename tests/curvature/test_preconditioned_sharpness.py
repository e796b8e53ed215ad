"""The largest eigenvalue of P^-1 (H + K), with P read from an optimiser."""

import numpy as np
import pytest
import torch
from torch.optim import SGD, Adam, AdamW, RMSprop

from reseed import InputError, InputTypeError
from reseed.curvature import (
    empirical_risk,
    hessian,
    preconditioned_sharpness,
    preconditioner,
    sample_curvature,
    sharpness,
)
from reseed.models import Networks

INPUTS = torch.randn(20, 4, generator=torch.Generator().manual_seed(3)).double()
TARGETS = torch.arange(20) % 3
EXACT = {"tolerance": 1e-9}


def _network():
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3)).double()


def _stepped(optimizer, model, count=3):
    for _ in range(count):
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(model(INPUTS), TARGETS).backward()
        optimizer.step()
    return optimizer


def test_a_preconditioner_of_one_number_divides():
    """P = c I gives lambda_1 / c; that of SGD is 1."""
    model = _network()
    adam = _stepped(Adam(model.parameters(), 0.01, eps=0.0), model)
    plain = sharpness(model, INPUTS, TARGETS, **EXACT).value
    for state in adam.state.values():
        state["exp_avg_sq"].fill_(0.25)
    halved = preconditioned_sharpness(model, adam, INPUTS, TARGETS, bias_correction=False, **EXACT)
    torch.testing.assert_close(halved.value, 2 * plain)
    decayed = SGD(model.parameters(), 0.1, weight_decay=0.5)
    torch.testing.assert_close(preconditioned_sharpness(model, decayed, INPUTS, TARGETS, **EXACT).value, plain)


@pytest.mark.parametrize("kind", [SGD, Adam, AdamW, RMSprop])
@pytest.mark.parametrize("chosen", [None, ("2",)])
def test_it_is_the_largest_eigenvalue_of_the_matrix_in_full(kind, chosen):
    """Groups with rates and decays of their own; L2 terms belong to the matrix, decoupled ones do not."""
    model = _network()
    first, last = model[0].parameters(), model[2].parameters()
    groups = [{"params": last, "lr": 0.02, "weight_decay": 0.3}, {"params": first, "lr": 0.01, "weight_decay": 0.1}]
    optimizer = _stepped(kind(groups, lr=0.1), model)
    found = preconditioned_sharpness(model, optimizer, INPUTS, TARGETS, parameters=chosen, **EXACT)
    risk = empirical_risk(model, INPUTS, TARGETS, parameters=chosen)
    matrix = hessian(risk).dense()[0].numpy()
    if kind is not AdamW:
        layers = [0.1] * 25 if chosen is None else []
        matrix = matrix + np.diag(layers + [0.3] * 18)
    scale = preconditioner(optimizer, [dict(model.named_parameters())[name] for name in risk.shapes]).numpy()
    np.testing.assert_allclose(found.value, [np.linalg.eigvals(matrix / scale[:, None]).real.max()], rtol=1e-7)
    assert found.n_params == len(matrix)


def test_what_has_no_preconditioner_is_refused():
    """Networks, which are copies of what the optimiser trains; and an optimiser that has made no step."""
    model = _network()
    adam = Adam(model.parameters())
    with pytest.raises(InputTypeError, match="model must be the module whose parameters the optimizer trains, got a N"):
        preconditioned_sharpness(Networks(model), adam, INPUTS, TARGETS)
    with pytest.raises(InputError, match=r"optimizer has made no step with parameter 0 \[5, 4\]"):
        preconditioned_sharpness(model, adam, INPUTS, TARGETS)
    with pytest.raises(InputError, match="inputs hold no samples"):
        preconditioned_sharpness(model, adam, INPUTS[:0], TARGETS[:0])
    model[0].weight.data[0, 0] = torch.nan
    with pytest.raises(InputError, match="loss of run 0 is nan; leave out runs that have diverged"):
        sample_curvature(empirical_risk(model, INPUTS, TARGETS))
