"""Gradients of single samples, their noise, and the curvature along them."""

import math

import numpy as np
import pytest
import torch

from reseed import InputError
from reseed.curvature import (
    critical_sharpness,
    empirical_risk,
    gradient_covariance,
    gradient_noise,
    gradient_quotient,
    hessian,
    sample_curvature,
)
from reseed.curvature.gradients import _of_samples
from reseed.models import Networks

INPUTS = torch.randn(13, 4, generator=torch.Generator().manual_seed(3)).double()
TARGETS = torch.arange(13) % 3


def _network(seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.Tanh(), torch.nn.Linear(5, 3)).double()


def _risk(model=None, rows=slice(None), **options):
    return empirical_risk(model or _network(), INPUTS[rows], TARGETS[rows], **options)


def _quadratic(curvatures, weights):
    """The loss sum_j h_j w_j^2 / 2, whatever the sample."""
    model = torch.nn.Linear(len(weights), 1, bias=False).double()
    model.weight.data.copy_(torch.tensor([weights]))
    root = torch.tensor(curvatures, dtype=torch.float64).abs().sqrt()
    sign = torch.tensor(curvatures, dtype=torch.float64).sign()
    inputs = torch.diag(root)

    def loss(outputs, targets):
        return (outputs[:, 0].square() * sign).sum() / 2

    return empirical_risk(model, inputs, torch.zeros(len(weights)), loss=loss, batch_size=len(weights))


@pytest.mark.parametrize("loss", ["cross_entropy", "squared_error", torch.nn.functional.cross_entropy])
def test_each_sample_has_the_curvature_of_a_risk_of_itself_alone(loss, monkeypatch):
    """Chunks of any size, several runs and batches give what one sample after the other does."""
    networks = Networks([_network(seed) for seed in range(2)])
    monkeypatch.setattr(_of_samples, "_BYTES", 5 * 43 * 8)
    found = sample_curvature(_risk(networks, loss=loss, batch_size=9))
    for sample in range(len(INPUTS)):
        alone = _risk(networks, slice(sample, sample + 1), loss=loss)
        gradient = alone.gradient()
        along = (gradient * hessian(alone).product(gradient)).sum(1)
        np.testing.assert_allclose(found.gradient_norm[:, sample], gradient.norm(dim=1).numpy(), rtol=1e-9)
        np.testing.assert_allclose(found.gradient_curvature[:, sample], along.numpy(), rtol=1e-8, atol=1e-12)
        curvature = along / gradient.square().sum(1)
        np.testing.assert_allclose(found.curvature[:, sample], curvature.numpy(), rtol=1e-8, atol=1e-10)


def test_a_sample_without_gradient_has_no_curvature_along_it():
    """It is NaN, not 0; a loss that is linear in the weights bends nowhere."""
    model = torch.nn.Linear(1, 1, bias=False)
    risk = empirical_risk(model, [[0.0], [2.0]], [0.0, 0.0], loss=lambda outputs, targets: outputs.mean())
    found = sample_curvature(risk)
    assert found.gradient_norm.tolist() == [[0.0, 2.0]]
    assert found.gradient_curvature.tolist() == [[0.0, 0.0]]
    np.testing.assert_array_equal(found.curvature, [[math.nan, 0.0]])


class _Asking(torch.nn.Module):
    """Looks at its numbers, so that it cannot be mapped over samples."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        outputs = self.network(x)
        return outputs if outputs.sum().item() < math.inf else outputs.relu()


def test_code_that_cannot_be_mapped_is_asked_sample_by_sample():
    """With the same numbers."""
    np.testing.assert_allclose(
        sample_curvature(_risk(_Asking(_network()))).gradient_curvature,
        sample_curvature(_risk()).gradient_curvature,
    )


def test_gradient_noise_is_that_of_the_covariance():
    """Against the matrices in full; the estimate of Tr(C H) within four standard errors."""
    risk = _risk(Networks([_network(seed) for seed in range(2)]), batch_size=8)
    found = gradient_noise(risk, probes=64)
    covariance, curvature = gradient_covariance(risk).dense(), hessian(risk).dense()
    trace = covariance.diagonal(dim1=1, dim2=2).sum(1).numpy()
    np.testing.assert_allclose(found.trace, trace)
    np.testing.assert_allclose(found.noise_scale, trace / risk.gradient().square().sum(1).numpy())
    exact = torch.einsum("rij,rji->r", covariance, curvature).numpy()
    exact = torch.from_numpy(exact)
    assert ((found.curvature_trace - exact).abs() < 4 * found.curvature_trace_error).all()
    assert (found.curvature_trace_error < exact.abs()).all()
    other = gradient_noise(risk, probes=64, seed=1)
    assert (other.curvature_trace != found.curvature_trace).all()
    assert found.examples == 13
    assert bool(gradient_noise(risk, probes=1).curvature_trace_error.isnan().all())


def test_noise_of_a_linear_regression_has_a_closed_form():
    """At w = 0 the gradients are -2 y_i x_i; with x_i = 1 their variance is four times that of the targets."""
    model = torch.nn.Linear(1, 1, bias=False).double()
    model.weight.data.zero_()
    targets = torch.tensor([[0.0], [1.0], [5.0], [6.0]])
    found = gradient_noise(empirical_risk(model, torch.ones(4, 1), targets, loss="squared_error"))
    variance = 4 * targets.numpy().var()
    np.testing.assert_allclose([found.trace[0], found.noise_scale[0]], [variance, variance / 36])
    np.testing.assert_allclose(found.gradient_norm, [6.0])
    exact = 2 * variance  # the Hessian is 2
    assert abs(found.curvature_trace[0] - exact) < 4 * found.curvature_trace_error[0]


def test_noise_without_a_mean_gradient_has_no_scale():
    """It is NaN with a warning; a single sample is refused."""
    model = torch.nn.Linear(1, 1, bias=False)
    model.weight.data.zero_()
    with pytest.warns(RuntimeWarning, match="the mean gradient is 0"):
        found = gradient_noise(empirical_risk(model, [[1.0], [1.0]], [[1.0], [-1.0]], loss="squared_error"))
    assert bool(found.noise_scale.isnan().all())
    assert found.trace.tolist() == [4.0]
    with pytest.raises(InputError, match="inputs hold one sample, whose gradient has nothing to differ from; pass two"):
        gradient_noise(_risk(rows=slice(1)))
    with pytest.raises(InputError, match="probes must be a whole number of 1 or more, got 0"):
        gradient_noise(_risk(), probes=0)


def test_samples_in_a_batch_norm_of_training_mode_have_no_loss_of_their_own():
    """In evaluation mode they do."""
    model = torch.nn.Sequential(torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5), torch.nn.Linear(5, 3)).double()
    for measure in (sample_curvature, gradient_noise):
        with pytest.raises(InputError, match="batch norms in training mode, by which samples change each other's loss"):
            measure(_risk(model))
    assert (sample_curvature(_risk(model, mode="eval")).gradient_norm > 0).all()


def test_the_quotient_of_a_parabola_is_its_curvature_and_that_of_a_line_is_nothing():
    """|h| wherever it is asked, for h of both signs and several weights; MetaInit's closed form."""
    for curvature in (0.3, 4.0, -2.0):
        found = gradient_quotient(_quadratic([curvature] * 2, [0.5, -3.0]), epsilon=1e-12)
        np.testing.assert_allclose(found, [abs(curvature)])
    risk = empirical_risk(torch.nn.Linear(2, 1), [[1.0, 2.0]], [0.0], loss=lambda outputs, targets: outputs.mean())
    np.testing.assert_allclose(gradient_quotient(risk), [0.0], atol=1e-4)
    with pytest.raises(InputError, match="epsilon must be a finite number above 0, got 0"):
        gradient_quotient(_quadratic([1.0], [1.0]), epsilon=0)


def test_critical_sharpness_of_a_quadratic_is_the_curvature_along_the_gradient():
    """In three passes, the one at the start among them; along another direction d'Hd / g'd."""
    curvatures, weights = np.array([3.0, 0.5, 7.0]), np.array([1.0, -2.0, 0.25])
    risk = _quadratic(curvatures.tolist(), weights.tolist())
    gradient = curvatures * weights
    found = critical_sharpness(risk, tolerance=1e-9)
    np.testing.assert_allclose(found.sharpness, [(gradient**2 * curvatures).sum() / (gradient**2).sum()], rtol=1e-9)
    np.testing.assert_allclose(found.rate * found.sharpness, [2.0])
    assert found.passes <= 4
    direction = np.array([1.0, 0.0, 2.0])
    along = critical_sharpness(risk, torch.from_numpy(direction), tolerance=1e-9)
    np.testing.assert_allclose(along.sharpness, [(direction**2 * curvatures).sum() / (gradient * direction).sum()])


def test_critical_rates_of_networks_are_where_their_losses_come_back():
    """Each run's loss at its rate is the one that it began with, up to the tolerance, and higher beyond."""
    risk = _risk(Networks([_network(seed) for seed in range(3)]))
    found = critical_sharpness(risk, tolerance=1e-6, most=60)
    gradient, before = risk.gradient(), risk.losses()
    slope = gradient.square().sum(1)
    for factor, low, high in ((1.0, -1e-5, 1e-5), (0.97, -np.inf, 0.0), (1.03, 0.0, np.inf)):
        rates = factor * found.rate[:, None]
        change = (risk.at(risk.weights - rates * gradient).losses() - before) / (found.rate * slope)
        assert ((low <= change) & (change <= high)).all()


def test_where_no_rate_is_critical_there_is_no_critical_sharpness():
    """A loss that falls for good, and a direction along which it rises at once."""
    risk = empirical_risk(torch.nn.Linear(2, 1), [[1.0, 2.0]], [0.0], loss=lambda outputs, targets: outputs.mean())
    with pytest.warns(RuntimeWarning, match="1 of 1 runs have no critical sharpness, which is NaN"):
        assert bool(critical_sharpness(risk).sharpness.isnan().all())
    with pytest.warns(RuntimeWarning, match="the loss rises at once"):
        found = critical_sharpness(risk, -risk.gradient())
    assert found.passes == 1


def test_arguments_of_the_search_are_checked():
    """Their messages say what to pass."""
    risk = _quadratic([1.0, 2.0], [1.0, 1.0])
    for options, message in (
        ({"direction": torch.ones(3)}, r"direction is \(3,\); pass \(1, 2\), \[run, parameter\], or \(2,\)"),
        ({"direction": torch.tensor([1.0, math.nan])}, "direction holds numbers that are not finite"),
        ({"tolerance": 0.0}, r"tolerance must be a number in \(0, 1\), got 0\.0"),
        ({"most": 0}, "most must be a whole number of 1 or more, got 0"),
    ):
        with pytest.raises(InputError, match=message):
            critical_sharpness(risk, **options)
