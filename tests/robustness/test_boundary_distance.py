"""How far the nearest other answer is that gradients lead to, and how far it would be from a linear network."""

import math

import pytest
import torch

from reseed import InputError
from reseed.models import Networks
from reseed.perturbations import deepfool, pgd
from reseed.robustness import boundary_distance, linear_boundary_distance
from reseed.robustness.boundary._nearest import nearest_on_plane
from reseed.robustness.boundary._probed import probed

DUAL = {"inf": 1, "2": 2, "1": math.inf}


def _linear(seed=0, features=8, classes=5):
    torch.manual_seed(seed)
    network = torch.nn.Linear(features, classes).double().eval()
    return network, torch.rand(30, features, dtype=torch.float64)


def _exact(network, inputs, norm):
    """The minimal distance of a linear network: min over j of (z_a - z_j) / ||w_a - w_j||_q."""
    logits = network(inputs).detach()
    answers = logits.argmax(1)
    far = []
    for other in range(logits.shape[1]):
        gap = logits.gather(1, answers[:, None])[:, 0] - logits[:, other]
        steep = torch.linalg.vector_norm(network.weight[answers] - network.weight[other], DUAL[norm], dim=1)
        far.append(torch.where(answers == other, math.inf, gap / steep))
    return torch.stack(far).amin(0).detach()


def _mlps(count, features=6):
    torch.manual_seed(4)
    return [
        torch.nn.Sequential(torch.nn.Linear(features, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)).double()
        for _ in range(count)
    ]


@pytest.mark.parametrize("norm", ["inf", "2", "1"])
def test_the_cheap_look_is_exact_on_linear_networks(norm):
    """Of as many classes as there are."""
    network, inputs = _linear()
    torch.testing.assert_close(linear_boundary_distance(network, inputs, norm=norm), _exact(network, inputs, norm))


def test_fewer_candidates_see_no_more():
    """The classes with the largest logits are looked at first, and those need not be the nearest."""
    network, inputs = _linear(classes=9)
    one, all_of_them = (linear_boundary_distance(network, inputs, candidates=count) for count in (1, 8))
    assert bool((one >= all_of_them).all())
    assert bool((one > all_of_them).any())


def test_the_cheap_look_leaves_frozen_features():
    """They give no slope."""
    network, inputs = _linear()
    frozen = torch.arange(8) < 3
    part = torch.nn.Linear(5, 5).double().eval()
    part.weight.data = network.weight.data[:, 3:]
    part.bias.data = network.bias.data
    rest = torch.nn.functional.linear(inputs[0, :3], network.weight[:, :3])
    part.bias.data = (network.bias + rest).detach()
    found = linear_boundary_distance(network, inputs[:1], frozen=frozen)
    torch.testing.assert_close(found, _exact(part, inputs[:1, 3:], "2"))


def test_a_constant_network_is_infinitely_far_from_its_boundary():
    """No direction leads anywhere."""
    found = linear_boundary_distance(lambda x: x[:, :2] * 0 + torch.tensor([2.0, 0.0]), torch.rand(3, 4))
    assert found.tolist() == [math.inf] * 3


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_linear_networks_without_bounds(norm):
    """The first step is exact, and the answer there has been seen to differ."""
    network, inputs = _linear()
    found = boundary_distance(network, inputs, norm=norm, longest=9.0, bounds=None, bisections=30)
    torch.testing.assert_close(found.distance, _exact(network, inputs, norm), rtol=1e-7, atol=0)
    assert bool((found.distance >= _exact(network, inputs, norm) * (1 - 1e-9)).all())
    assert not found.censored.any()


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_the_nearest_point_of_a_plane_in_a_box(norm):
    """Against the solution by halving its one unknown number; infinite where the box ends before the plane."""
    torch.manual_seed(1)
    inputs = torch.rand(40, 6, dtype=torch.float64)
    budget = probed(lambda x: x[:, :2], inputs, None, bounds=(0.0, 1.0), frozen=None, batch_size=None, norm=norm).budget
    slope, rise = torch.randn(40, 6, dtype=torch.float64), 2 * torch.rand(40, dtype=torch.float64)
    places, far = nearest_on_plane(budget, slope, rise)
    towards = slope.sign() if norm == "inf" else slope
    low, high = torch.zeros(40, dtype=torch.float64), torch.full((40,), 1e3, dtype=torch.float64)

    def moved(length):
        return (inputs + length[:, None] * towards).clamp(0, 1) - inputs

    reachable = (moved(high) * slope).sum(1) >= rise
    assert 20 < int(reachable.sum()) < 40
    for _ in range(60):
        middle = (low + high) / 2
        enough = (moved(middle) * slope).sum(1) >= rise
        low, high = torch.where(enough, low, middle), torch.where(enough, middle, high)
    assert torch.equal(far.isfinite(), reachable)
    wanted = torch.linalg.vector_norm(moved(high), float(norm), dim=1)
    torch.testing.assert_close(far[reachable], wanted[reachable], rtol=1e-5, atol=1e-7)
    torch.testing.assert_close(places[reachable], (inputs + moved(high))[reachable], rtol=0, atol=1e-4)


@pytest.mark.parametrize("norm", ["inf", "2"])
def test_attacks_hardly_ever_come_nearer(norm):
    """Projected gradient descent within a smaller budget, and DeepFool, from which the search begins."""
    networks, inputs = Networks(_mlps(2)), torch.rand(60, 6, dtype=torch.float64)
    found = boundary_distance(networks, inputs, norm=norm)
    assert found.distance.shape == (2, 60)
    answers = networks(inputs).argmax(-1)
    for epsilon in (0.05, 0.1, 0.2):
        fooled = pgd(networks, inputs, answers, epsilon=epsilon, norm=norm, loss="margin", restarts=2).success
        assert int((fooled & (found.distance > epsilon)).sum()) <= 5  # of 120
    peer = deepfool(networks, inputs, answers, norm=norm)
    assert bool((found.distance <= peer.distance * (1 + 1e-9))[peer.success].all())
    assert found.distance.mean() < 0.98 * peer.distance.mean()


def test_distances_are_below_those_of_random_directions_and_above_no_certificate():
    """A network of one Lipschitz logit gap: its margin over the constant is a lower bound."""
    network = _mlps(1)[0].eval()
    inputs = torch.rand(40, 6, dtype=torch.float64)
    found = boundary_distance(network, inputs)
    logits = network(inputs).detach().topk(2).values
    steep = math.prod(float(torch.linalg.matrix_norm(layer.weight.detach(), 2)) for layer in (network[0], network[2]))
    lower = (logits[:, 0] - logits[:, 1]) / (math.sqrt(2) * steep)
    assert bool((found.distance >= lower).all())


def test_the_box_is_never_left():
    """Also where the boundary outside would be nearer."""
    network = torch.nn.Linear(2, 2, bias=False).double().eval()
    network.weight.data = torch.tensor([[4.0, 1.0], [0.0, 0.0]], dtype=torch.float64)
    network.bias = torch.nn.Parameter(torch.tensor([-0.3, 0.0], dtype=torch.float64))
    inputs = torch.tensor([[0.01, 0.6]], dtype=torch.float64)  # the first feature can fall by 0.01 only
    free = boundary_distance(network, inputs, bounds=None, longest=3.0, bisections=20)
    assert free.distance.item() == pytest.approx(0.34 / math.sqrt(17), rel=1e-5)
    boxed = boundary_distance(network, inputs, bisections=20)
    assert boxed.distance.item() == pytest.approx(math.hypot(0.01, 0.3), rel=1e-4)


def test_wrong_answers_are_at_distance_zero_with_targets_only():
    """Without targets a network's own answer is what is left, right or wrong."""
    network, inputs = _linear()
    targets = network(inputs).argmax(1)
    targets[4] = (targets[4] + 1) % 5
    given = boundary_distance(network, inputs, targets)
    own = boundary_distance(network, inputs)
    assert given.distance[4] == 0
    assert not given.censored[4]
    assert bool((own.distance > 0).all())
    assert torch.equal(given.distance != own.distance, torch.arange(30) == 4)


def test_who_is_farther_than_the_longest_distance_is_censored():
    """And stands at it."""
    network, inputs = _linear()
    exact = _exact(network, inputs, "2")
    longest = float(exact.median()) * 1.001
    found = boundary_distance(network, inputs, longest=longest, bounds=None, bisections=20)
    assert torch.equal(found.censored, exact > longest)
    assert bool((found.distance[found.censored] == longest).all())
    torch.testing.assert_close(found.distance[~found.censored], exact[~found.censored], rtol=1e-4, atol=0)


def test_a_constant_network_has_no_boundary():
    """Whatever is tried."""
    found = boundary_distance(lambda x: x[:, :2] * 0 + torch.tensor([2.0, 0.0]), torch.rand(3, 4))
    assert found.censored.all()
    with pytest.warns(RuntimeWarning, match="no sample has another answer"):
        assert found.mean().isnan()


def test_what_the_linear_look_misses_is_attacked():
    """Where the gradient at the input leads away from the only other answer."""

    class Curved(torch.nn.Module):
        def forward(self, x):
            logit = 1.5 + (6 * x[:, 0]).cos() * (1 + x[:, 0])  # from 2.5 over valleys that do not reach 0 on the left
            return torch.stack([logit, torch.ones_like(logit)], dim=1)

    found = boundary_distance(Curved().eval(), torch.tensor([[0.05], [0.5], [0.95]], dtype=torch.float64))
    assert not found.censored.any()


def test_runs_and_samples_are_the_same_alone_and_together():
    """Whatever the batch size."""
    networks, inputs = _mlps(3), torch.rand(20, 6, dtype=torch.float64)
    for ask in (boundary_distance, linear_boundary_distance):
        whole, parts = (ask(Networks(networks), inputs, batch_size=size) for size in (None, 3))
        alone = [ask(network.eval(), inputs[4:9]) for network in networks]
        if ask is boundary_distance:
            whole, parts, alone = whole.distance, parts.distance, [each.distance for each in alone]
        assert whole.shape == (3, 20)
        torch.testing.assert_close(parts, whole)
        torch.testing.assert_close(torch.stack(alone), whole[:, 4:9])


def test_images_in_single_precision_and_arrays():
    """Of any shape; numpy comes back where no tensor was given."""
    torch.manual_seed(0)
    network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(18, 4)).eval()
    images = torch.rand(5, 2, 3, 3)
    found = boundary_distance(network, images.numpy(), norm="inf")
    assert found.distance.dtype == "float64"
    exact = linear_boundary_distance(network, images, norm="inf").numpy()
    inside = exact < images.amin((1, 2, 3)).numpy()
    assert found.distance[inside] == pytest.approx(exact[inside], rel=1e-3)
    assert (found.distance >= exact * (1 - 1e-5)).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"norm": "1"}, "norm must be one of '2', 'inf' for the attack boundary_distance, got '1'"),
        ({"longest": 0.0}, "longest must be above 0 and finite, in the units of the inputs, got 0.0"),
        ({"bounds": None}, "longest is None, and the inputs have no bounds; say how far to look"),
        ({"steps": 0}, "steps must be a whole number of 1 or more, got 0"),
        ({"candidates": 0}, "candidates must be a whole number of 1 or more, got 0"),
        ({"restarts": -1}, "restarts must be a whole number of 0 or more, got -1"),
        ({"seed": -1}, "seed must be a whole number of 0 or more, got -1"),
        ({"bisections": 0}, "bisections must be a whole number of 1 or more, got 0"),
    ],
)
def test_bad_arguments_are_named(wrong, message):
    """With what was given."""
    network, inputs = _linear()
    with pytest.raises(InputError, match=message):
        boundary_distance(network, inputs, **wrong)


def test_bad_arguments_of_the_cheap_look_are_named():
    """With what was given."""
    network, inputs = _linear()
    with pytest.raises(InputError, match="norm must be one of 'inf', '2', '1', got '3'"):
        linear_boundary_distance(network, inputs, norm="3")
    with pytest.raises(InputError, match="candidates must be a whole number of 1 or more, got 0"):
        linear_boundary_distance(network, inputs, candidates=0)
    with pytest.raises(InputError, match="model gives no gradients, which are needed here"):
        linear_boundary_distance(lambda x: x[:, :2].detach(), inputs)
