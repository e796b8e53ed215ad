"""How often Gaussian noise changes an answer."""

import math
from statistics import NormalDist

import pytest
import torch

from reseed import InputError
from reseed.models import Networks
from reseed.robustness import noise_flip_rate, noise_insensitivity


def _binary(weights, bias=0.0):
    weights = torch.as_tensor(weights, dtype=torch.float64)

    def answer(inputs):
        logit = inputs @ weights + bias
        return torch.stack([torch.zeros_like(logit), logit], dim=1)

    return answer


@pytest.mark.parametrize("sigma", [0.1, 0.5, 2.0])
def test_rates_of_a_linear_network(sigma):
    """They are Phi(-m / (sigma ||w||_2)), within four standard errors."""
    torch.manual_seed(0)
    weights, inputs = torch.randn(5, dtype=torch.float64), torch.randn(12, 5, dtype=torch.float64)
    rates = noise_flip_rate(_binary(weights, 0.3), inputs, sigma=sigma, draws=800, bounds=None)
    for rate, logit in zip(rates.tolist(), (inputs @ weights + 0.3).tolist(), strict=True):
        wanted = NormalDist().cdf(-abs(logit) / (sigma * float(weights.norm())))
        assert abs(rate - wanted) <= 4 * math.sqrt(wanted * (1 - wanted) / 800) + 2e-3


def test_points_stay_in_the_box_and_frozen_features_as_they_are():
    """So that an answer that nothing allowed can change has the rate 0."""
    model, inputs = _binary([1.0, 1.0], -0.1), torch.tensor([[0.2, 0.2]], dtype=torch.float64)
    assert noise_flip_rate(model, inputs, sigma=5.0, bounds=None).item() > 0.3
    assert 0 < noise_flip_rate(model, inputs, sigma=5.0).item() < 0.35  # both must fall to 0
    assert noise_flip_rate(model, inputs, sigma=5.0, frozen=[True, False]).item() == 0


def test_a_constant_network_never_flips():
    """Whatever the noise."""
    assert (
        noise_flip_rate(_binary([0.0, 0.0]), torch.rand(4, 2, dtype=torch.float64), sigma=9.0, draws=10).tolist()
        == [0.0] * 4
    )


def test_runs_and_samples_are_the_same_alone_and_together():
    """Whatever the batch size; other seeds draw others."""
    torch.manual_seed(1)
    networks = [torch.nn.Linear(5, 3).double() for _ in range(3)]
    inputs = torch.rand(20, 5, dtype=torch.float64)
    whole = noise_flip_rate(Networks(networks), inputs, sigma=0.5, draws=20)
    assert whole.shape == (3, 20)
    assert torch.equal(noise_flip_rate(Networks(networks), inputs, sigma=0.5, draws=20, batch_size=3), whole)
    for run, network in enumerate(networks):
        alone = noise_flip_rate(network.eval(), inputs[:7].numpy(), sigma=0.5, draws=20)
        assert alone.tolist() == whole[run, :7].tolist()
    assert not torch.equal(noise_flip_rate(Networks(networks), inputs, sigma=0.5, draws=20, seed=1), whole)


def test_its_noise_is_that_of_noise_insensitivity():
    """Of equal seeds, as far as the budget does not clip it."""
    seen = [[], []]

    def model(number):
        def watched(points):
            seen[number].append(points)
            return torch.stack([points[:, 0], 1 - points[:, 0]], dim=1)

        return watched

    inputs = torch.full((6, 3), 0.5, dtype=torch.float64)
    noise_flip_rate(model(0), inputs, sigma=0.05, draws=2, seed=3)
    noise_insensitivity(model(1), inputs, [0] * 6, epsilon=0.1, draws=2, noises=["gaussian"], seed=3)
    first, second = (torch.cat(each) for each in seen)
    torch.testing.assert_close(first.clamp(0.4, 0.6), second)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"sigma": 0.0}, "sigma must be above 0 and finite, in the units of the inputs, got 0.0"),
        ({"sigma": math.nan}, "sigma must be above 0 and finite"),
        ({"draws": 0}, "draws must be a whole number of 1 or more, got 0"),
        ({"seed": -3}, "seed must be a whole number of 0 or more, got -3"),
    ],
)
def test_bad_arguments_are_named(wrong, message):
    """With what was given."""
    with pytest.raises(InputError, match=message):
        noise_flip_rate(_binary([1.0]), torch.tensor([[0.5]]), **({"sigma": 0.1} | wrong))
