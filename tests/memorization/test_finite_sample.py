"""A small network that goes through any targets."""

import warnings

import numpy as np
import pytest
import torch
from scipy.linalg import solve_triangular
from torch import nn

from reseed._errors import InputError
from reseed.memorization import FiniteSampleReLU
from reseed.memorization.interpolation._finite_sample import ramp_factors


def problem(count, features, seed=0):
    """Random samples and targets."""
    random = np.random.default_rng(seed)
    return random.normal(size=(count, features)), random.normal(size=count)


def missed(model, samples, targets):
    """How far the network, called as a module, is from its targets, in units of the largest."""
    with torch.no_grad():
        found = model(torch.from_numpy(np.asarray(samples, dtype=float))).numpy()
    return np.abs(found - targets).max() / max(np.abs(targets).max(), 1e-300)


@pytest.mark.parametrize("features", [1, 5, 50])
@pytest.mark.parametrize("count", [1, 2, 20, 200])
def test_it_goes_through_any_targets(count, features):
    """To a millionth of the largest target on up to 200 samples, with two weights for each and one for each feature."""
    samples, targets = problem(count, features)
    signs = np.where(targets > 0, 1.0, -1.0)
    for wanted in (targets, signs, 1e6 * targets, np.zeros(count)):
        model = FiniteSampleReLU.fit(samples, wanted)
        assert isinstance(model, nn.Module)
        assert missed(model, samples, wanted) <= 1e-6
        assert model.residual <= 1e-6 * np.abs(wanted).max()
        assert model.num_weights == 2 * count + features
        assert sum(weight.numel() for weight in model.parameters()) == 2 * count + features
        assert {weight.dtype for weight in model.parameters()} == {torch.float64}


def test_it_is_the_formula_and_its_matrix_triangular():
    """The network is sum_j w_j max(<a, x> - b_j, 0); at sorted samples the matrix has a positive diagonal."""
    samples, targets = problem(30, 4)
    model = FiniteSampleReLU.fit(samples, targets)
    a, b, w = (each.detach().numpy() for each in (model.direction, model.knots, model.factors))
    others = np.random.default_rng(5).normal(size=(40, 4))
    expected = (w * np.maximum((others @ a)[:, None] - b, 0)).sum(1)
    np.testing.assert_allclose(model(torch.from_numpy(others)).detach().numpy(), expected, atol=1e-9)
    places = np.sort(samples @ a)
    matrix = np.maximum(places[:, None] - b, 0)
    assert (np.triu(matrix, 1) == 0).all()
    assert (np.diagonal(matrix) > 0).all()
    assert np.allclose(np.sort(np.linalg.eigvals(matrix).real), np.sort(places - b))
    solution = solve_triangular(matrix, targets[np.argsort(samples @ a)], lower=True)
    np.testing.assert_allclose(w, solution, rtol=1e-6, atol=1e-6)


def test_two_samples_by_hand():
    """Places 1 and 2, knots 0 and 1.5: the matrix is [[1, 0], [2, .5]], and targets 3 and 4 give factors 3 and -4."""
    factors = ramp_factors(np.array([1.0, 2.0]), np.array([0.0, 1.5]), np.array([3.0, 4.0]))
    assert factors.tolist() == [3.0, -4.0]
    model = FiniteSampleReLU([1.0], [0.0, 1.5], factors)
    assert model(torch.tensor([[1.0], [2.0], [-1.0], [1.5]])).tolist() == [3.0, 4.0, 0.0, 4.5]
    assert FiniteSampleReLU([1.0], [0.0, 1.5], factors, depth=2)(torch.tensor([[1.0], [2.0], [1.5]])).tolist() == [
        3.0,
        4.0,
        4.5,
    ]


@pytest.mark.parametrize("depth", [1, 2, 3, 4, 60])
def test_depth_k_is_the_same_function_in_narrow_layers(depth):
    """With k hidden layers of ceil(n / k) + 3 units; the same everywhere, at the samples and between them."""
    samples, targets = problem(60, 5)
    flat, deep = (FiniteSampleReLU.fit(samples, targets, depth=layers) for layers in (1, depth))
    assert missed(deep, samples, targets) <= 1e-6
    others = torch.from_numpy(3 * np.random.default_rng(2).normal(size=(200, 5)))
    torch.testing.assert_close(deep(others), flat(others), rtol=1e-6, atol=1e-6)
    if depth > 1:
        hidden = [layer.out_features for layer in deep.modules() if isinstance(layer, nn.Linear)][:-1]
        assert hidden == [-(-60 // depth) + 3] * depth
        assert deep.width == hidden[0]
        assert deep.num_weights == sum(weight.numel() for weight in deep.parameters())
    (narrow, wide), (one, _) = problem(200, 8), problem(200, 8)
    assert missed(FiniteSampleReLU.fit(narrow, wide, depth=min(depth, 7)), one, wide) <= 1e-6


@pytest.mark.parametrize("depth", [1, 3])
def test_targets_of_several_numbers_share_direction_and_knots(depth):
    """They are fitted together, with n + d + n m weights."""
    samples, _ = problem(40, 6)
    targets = np.random.default_rng(1).normal(size=(40, 3))
    model = FiniteSampleReLU.fit(samples, targets, depth=depth)
    assert missed(model, samples, targets) <= 1e-6
    if depth == 1:
        assert model.num_weights == 40 + 6 + 3 * 40
    else:
        assert model.width == 14 + 1 + 6


def test_equal_samples_with_equal_targets_are_one():
    """Merged, they count once; zeros of either sign are equal."""
    samples, targets = problem(10, 3)
    samples[0, 0] = 0.0
    doubled = np.concatenate([samples, samples[:4]])
    doubled[10, 0] = -0.0
    model = FiniteSampleReLU.fit(doubled, np.concatenate([targets, targets[:4]]))
    assert model.num_weights == 2 * 10 + 3
    assert missed(model, samples, targets) <= 1e-6


def test_it_tells_how_much_rounding_costs():
    """Residual and condition grow with the samples; above the tolerance a warning is given; single precision fails."""
    fits = {count: FiniteSampleReLU.fit(*problem(count, 10)) for count in (20, 200, 1000)}
    conditions = [model.condition for model in fits.values()]
    assert 1 <= conditions[0] < conditions[1] < conditions[2]
    for count, model in fits.items():
        samples, targets = problem(count, 10)
        terms = np.abs(model.factors.detach().numpy()) * np.maximum(
            (samples @ model.direction.detach().numpy())[:, None] - model.knots.detach().numpy(), 0
        )
        assert model.condition == pytest.approx(terms.sum(1).max() / np.abs(targets).max())
        assert model.residual == pytest.approx(missed(model, samples, targets) * np.abs(targets).max(), rel=0.5)
        assert model.residual <= 1e-15 * count * model.condition * np.abs(targets).max()
    samples, targets = problem(1000, 10)
    with pytest.warns(RuntimeWarning, match=r"misses its targets by up to .*, more than 1e-15 of the largest"):
        FiniteSampleReLU.fit(samples, targets, tolerance=1e-15)
    assert missed(fits[1000].float(), samples, targets) > 1e-3


def test_the_best_of_several_directions_is_taken():
    """More directions to choose from never give larger factors, and far smaller ones where few are unlucky."""
    samples, targets = problem(300, 5)
    largest = [
        float(FiniteSampleReLU.fit(samples, targets, directions=count).factors.detach().abs().max())
        for count in (1, 8, 64)
    ]
    assert largest[0] > largest[1] >= largest[2]
    assert largest[0] > 2 * largest[2]
    one, again = (FiniteSampleReLU.fit(samples, targets, seed=3).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], again[name]) for name in one)


def test_a_tie_is_drawn_again():
    """Of a first direction that takes two samples to one place another one is taken."""
    first = np.random.default_rng(0).standard_normal(2)
    across = np.array([-first[1], first[0]])
    samples = np.array([[0.0, 0.0], across, [1.0, 5.0]])
    assert abs(samples[1] @ first) < 1e-15  # nothing but what rounding leaves, which differs between processors
    assert missed(FiniteSampleReLU.fit(samples, [1.0, 2.0, 3.0]), samples, np.array([1.0, 2.0, 3.0])) <= 1e-6
    with pytest.raises(InputError, match="samples 0 and 1 of X are so close"):
        FiniteSampleReLU.fit(samples, [1.0, 2.0, 3.0], directions=1)


def test_tensors_and_lists_are_taken():
    """What samples come as makes no difference; no warning, no draw of torch's."""
    samples, targets = problem(12, 3)
    state = torch.random.get_rng_state()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        models = [
            FiniteSampleReLU.fit(make(samples), make(targets), depth=2)
            for make in (np.asarray, torch.from_numpy, np.ndarray.tolist)
        ]
    assert torch.equal(state, torch.random.get_rng_state())
    states = [model.state_dict() for model in models]
    assert all(torch.equal(states[0][name], other[name]) for other in states for name in states[0])


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([[1.0], [2.0], [1.0]], [1.0, 2.0, 3.0]), {}, r"samples 0 and 2 of X are equal, but .* 1 and 3: no function"),
        (
            ([[1.0], [2.0], [1.0]], [[1.0, 0.0], [2.0, 0.0], [1.0, 1.0]]),
            {},
            r"samples 0 and 2 of X are equal, but their targets differ, \[1.0, 0.0\] and \[1.0, 1.0\]",
        ),
        (
            ([[1e9], [1e9 + 1e-7], [0.0]], [1.0, 2.0, 0.0]),
            {},
            r"samples 0 and 1 of X are so close, .* none of 32 random",
        ),
        (([[1.0], [2.0]], [1.0]), {}, r"y must have a target for each of the 2 samples of X, .* got float64\[1\]"),
        (([1.0, 2.0], [1.0, 2.0]), {}, r"X must be \[sample, feature\], got float64\[2\]; flatten images"),
        ((np.zeros((0, 3)), []), {}, r"X is empty, got float64\[0, 3\]"),
        (([[np.nan]], [1.0]), {}, r"X must be finite, got nan at position \(0, 0\)"),
        (([[1.0]], [np.inf]), {}, r"y must be finite, got inf at position \(0,\)"),
        (([["a"]], [1.0]), {}, "X must hold numbers"),
        (([[1.0], [2.0]], [1.0, 2.0]), {"depth": 3}, "depth must be at most the number of distinct samples, 2, got 3"),
        (([[1.0], [2.0]], [1.0, 2.0]), {"depth": 0}, "depth must be a whole number of 1 or more, got 0"),
        (([[1.0]], [1.0]), {"directions": 0}, "directions must be a whole number of 1 or more, got 0"),
        (([[1.0]], [1.0]), {"tolerance": 0.0}, "tolerance must be positive, got 0.0"),
        (([[1.0]], [1.0]), {"seed": -1}, "seed must be a whole number of 0 or more, got -1"),
    ],
)
def test_what_cannot_be_fitted_is_refused(arguments, options, message):
    """The message names the argument or the samples, and says what to do."""
    with pytest.raises(InputError, match=message):
        FiniteSampleReLU.fit(*arguments, **options)


def test_knots_that_do_not_ascend_are_refused():
    """Each has a factor, and comes after the one before."""
    with pytest.raises(InputError, match="knots must ascend and have one factor each, got 2 knots and 2 factors"):
        FiniteSampleReLU([1.0], [1.0, 1.0], [1.0, 1.0])
    with pytest.raises(InputError, match="got 2 knots and 1 factors"):
        FiniteSampleReLU([1.0], [1.0, 2.0], [1.0])
