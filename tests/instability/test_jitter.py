"""Jitter and self-consistency."""

import itertools

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.instability import churn, churn_matrix, jitter, self_consistency


@pytest.fixture
def labels():
    """Random labels of 7 runs."""
    return np.random.default_rng(0).integers(0, 4, (7, 300))


def test_mean_jitter_is_the_mean_of_all_pairwise_churns(labels):
    """Counting labels gives what comparing every two runs gives."""
    pairs = [churn(a, b) for a, b in itertools.combinations(labels, 2)]
    assert jitter(labels).mean() == pytest.approx(np.mean(pairs), rel=1e-13)
    upper = churn_matrix(labels)[np.triu_indices(7, 1)]
    assert jitter(labels).mean() == pytest.approx(upper.mean(), rel=1e-13)


def test_jitter_from_shares(labels):
    """The mean of N / (N - 1) (1 - sum p^2) is the mean churn of all pairs of runs."""
    shares = np.stack([(labels == k).mean(axis=0) for k in range(4)])
    np.testing.assert_allclose(jitter(labels), 7 / 6 * (1 - (shares**2).sum(axis=0)), atol=1e-14)


def test_jitter_of_two_runs_is_their_churn(labels):
    """With two runs there is one pair."""
    assert jitter(labels[:2]).mean() == churn(labels[0], labels[1])


def test_jitter_is_unbiased():
    """Its expectation over all outcomes of 2, 3 and 5 binary runs is the probability that two runs disagree."""
    p = 0.3
    for runs in (2, 3, 5):
        outcomes = np.array(list(itertools.product([0, 1], repeat=runs))).T
        chance = np.prod(np.where(outcomes == 1, p, 1 - p), axis=0)
        assert chance @ jitter(outcomes) == pytest.approx(2 * p * (1 - p), rel=1e-12)


@pytest.mark.parametrize(("ones", "expected"), [(5, 0.4444), (1, 0.8), (0, 1.0)])
def test_self_consistency_of_ten_runs(ones, expected):
    """Five against five agree in 0.4444 of the pairs, nine against one in 0.8."""
    labels = (np.arange(10) < ones).astype(int)[:, None]
    assert self_consistency(labels)[0] == pytest.approx(expected, abs=5e-5)


def test_self_consistency_and_jitter_add_up_to_one(labels):
    """The share of pairs that agree is one minus the share that do not."""
    assert np.mean(1 - self_consistency(labels)) == pytest.approx(jitter(labels).mean(), rel=1e-14)


def test_naive_bootstrap_over_runs_is_biased():
    """Over all 4^4 resamples of 4 runs the mean jitter is exactly (1 - 1/4) of the jitter."""
    labels = np.random.default_rng(0).integers(0, 3, (4, 40))
    resamples = [jitter(labels[list(rows)]).mean() for rows in itertools.product(range(4), repeat=4)]
    assert np.mean(resamples) == pytest.approx(0.75 * jitter(labels).mean(), rel=1e-12)


@pytest.mark.parametrize(("measure", "name"), [(jitter, "jitter"), (self_consistency, "self-consistency")])
def test_too_few_runs(measure, name):
    """One run raises; a mask that leaves one gives NaN with a warning."""
    with pytest.raises(InputError, match="labels has 1 runs along axis 0, fewer than the 2 needed"):
        measure([[0, 1]])
    with pytest.warns(RuntimeWarning, match=f"1 of 2 samples with fewer runs than the 2 that {name} needs"):
        found = measure([[0, 1], [0, 1]], mask=[[True, True], [False, True]])
    assert np.isnan(found).tolist() == [True, False]
