"""Accuracy on these samples and on the distribution: exhaustive cases, simulations, and what is refused."""

from itertools import product

import numpy as np
import pytest
from scipy.special import expit

from reseed import InputError
from reseed.instability import accuracy_spread, calibrated_accuracy_std
from reseed.instability.labels._accuracy_spread import CorrectSums, expected_maximum


def spread_of(right):
    """The spread of runs that are right where an array [run, sample] is 1: labels 1 against targets 1."""
    return accuracy_spread(right, np.ones(right.shape[1], int))


def pair_mean(right):
    """Mean covariance over runs of two different samples, pair by pair."""
    samples = range(right.shape[1])
    return np.mean([np.cov(right[:, i], right[:, j])[0, 1] for i, j in product(samples, samples) if i != j])


def test_it_is_the_mean_covariance_of_different_samples():
    """Variance on the distribution is that of pairs by brute force, whether samples come in blocks or at once."""
    rng = np.random.default_rng(0)
    right = (rng.random((6, 40)) < expit(rng.normal(size=40) + rng.normal(size=(6, 1)))).astype(int)
    found, expected = spread_of(right), pair_mean(right)
    assert expected > 0
    assert found.std_of_distribution.value == pytest.approx(np.sqrt(expected))
    assert found.std == pytest.approx(right.mean(1).std(ddof=1))
    assert found.accuracy == pytest.approx(right.mean())
    sums = CorrectSums(6)
    for some in (slice(0, 7), slice(7, 8), slice(8, 40)):
        sums.add(right[:, some] == 1)
    in_blocks = sums.spread()
    for one, other in (
        (in_blocks.std_of_distribution, found.std_of_distribution),
        (in_blocks.best_run_optimism, found.best_run_optimism),
    ):
        assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_the_variance_is_unbiased_over_all_studies_of_a_small_world():
    """Over every draw of three runs and two samples of a world of two networks and three samples, its mean is exact."""
    networks, chance = np.array([[1, 1, 0], [1, 0, 0]]), np.array([0.3, 0.7])
    samples, weight = range(3), np.array([0.5, 0.2, 0.3])
    accuracy = networks @ weight
    truth = chance @ accuracy**2 - (chance @ accuracy) ** 2
    mean = 0.0
    for runs in product(range(2), repeat=3):
        for drawn in product(samples, repeat=2):
            right = networks[list(runs)][:, list(drawn)]
            between, own = right.mean(1).var(ddof=1), right.var(0, ddof=1).mean()
            probability = chance[list(runs)].prod() * weight[list(drawn)].prod()
            mean += probability * (2 * between - own)  # n = 2
            found = spread_of(right).std_of_distribution.value
            assert found == pytest.approx(np.sqrt(max(0.0, 2 * between - own)))
    assert mean == pytest.approx(truth)


def world(rng, runs, samples, effect):
    """Right or wrong of runs whose log-odds share an effect of each run; 30 % of the samples are in question."""
    middle = np.where(rng.random(samples) < 0.3, rng.normal(0.5, 1.2, samples), 8.0)
    return (rng.random((runs, samples)) < expit(middle + effect * rng.normal(size=(runs, 1)))).astype(int)


def true_variance(effect):
    """Variance over runs of accuracy in the world, by numerical integration."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights = weights / weights.sum()
    by_run = 0.3 * (expit(0.5 + 1.2 * nodes[:, None] + effect * nodes) * weights[:, None]).sum(0) + 0.7 * (
        expit(8.0 + effect * nodes)
    )
    return weights @ (by_run - weights @ by_run) ** 2 if effect else 0.0


@pytest.mark.parametrize("effect", [0.0, 0.2, 0.6])
def test_simulated_runs_have_the_spread_that_they_were_given(effect):
    """The mean of the variance's estimate is the truth within three standard errors, and most intervals hold it."""
    rng, truth, repetitions = np.random.default_rng(int(10 * effect)), true_variance(effect), 2000
    estimates, covered = [], 0
    for _ in range(repetitions):
        right = world(rng, 8, 150, effect)
        between, own = right.mean(1).var(ddof=1), right.var(0, ddof=1).mean()
        estimates.append((150 * between - own) / 149)
        found = spread_of(right).std_of_distribution
        assert found.value == pytest.approx(np.sqrt(max(0.0, estimates[-1])), abs=1e-8)
        covered += found.low <= np.sqrt(truth) <= found.high
    error = np.std(estimates, ddof=1) / np.sqrt(repetitions)
    assert abs(np.mean(estimates) - truth) < 3 * error
    assert 0.93 < covered / repetitions < 0.995


def test_the_best_run_is_as_much_too_good_as_is_said():
    """Accuracy of the best run here less its accuracy everywhere is on average the optimism."""
    rng, effect, repetitions = np.random.default_rng(3), 0.3, 1000
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    weights, gaps, said = weights / weights.sum(), [], []
    for _ in range(repetitions):
        shift = rng.normal(size=(24, 1))
        middle = np.where(rng.random(400) < 0.3, rng.normal(0.5, 1.2, 400), 8.0)
        right = (rng.random((24, 400)) < expit(middle + effect * shift)).astype(int)
        questioned = (expit(0.5 + 1.2 * nodes + effect * shift) * weights).sum(1)
        true = 0.3 * questioned + 0.7 * expit(8.0 + effect * shift[:, 0])
        here = right.mean(1)
        best = np.flatnonzero(here == here.max())
        # How hard these samples are moves all runs alike and chooses none.
        gaps.append((here[best] - true[best]).mean() - (here - true).mean())
        said.append(spread_of(right).best_run_optimism.value)
    assert np.mean(said) == pytest.approx(np.mean(gaps), rel=0.08)


def test_two_classes_whose_runs_are_calibrated_have_the_closed_form():
    """Runs that say yes independently with a probability that is the share of yes spread as accuracy foretells."""
    rng = np.random.default_rng(4)
    yes = rng.beta(0.3, 0.3, 400)
    spreads, errors = [], []
    for _ in range(2000):
        chance = rng.choice(yes, 400)
        labels = rng.random((10, 400)) < chance
        right = labels == (rng.random(400) < chance)
        spreads.append(right.mean(1).var(ddof=1))
        errors.append(1 - right.mean())
    found = calibrated_accuracy_std(1 - np.mean(errors), 400) ** 2
    assert abs(np.mean(spreads) - found) < 3 * np.std(spreads) / np.sqrt(len(spreads))


def test_a_negative_estimate_is_zero_with_an_upper_end():
    """Runs that differ less than independent errors would make them are no proof that all are equally good."""
    right = np.array([[1, 1, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 1, 1]] * 2).repeat(20, axis=1)
    assert pair_mean(right) < 0
    found = spread_of(right)
    assert (found.std, found.std_of_distribution.value, found.std_of_distribution.low) == (0.0, 0.0, 0.0)
    assert found.std_of_distribution.high > 0.02
    own = right.var(0, ddof=1).mean()
    assert found.best_run_optimism.value == pytest.approx(expected_maximum(8) * np.sqrt(own / 80))


def test_expected_maximum_is_that_of_simulated_normals():
    """The largest of n standard normals is on average what is said, within three standard errors."""
    largest = np.random.default_rng(5).normal(size=(20_000, 7)).max(1)
    assert abs(largest.mean() - expected_maximum(7)) < 3 * largest.std() / np.sqrt(len(largest))
    assert expected_maximum(3) == pytest.approx(1.5 / np.sqrt(np.pi))


def test_what_is_not_known_has_no_interval():
    """Two runs, and runs that are right on the same samples, have no interval; without two targets nothing is known."""
    two = accuracy_spread([[0, 1, 1, 0], [0, 1, 0, 0]], [0, 1, 1, -1])
    assert two.samples == 3
    assert np.isnan([two.std_of_distribution.low, two.best_run_optimism.high]).all()
    same = spread_of(np.tile([1, 0, 1, 1], (5, 1)))
    assert (same.std, same.std_of_distribution.value, same.best_run_optimism.value) == (0, 0, 0)
    assert np.isnan([same.std_of_distribution.high, same.best_run_optimism.high]).all()
    with pytest.warns(RuntimeWarning, match="targets holds 1 known labels; the spread of accuracy needs two or more"):
        none = accuracy_spread([[0, 1], [1, 1]], [-1, 1])
    assert np.isnan([none.accuracy, none.std, none.std_of_distribution.value, none.best_run_optimism.value]).all()


def test_wrong_arguments_are_told():
    """One run, and numbers out of range, are refused with what to pass."""
    with pytest.raises(InputError, match="labels"):
        accuracy_spread([[0, 1]], [0, 1])
    with pytest.raises(InputError, match=r"accuracy must be in 0 \.\. 1, got 98; pass a share, not percent"):
        calibrated_accuracy_std(98, 100)
    with pytest.raises(InputError, match="samples must be 1 or more, got 0"):
        calibrated_accuracy_std(0.98, 0)
