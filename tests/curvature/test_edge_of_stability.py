"""What theory predicts of small trainings: sharpness hovers at the threshold, and steps beyond it diverge."""

import math

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn
from torch.optim import SGD, Adam

from reseed.curvature import diagnose, normalised_sharpness, preconditioned_sharpness, sharpness, stability_threshold
from reseed.models import Networks


def _digits():
    inputs, labels = load_digits(return_X_y=True)
    inputs = torch.tensor(inputs[:500])
    return (inputs - inputs.mean()) / inputs.std(), nn.functional.one_hot(torch.tensor(labels[:500]), 10).double()


INPUTS, TARGETS = _digits()
ASKED = {"loss": lambda outputs, targets: _loss(outputs, targets), "tolerance": 0.01, "max_products": 80}


def _loss(outputs, targets):
    return (outputs - targets).square().sum(-1).mean() / 2


def _network(seed=0, scale=1.0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers = [nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, 10)]
        model = nn.Sequential(*layers).double()
    with torch.no_grad():
        for weight in model.parameters():
            weight.mul_(scale)
    return model


def _sharpness(model):
    return float(sharpness(model, INPUTS, TARGETS, **ASKED).value)


def _train(model, optimizer, steps, every=50, warmup=0, clip=math.inf, measure=_sharpness, rule="optimizer"):
    """Train on all samples at once until the loss is 1e4; return the diagnosis, losses and normalised sharpness."""
    peak, losses, bends, bounds = optimizer.param_groups[0]["lr"], [], [], []
    for step in range(steps):
        optimizer.param_groups[0]["lr"] = peak * min(1.0, (step + 1) / max(warmup, 1))
        bounds.append(stability_threshold(optimizer, rule=rule).value)
        bends.append(measure(model) if step % every == 0 and (step or measure is _sharpness) else math.nan)
        optimizer.zero_grad()
        loss = _loss(model(INPUTS), TARGETS)
        loss.backward()
        losses.append(loss.item())
        if not losses[-1] < 1e4:
            break
        nn.utils.clip_grad_norm_(model.parameters(), clip)
        optimizer.step()
    ratio = normalised_sharpness(bends, bounds)
    return diagnose(losses, bends, bounds), losses, ratio[np.isfinite(ratio)]


def test_sharpness_rises_to_the_threshold_of_gradient_descent_and_stays_there():
    """At a rate of 0.4 it hovers at 2 / lr; at one of 0.05 it rises and does not come near."""
    model = _network()
    found, losses, ratio = _train(model, SGD(model.parameters(), 0.4), 500)
    assert found.state == "edge of stability"
    assert (np.abs(ratio[5:] - 1) < 0.1).all()
    assert losses[-1] < losses[0] / 5
    model = _network()
    found, losses, ratio = _train(model, SGD(model.parameters(), 0.05), 500)
    assert found.state == "stable"
    assert found.crossed is None
    assert ratio[-1] > ratio[2]


def test_the_preconditioned_sharpness_of_adam_hovers_at_its_own_threshold():
    """That is 38 / lr at beta1 = 0.9, while the plain sharpness is far from either."""
    model = _network()
    adam = Adam(model.parameters(), 3e-3, (0.9, 0.99), eps=1e-7)

    def seen(model):
        return float(preconditioned_sharpness(model, adam, INPUTS, TARGETS, **ASKED).value)

    found, losses, ratio = _train(model, adam, 700, measure=seen)
    assert float(stability_threshold(adam)) == pytest.approx(38 / 3e-3)
    assert found.state == "edge of stability"
    assert ((ratio[-5:] > 0.85) & (ratio[-5:] < 1.2)).all()
    assert _sharpness(model) < 0.01 * float(stability_threshold(adam))
    assert losses[-1] < losses[0] / 20


def test_heavy_ball_trains_above_the_threshold_of_gradient_descent_and_diverges_above_its_own():
    """So that the rule "2/lr" raises a false alarm, and the optimiser's own none."""
    model = _network()
    found, losses, _ = _train(model, SGD(model.parameters(), 0.25, momentum=0.9), 300)
    assert found.state != "diverged"
    assert found.crossed is None
    assert losses[-1] < losses[0] / 20
    assert 2 / 0.25 < _sharpness(model) < 2 * 1.9 / 0.25
    model = _network()
    alarm, _, _ = _train(model, SGD(model.parameters(), 0.25, momentum=0.9), 50, rule="2/lr")
    assert alarm.crossed == 0
    for optimizer in (
        lambda weights: SGD(weights, 0.5, momentum=0.9),
        lambda weights: SGD(weights, 0.2, momentum=0.9, nesterov=True),
    ):
        model = _network()
        found, _, _ = _train(model, optimizer(model.parameters()), 100)
        assert found.state == "diverged"
        assert found.crossed == 0


@pytest.mark.parametrize("seed", range(1, 6))
def test_a_warm_up_rescues_a_rate_that_diverges_from_the_start(seed):
    """At four times the threshold a constant rate diverges at once; with warm-up the sharpness comes down to 2 / lr."""
    model = _network(seed, 2.5)
    rate = 8 / _sharpness(model)
    found, _, _ = _train(model, SGD(model.parameters(), rate), 60)
    assert found.state == "diverged"
    assert found.diverged < 40
    assert found.crossed == 0
    model = _network(seed, 2.5)
    found, losses, ratio = _train(model, SGD(model.parameters(), rate), 551, warmup=300)
    assert found.state == "edge of stability"
    assert losses[-1] < losses[0] / 10
    assert abs(ratio[-1] - 1) < 0.1


def test_clipped_gradient_descent_stays_within_its_bound_beyond_the_threshold():
    """On h x^2 / 2 never beyond max(|x_0|, lr c), where unclipped it diverges; the diagnosis tells them apart."""
    curvature, rate, bound = 3.0, 1.0, 0.5
    for clip in (bound, math.inf):
        weight = nn.Parameter(torch.tensor([2.0], dtype=torch.float64))
        optimizer, losses, sizes = SGD([weight], rate), [], []
        for _ in range(60):
            weight.grad = curvature * weight.detach()
            losses.append(curvature * weight.item() ** 2 / 2)
            sizes.append(abs(weight.item()))
            nn.utils.clip_grad_norm_([weight], clip)
            optimizer.step()
        found = diagnose(losses, [curvature] * 60, stability_threshold(optimizer).value)
        assert found.crossed == 0
        assert (found.state == "diverged") == (clip == math.inf)
        assert (max(sizes) <= max(2.0, rate * clip)) or clip == math.inf


class _Product(nn.Module):
    """Two weights whose product is the answer."""

    def __init__(self, first, second):
        super().__init__()
        self.weights = nn.Parameter(torch.tensor([first, second], dtype=torch.float64))

    def forward(self, inputs):
        return self.weights.prod() * inputs


def test_gradient_descent_on_two_weights_ends_where_its_rate_is_stable():
    """On (ab - 1)^2 / 2 it stays, catapults to flatter minima, or diverges above twice the threshold."""

    def sharp(models):
        return sharpness(
            Networks(models), torch.ones(1, 1), torch.ones(1, 1), loss=lambda outputs, targets: _loss(outputs, targets)
        ).value.tolist()

    (start,) = sharp([_Product(4.0, 0.26)])
    assert start == pytest.approx(16.073, abs=1e-3)
    ends = []
    for factor in (1.0, 1.5, 2.5, 3.0, 3.5, 3.9, 4.1, 5.0):
        first, second = 4.0, 0.26
        for _ in range(3000):
            slope = first * second - 1
            first, second = first - factor / start * slope * second, second - factor / start * slope * first
            if abs(first) > 1e6:
                break
        ends.append((first, second))
    assert all(abs(first) > 1e6 for first, _ in ends[-2:])
    found = sharp([_Product(*end) for end in ends[:-2]])
    np.testing.assert_allclose(found, [first**2 + second**2 for first, second in ends[:-2]], rtol=1e-6)
    np.testing.assert_allclose(found, [16.06, 16.06, 8.39, 2.38, 5.17, 2.13], atol=0.01)
    factors = np.array([1.0, 1.5, 2.5, 3.0, 3.5, 3.9])
    assert (np.array(found) <= 2 * start / factors).all()
