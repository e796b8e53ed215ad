"""How far inputs move along random directions before the answer changes."""

import math

import numpy as np
import pytest
import torch

from reseed import InputError
from reseed.models import Networks
from reseed.perturbations import pgd
from reseed.robustness import noise_distance
from reseed.robustness.boundary._directions import orthonormal_directions


def _binary(weights, bias=0.0):
    """Logits [0, w.x + b], asked without gradients."""
    weights = torch.as_tensor(weights, dtype=torch.float64)

    def answer(inputs):
        logit = inputs @ weights + bias
        return torch.stack([torch.zeros_like(logit), logit], dim=1)

    return answer


@pytest.fixture
def linear():
    """A network of one logit in nine dimensions, inputs, and their margins."""
    torch.manual_seed(3)
    weights, inputs = torch.randn(9, dtype=torch.float64), torch.randn(6, 9, dtype=torch.float64)
    return _binary(weights, 0.2), inputs, weights, (inputs @ weights + 0.2).abs()


def test_directions_are_an_orthonormal_basis_and_fewer_are_the_first_of_more():
    """Whatever their number."""
    basis = orthonormal_directions(12, 12, seed=5)
    torch.testing.assert_close(basis @ basis.T, torch.eye(12, dtype=torch.float64))
    torch.testing.assert_close(orthonormal_directions(4, 12, seed=5), basis[:4])
    assert not torch.allclose(orthonormal_directions(4, 12, seed=6), basis[:4])


@pytest.mark.parametrize("seed", [0, 1, 7])
def test_a_full_basis_holds_the_minimal_distance_of_a_linear_network(linear, seed):
    """The sum of t^-2 over any orthonormal basis is (||w|| / m)^2, and no t is below m / ||w||."""
    model, inputs, weights, margin = linear
    found = noise_distance(
        model,
        inputs,
        directions=9,
        longest=1e5,
        units="l2",
        steps=1,
        tolerance=1e-9,
        by_direction=True,
        bounds=None,
        seed=seed,
    )
    nearest = margin / weights.norm()
    torch.testing.assert_close((found.by_direction**-2).sum(-1) ** -0.5, nearest, rtol=1e-7, atol=0)
    basis = orthonormal_directions(9, 9, seed)
    torch.testing.assert_close(found.by_direction, margin[:, None] / (basis @ weights).abs(), rtol=1e-6, atol=1e-8)
    assert bool((found.distance >= nearest * (1 - 1e-9)).all())
    assert not found.censored.any()


def test_the_unit_is_the_root_mean_square_of_the_change(linear):
    """Which divides lengths by sqrt(D); frozen features are no part of it, nor of any direction."""
    model, inputs, weights, margin = linear
    wanted = {"steps": 1, "tolerance": 1e-9, "bounds": None, "longest": 1e5}
    length = noise_distance(model, inputs, directions=9, units="l2", **wanted)
    mean_square = noise_distance(model, inputs, directions=9, **wanted)
    torch.testing.assert_close(mean_square.distance, length.distance / 3, rtol=1e-6, atol=1e-8)
    frozen = np.arange(9) >= 4
    some = noise_distance(model, inputs, directions=4, by_direction=True, frozen=frozen, **wanted)
    nearest = margin / weights[:4].norm() / 2
    torch.testing.assert_close((some.by_direction**-2).sum(-1) ** -0.5, nearest, rtol=1e-6, atol=0)


def test_the_minimum_alone_is_that_of_all_directions(linear):
    """Directions that are left early would change nothing: not with several boundaries along a direction either."""
    _, inputs, weights, _ = linear

    def model(inputs):
        logit = torch.sin(3 * (inputs @ weights)) + 0.3 * torch.cos(5 * inputs[:, 0])
        return torch.stack([torch.zeros_like(logit), logit], dim=1)

    wanted = {"longest": 0.5, "bounds": (-4.0, 4.0), "seed": 2}
    every = noise_distance(model, inputs, by_direction=True, **wanted)
    assert len(every.by_direction[0]) == 9  # all that there are
    nearest = noise_distance(model, inputs, **wanted)
    assert torch.equal(nearest.distance, every.by_direction.amin(1))
    assert nearest.by_direction is None
    assert bool((nearest.queries < every.queries).all())


def test_the_distance_is_one_at_which_the_answer_differs():
    """The far end of the bracket, no farther than the tolerance behind the change."""
    found = noise_distance(_binary([1.0]), torch.tensor([[0.3]], dtype=torch.float64), tolerance=1e-5, bounds=(-1, 1))
    assert 0.3 <= found.distance.item() <= 0.3 + 1e-5


def test_both_senses_are_tried():
    """The reference code tries one: it misses the boundary behind the input."""
    model, inputs = _binary([1.0]), torch.tensor([[0.3], [-0.3]], dtype=torch.float64)
    both = noise_distance(model, inputs, bounds=(-1, 1))
    assert not both.censored.any()
    one = noise_distance(model, inputs, bounds=(-1, 1), both_senses=False)
    assert one.censored.sum() == 1
    assert one.distance[one.censored].item() == 0.5


def test_no_change_is_told_from_a_change_at_the_largest_distance():
    """The reference code gives both the same number."""
    inputs = torch.tensor([[0.49], [0.6]], dtype=torch.float64)
    found = noise_distance(_binary([1.0]), inputs, longest=0.5, tolerance=1.0, bounds=None, by_direction=True)
    assert found.distance.tolist() == [0.5, 0.5]
    assert found.censored.tolist() == [False, True]
    assert found.by_direction.flatten().tolist() == [0.5, math.inf]
    assert found.censored_count == 1


def test_points_stay_in_the_box(linear):
    """What lies outside is never asked about."""
    model, inputs, _, _ = linear
    inputs = inputs.sigmoid()
    seen = []

    def watched(points):
        seen.append(points)
        return model(points)

    noise_distance(watched, inputs, bounds=(0, 1), longest=2.0)
    assert all(bool(((each >= 0) & (each <= 1)).all()) for each in seen)
    assert any(bool((each == 0).any()) for each in seen)


def test_wrong_answers_are_at_distance_zero_with_targets_only(linear):
    """Without targets a network's own answer is what is left, right or wrong."""
    model, inputs, _, _ = linear
    wanted = {"bounds": None, "longest": 50.0}
    own = noise_distance(model, inputs, **wanted)
    assert bool((own.distance > 0).all())
    answers = model(inputs).argmax(1)
    targets = answers.clone()
    targets[2] = 1 - targets[2]
    given = noise_distance(model, inputs, targets, **wanted)
    assert given.distance[2] == 0
    assert not given.censored.any()
    assert torch.equal(given.distance != own.distance, torch.arange(6) == 2)


def test_distances_are_those_of_the_inputs_given():
    """The reference code measures them from adversarial inputs, where nothing is left of them."""
    torch.manual_seed(0)
    network = torch.nn.Linear(6, 2).double().eval()
    inputs = torch.rand(8, 6, dtype=torch.float64)
    answers = network(inputs).argmax(1)
    fooled = pgd(network, inputs, answers, epsilon=0.9).inputs
    clean = noise_distance(network, inputs, answers, longest=9.0, bounds=None)
    there = noise_distance(network, fooled, answers, longest=9.0, bounds=None)
    changed = network(fooled).argmax(1) != answers
    assert bool(changed.any())
    assert bool((clean.distance > 0).all())
    assert bool((there.distance[changed] == 0).all())


def test_runs_and_samples_are_the_same_alone_and_together():
    """Whatever the batch size."""
    torch.manual_seed(1)
    networks = [
        torch.nn.Sequential(torch.nn.Linear(5, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3)).double() for _ in range(3)
    ]
    inputs = torch.rand(20, 5, dtype=torch.float64)
    whole = noise_distance(Networks(networks), inputs, longest=1.0)
    assert whole.distance.shape == (3, 20)
    parts = noise_distance(Networks(networks), inputs, longest=1.0, batch_size=3)
    torch.testing.assert_close(parts.distance, whole.distance)
    assert torch.equal(parts.queries, whole.queries)
    for run, network in enumerate(networks):
        alone = noise_distance(network.eval(), inputs[4:9], longest=1.0)
        torch.testing.assert_close(alone.distance, whole.distance[run, 4:9])
    assert torch.equal(whole.censored, noise_distance(Networks(networks), inputs, longest=1.0).censored)


def test_arrays_come_back_as_they_were_given(linear):
    """Tensors for tensors, else numpy."""
    model, inputs, _, _ = linear
    found = noise_distance(model, inputs.numpy(), bounds=None)
    assert isinstance(found.distance, np.ndarray)
    assert isinstance(found.mean(), float)
    assert repr(found).startswith("Distances(6 samples, ")


def test_more_directions_come_nearer(linear):
    """The first of them are the same ones."""
    model, inputs, _, _ = linear
    few, more = (
        noise_distance(model, inputs, directions=count, bounds=None, longest=50.0, steps=1, tolerance=1e-6).distance
        for count in (3, 9)
    )
    assert bool((more <= few + 1e-5).all())
    assert bool((more < few).any())


def test_the_expected_overestimate_in_many_dimensions():
    """With 64 of 64 directions the nearest is about 1 / .32 times the minimal distance."""
    torch.manual_seed(2)
    weights = torch.randn(64, dtype=torch.float64)
    inputs = torch.randn(1, 64, dtype=torch.float64)
    ratios = []
    for seed in range(40):
        found = noise_distance(
            _binary(weights), inputs, directions=64, bounds=None, longest=1e4, units="l2", steps=1, seed=seed,
            tolerance=1e-3,
        )  # fmt: skip
        ratios.append(((inputs @ weights).abs() / weights.norm() / found.distance).item())
    assert np.mean(ratios) == pytest.approx(0.32, abs=0.02)


def test_a_constant_network_has_no_mean():
    """All samples are censored."""
    found = noise_distance(_binary(torch.zeros(4)), torch.rand(5, 4, dtype=torch.float64))
    assert found.censored.all()
    for drop in (False, True):
        with pytest.warns(RuntimeWarning, match="no sample has another answer within the largest distance"):
            assert math.isnan(found.mean(drop_censored=drop))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"directions": 5}, "directions must be a whole number from 1 to 4, the number of features that may change"),
        ({"directions": 0}, "directions must be a whole number from 1 to 4"),
        ({"directions": 4, "frozen": [True, False, False, False]}, "from 1 to 3"),
        ({"longest": 0.0}, "longest must be above 0 and finite, in the units rms, got 0.0"),
        ({"units": "pixels"}, "units must be 'rms' or 'l2', got 'pixels'"),
        ({"steps": 0}, "steps must be a whole number of 1 or more, got 0"),
        ({"tolerance": 0.0}, "tolerance must be above 0"),
        ({"seed": -1}, "seed must be a whole number of 0 or more, got -1"),
        ({"batch_size": 0}, "batch_size must be a whole number of 1 or more, got 0"),
        ({"targets": [0, 2]}, "targets holds 2, and the model has the classes 0 to 1"),
        ({"bounds": (0.0, 0.1)}, "outside bounds"),
    ],
)
def test_bad_arguments_are_named(wrong, message):
    """With what was given, and what to give."""
    with pytest.raises(InputError, match=message):
        noise_distance(_binary(torch.ones(4)), torch.full((2, 4), 0.5, dtype=torch.float64), **wrong)


def test_logits_that_are_not_finite_are_refused():
    """No distance can be had from them."""
    with pytest.raises(InputError, match="model returned NaN or infinite logits"):
        noise_distance(lambda x: torch.full((len(x), 2), math.nan), torch.rand(2, 3))
