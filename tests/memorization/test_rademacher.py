"""How well learners fit random signs, against closed forms."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.stats import t as student
from sklearn.neighbors import KNeighborsClassifier

from reseed._errors import InputError
from reseed.memorization import FiniteSampleReLU, empirical_rademacher, min_norm_interpolant

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(12, 20))


def test_learners_that_fit_anything_have_one():
    """Linear functions with as many independent features as samples, the nearest neighbour, the small network."""
    learners = (
        lambda inputs, signs: min_norm_interpolant(inputs, signs).predict,
        lambda inputs, signs: KNeighborsClassifier(1).fit(inputs, signs).predict(inputs),
        lambda inputs, signs: FiniteSampleReLU.fit(inputs, signs).predict,
    )
    for learner in learners:
        found = empirical_rademacher(learner, X)
        assert (found.value, found.low, found.high, found.standard_error) == (1.0, 1.0, 1.0, 0.0)
        assert (found.runs, found.samples) == (20, 12)


def test_constants_have_the_mean_of_random_walks():
    """The class {+1, -1} has the mean of |mean of signs|, known exactly, about sqrt(2 / (pi n)); ties count as 0."""
    count = 40
    found = empirical_rademacher(lambda inputs, signs: np.full(len(signs), signs.sum()), np.zeros(count), 2000)
    exact = sum(math.comb(count, k) * abs(2 * k - count) for k in range(count + 1)) / 2**count / count
    assert exact == pytest.approx(math.sqrt(2 / (math.pi * count)), rel=0.02)
    assert abs(found.value - exact) < 4 * found.standard_error
    assert found.standard_error < 0.003
    silent = empirical_rademacher(lambda inputs, signs: 0 * signs, X)
    assert (silent.value, silent.low, silent.high) == (0.0, 0.0, 0.0)


def test_unit_norm_linear_functions_have_their_closed_form():
    """The best of them gives ||sum of s_i x_i|| / n; its mean over all signs is within the error of the estimate."""
    samples = X[:10, :3]
    signs = np.array(list(itertools.product([-1.0, 1.0], repeat=10)))
    exact = np.linalg.norm(signs @ samples, axis=1).mean() / 10

    def fit(inputs, signs):
        direction = inputs.T @ signs
        return inputs @ (direction / np.linalg.norm(direction))

    found = empirical_rademacher(fit, samples, 1500, seed=1, output="value")
    assert abs(found.value - exact) < 4 * found.standard_error
    assert found.standard_error < 0.02
    assert (
        empirical_rademacher(fit, samples, 50).value > empirical_rademacher(fit, samples, 50, output="value").value - 1
    )


def test_error_and_interval_are_those_of_students_t():
    """Over draws, of which each is the share of signs met minus that missed."""
    each = []

    def fit(inputs, signs):
        scores = np.where(np.arange(len(signs)) < 8, signs, 1.0)
        each.append((signs * scores).mean())
        return 3 * scores

    found = empirical_rademacher(fit, X, 15, seed=4, level=0.9)
    assert len(each) == 15
    error = np.std(each, ddof=1) / math.sqrt(15)
    assert (found.value, found.standard_error) == (pytest.approx(np.mean(each)), pytest.approx(error))
    assert found.high - found.value == pytest.approx(student.ppf(0.95, 14) * error)
    again, other = (empirical_rademacher(fit, X, 15, seed=seed, level=0.9) for seed in (4, 5))
    assert again == found
    assert other != found


def test_samples_come_to_the_learner_as_they_were_given():
    """Tensors stay tensors, images images; what it does to its signs changes nothing."""
    images = torch.rand(6, 1, 4, 4)

    def fit(inputs, signs):
        assert inputs is images
        scores = torch.from_numpy(signs.copy())
        signs[:] = 0
        return lambda asked: scores if asked is images else None

    assert empirical_rademacher(fit, images, 3).value == 1.0


@pytest.mark.parametrize(
    ("options", "fit", "message"),
    [
        ({"draws": 1}, lambda x, s: s, "draws must be a whole number of 2 or more, got 1"),
        ({"seed": -1}, lambda x, s: s, "seed must be a whole number of 0 or more"),
        ({"level": 1.0}, lambda x, s: s, "level must be strictly between 0 and 1, got 1.0"),
        ({"output": "logit"}, lambda x, s: s, "output must be 'sign' or 'value', got 'logit'"),
        ({}, lambda x, s: s[:3], r"one score for each of the 12 samples, got float64\[3\]"),
        ({}, lambda x, s: np.stack([s, s], 1), r"one score for each of the 12 samples, got float64\[12, 2\]"),
        ({}, lambda x, s: s * np.nan, "scores that are not finite in draw 0"),
    ],
)
def test_bad_arguments_are_named(options, fit, message):
    """With their value, and what to do."""
    with pytest.raises(InputError, match=message):
        empirical_rademacher(fit, X, **options)


def test_no_samples_are_refused():
    """There is nothing to fit."""
    with pytest.raises(InputError, match=r"X must have at least one sample, got float64\[0, 3\]"):
        empirical_rademacher(lambda x, s: s, np.zeros((0, 3)))
