"""How much the loss changes for each unit that noise moves an input."""

import math

import numpy as np
import pytest
import torch

from reseed import InputError, InputTypeError
from reseed.models import Networks
from reseed.robustness import noise_insensitivity


def _linear(weights, bias=0.0):
    """Logits [0, w.x + b]."""
    weights = torch.as_tensor(weights, dtype=torch.float64)
    network = torch.nn.Linear(len(weights), 2).double().eval()
    with torch.no_grad():
        network.weight.copy_(torch.stack([torch.zeros_like(weights), weights]))
        network.bias.copy_(torch.tensor([0.0, bias]))
    return network


ALL = ("uniform", "gaussian", "fgsm", "pgd")


@pytest.mark.parametrize("noise", ALL)
def test_no_noise_changes_a_linear_network_by_more_than_its_slope(noise):
    """Cross-entropy grows no faster than the logits differ, w.d, which is at most ||w||_1 ||d||_inf."""
    torch.manual_seed(0)
    weights, inputs = torch.randn(6, dtype=torch.float64), torch.randn(40, 6, dtype=torch.float64)
    targets = torch.randint(0, 2, (40,))
    found = noise_insensitivity(
        _linear(weights), inputs, targets, epsilon=0.1, noises=[noise], bounds=None, reduction="none"
    )
    assert found.shape == (40,)
    assert bool((found > 0).all())
    assert bool((found <= weights.abs().sum() * (1 + 1e-9)).all())


@pytest.mark.parametrize("noise", ["fgsm", "pgd"])
def test_the_gradient_direction_has_the_whole_slope_where_the_loss_is_linear(noise):
    """Far on the wrong side cross-entropy is the logit gap itself."""
    weights = torch.tensor([1.0, -2.0, 0.5], dtype=torch.float64)
    inputs = torch.full((4, 3), 0.5, dtype=torch.float64)
    found = noise_insensitivity(
        _linear(weights, bias=60.0), inputs, [0] * 4, epsilon=0.01, noises=[noise], bounds=None, reduction="none"
    )
    torch.testing.assert_close(found, torch.full((4,), 3.5, dtype=torch.float64), rtol=1e-6, atol=0)


def test_a_constant_network_is_insensitive():
    """Its loss changes by nothing, wherever noise goes."""

    def constant(inputs):
        return inputs[:, :2] * 0 + torch.tensor([1.0, 0.0])

    for reduction in ("mean_of_ratios", "ratio_of_means"):
        found = noise_insensitivity(
            constant, torch.rand(5, 3), [0] * 5, epsilon=0.1, noises=("uniform", "gaussian"), reduction=reduction
        )
        assert found == 0.0


def test_changes_of_opposite_sign_do_not_cancel_and_each_has_its_own_displacement():
    """The reference code divides the difference of summed losses by the largest displacement of all."""
    network = _linear([1.0], bias=50.0)  # loss at target 0: x + 50
    inputs = torch.tensor([[0.2], [0.8]], dtype=torch.float64)
    moves = torch.tensor([[0.1], [-0.02]], dtype=torch.float64)
    wanted = {"epsilon": 0.1, "noises": [lambda x, seed: x + moves], "draws": 1}
    each = noise_insensitivity(network, inputs, [0, 0], reduction="none", **wanted)
    torch.testing.assert_close(each, torch.ones(2, dtype=torch.float64))
    assert noise_insensitivity(network, inputs, [0, 0], **wanted) == pytest.approx(1.0)
    ratio = noise_insensitivity(network, inputs, [0, 0], reduction="ratio_of_means", **wanted)
    assert ratio == pytest.approx((0.1 - 0.02) / (0.1 + 0.02))


def test_versions_that_do_not_move_are_skipped():
    """They have no ratio; a sample of which none moves is NaN, with a warning, and no part of the mean."""
    network = _linear([1.0], bias=50.0)
    inputs = torch.tensor([[0.2], [0.8], [0.5]], dtype=torch.float64)

    def some(x, seed):
        return torch.where(torch.tensor([[True], [True], [False]]), x + 0.05, x)

    with pytest.warns(RuntimeWarning, match="noise moves nothing in 1 of 3 samples of runs"):
        each = noise_insensitivity(network, inputs, [0] * 3, epsilon=0.1, noises=[some], reduction="none")
    assert each[:2].tolist() == pytest.approx([1.0, 1.0])
    assert math.isnan(each[2])
    assert noise_insensitivity(network, inputs, [0] * 3, epsilon=0.1, noises=[some]) == pytest.approx(1.0)
    with pytest.warns(RuntimeWarning, match="noise moves nothing in 1 of 1 runs"):
        found = noise_insensitivity(network, inputs, [0] * 3, epsilon=0.1, noises=[lambda x, seed: x])
    assert math.isnan(found)


def test_the_mean_is_that_of_the_samples_and_of_the_noises():
    """However many versions each noise has."""
    torch.manual_seed(1)
    network = torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).double().eval()
    inputs, targets = torch.rand(9, 5, dtype=torch.float64), torch.arange(9) % 3
    wanted = {"epsilon": 0.1, "draws": 3}
    each = noise_insensitivity(network, inputs, targets, reduction="none", **wanted)
    assert noise_insensitivity(network, inputs, targets, **wanted) == pytest.approx(each.mean().item())
    alone = [noise_insensitivity(network, inputs, targets, reduction="none", noises=[noise], **wanted) for noise in ALL]
    torch.testing.assert_close(torch.stack(alone).mean(0), each)


def test_noise_stays_in_the_budget_and_the_box():
    """Whatever a function returns; frozen features stay, and each feature may have a budget of its own."""
    seen = []
    network = _linear([1.0, 1.0, 1.0])

    class Watched(torch.nn.Module):
        def forward(self, x):
            seen.append(x.detach())
            return network(x)

    inputs = torch.tensor([[0.05, 0.5, 0.98]], dtype=torch.float64)
    epsilon, frozen = np.array([0.1, 0.02, 0.1]), np.array([False, False, True])
    wild = [*ALL, lambda x, seed: x + 1e3, lambda x, seed: x - 1e3]
    noise_insensitivity(Watched().eval(), inputs, [0], epsilon=epsilon, noises=wild, frozen=frozen)
    points = torch.cat(seen)
    assert points.amin(0).tolist() == pytest.approx([0.0, 0.48, 0.98])
    assert points.amax(0).tolist() == pytest.approx([0.15, 0.52, 0.98])


def test_functions_are_given_other_seeds_each_time():
    """And the same ones again for the same seed."""

    def seeds(seed):
        seen = []
        noise_insensitivity(
            _linear([1.0]), torch.tensor([[0.5]], dtype=torch.float64), [0], epsilon=0.1, draws=3, seed=seed,
            noises=[lambda x, own: (seen.append(own), x + 0.01)[1]] * 2,
        )  # fmt: skip
        return seen

    assert len(set(seeds(0))) == 6
    assert seeds(0) == seeds(0)
    assert not set(seeds(0)) & set(seeds(1))


def test_runs_and_samples_are_the_same_alone_and_together():
    """Whatever the batch size; each run may have targets of its own."""
    torch.manual_seed(1)
    networks = [
        torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).double() for _ in range(3)
    ]
    inputs, targets = torch.rand(20, 5, dtype=torch.float64), torch.arange(20) % 3
    wanted = {"epsilon": 0.1, "reduction": "none"}
    whole = noise_insensitivity(Networks(networks), inputs, targets, **wanted)
    assert whole.shape == (3, 20)
    torch.testing.assert_close(noise_insensitivity(Networks(networks), inputs, targets, batch_size=3, **wanted), whole)
    for run, network in enumerate(networks):
        alone = noise_insensitivity(network.eval(), inputs[:9], targets[:9], **wanted)
        torch.testing.assert_close(alone, whole[run, :9])
    own = torch.stack([targets, (targets + 1) % 3, targets])
    there = noise_insensitivity(Networks(networks), inputs, own, **wanted)
    torch.testing.assert_close(there[[0, 2]], whole[[0, 2]])
    assert not torch.allclose(there[1], whole[1])
    assert noise_insensitivity(Networks(networks), inputs, targets, epsilon=0.1).shape == (3,)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        ({"epsilon": 0.0}, InputError, "epsilon"),
        ({"epsilon": None}, InputError, "epsilon is None; say how far noise may move a feature"),
        ({"noises": ()}, InputError, "noises must be a list of one or more of 'uniform', 'gaussian', 'fgsm', 'pgd'"),
        ({"noises": "pgd"}, InputError, "noises must be a list of one or more"),
        ({"noises": ["salt"]}, InputError, "noises holds 'salt'; pass 'uniform'"),
        ({"noises": [3]}, InputTypeError, "noises must be names or functions of inputs and a seed, got 3"),
        ({"noises": [lambda x, seed: x[:, :1]]}, InputError, r"noise 0 returned \(2, 1\) for inputs of \(2, 3\)"),
        ({"noises": [lambda x, seed: x.numpy()]}, InputError, "noise 0 returned a ndarray"),
        ({"noises": [lambda x, seed: x / 0]}, InputError, "noise 0 returned NaN or infinite values"),
        ({"draws": 0}, InputError, "draws must be a whole number of 1 or more, got 0"),
        ({"reduction": "sum"}, InputError, "reduction must be one of 'mean_of_ratios', 'ratio_of_means', 'none'"),
        ({"seed": 0.5}, InputError, "seed must be a whole number of 0 or more, got 0.5"),
    ],
)
def test_bad_arguments_are_named(wrong, error, message):
    """With what was given, and what to give."""
    arguments = {"epsilon": 0.1} | wrong
    with pytest.raises(error, match=message):
        noise_insensitivity(_linear([1.0, 1.0, 1.0]), torch.full((2, 3), 0.5), [0, 1], **arguments)
