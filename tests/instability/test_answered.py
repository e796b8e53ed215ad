"""Coverage and stability of runs that may abstain, against counts of pairs one by one."""

import math
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy import stats

from reseed._errors import InputError
from reseed.instability import answered, estimate, jitter


def random(runs: int = 5, samples: int = 40, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels and abstentions [run, sample]."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, 3, (runs, samples)), generator.random((runs, samples)) < 0.2


def by_pairs(labels: np.ndarray, silent: np.ndarray) -> float:
    """The share of differing pairs of answers, pair by pair."""
    pairs = [
        labels[one, sample] != labels[other, sample]
        for sample in range(labels.shape[1])
        for one, other in combinations(range(len(labels)), 2)
        if not silent[one, sample] and not silent[other, sample]
    ]
    return float(np.mean(pairs))


def test_jitter_of_answers_counts_pairs_where_both_answer():
    """The value and its jackknife interval are those of counting pair by pair, with every run left out in turn."""
    labels, silent = random()
    found = answered(labels, silent)
    assert found.jitter == pytest.approx(by_pairs(labels, silent), rel=1e-12)
    without = [by_pairs(np.delete(labels, run, 0), np.delete(silent, run, 0)) for run in range(5)]
    error = math.sqrt(4 / 5 * sum((value - np.mean(without)) ** 2 for value in without))
    centre, away = np.arcsin(np.sqrt(found.jitter)), stats.t.ppf(0.975, 4) * error
    away /= 2 * np.sqrt(found.jitter * (1 - found.jitter))
    np.testing.assert_allclose(found.jitter_ci95, np.sin([centre - away, centre + away]) ** 2)


def test_coverage_is_the_share_answered():
    """Its mean and Student's interval over runs are those of scipy."""
    labels, silent = random()
    found, shares = answered(labels, silent), 1 - silent.mean(1)
    assert found.coverage == pytest.approx(shares.mean())
    expected = stats.t.interval(0.95, 4, loc=shares.mean(), scale=stats.sem(shares))
    np.testing.assert_allclose(found.coverage_ci95, (expected[0], min(1, expected[1])))
    assert found.always == pytest.approx((~silent).all(0).mean())


def test_label_entropy_is_that_of_samples_which_all_runs_answer():
    """The others are left out, and the interval is that of the estimate on what is left."""
    labels, silent = random()
    expected = estimate(labels[:, ~silent.any(0)], "label_entropy", "two-way")
    found = answered(labels, silent)
    assert (found.label_entropy, *found.label_entropy_ci95) == (expected.value, expected.low, expected.high)


def test_runs_that_always_answer():
    """Without abstentions the jitter is the usual one and coverage is one; torch tensors will do."""
    labels, silent = random()
    found = answered(torch.from_numpy(labels), torch.from_numpy(silent) & False)
    assert found.jitter == pytest.approx(np.mean(jitter(labels)))
    assert found.jitter_ci95 == pytest.approx(
        (estimate(labels, "jitter").low, estimate(labels, "jitter").high), rel=1e-9
    )
    assert found.coverage == found.always == 1


def test_what_stands_where_a_run_abstains_does_not_matter():
    """Other labels there change nothing."""
    labels, silent = random()
    assert answered(np.where(silent, 2, labels), silent) == answered(labels, silent)


def test_runs_that_never_answer():
    """Nothing that is answered has no stability: NaN, with warnings."""
    labels, silent = random()
    with pytest.warns(RuntimeWarning) as said:
        found = answered(labels, silent | True)
    assert {str(one.message).split(";")[0] for one in said} == {
        "no sample is answered by every run",
        "no two runs answer the same sample",
    }
    assert found.coverage == found.always == 0
    assert math.isnan(found.label_entropy)
    assert math.isnan(found.jitter)


def test_two_runs_have_no_interval_of_jitter():
    """The jackknife needs three."""
    labels, silent = random(2)
    found = answered(labels, silent)
    assert np.isnan(found.jitter_ci95).all()
    assert not np.isnan([*found.coverage_ci95, *found.label_entropy_ci95]).any()


def test_no_samples():
    """Nothing to answer is NaN throughout, with a warning."""
    with pytest.warns(RuntimeWarning, match="labels holds no samples"):
        assert math.isnan(answered(np.zeros((3, 0), int), np.zeros((3, 0), bool)).coverage)


def test_bad_input_is_refused():
    """Arrays that do not belong together raise and show both."""
    labels, silent = random()
    with pytest.raises(InputError, match=r"labels is .* but abstains .*; both are \[run, sample\]"):
        answered(labels, silent[:, :3])


def test_a_single_sample_that_all_answer_has_its_entropy():
    """The mean of one sample is its value; only the interval is not known."""
    with pytest.warns(RuntimeWarning):
        found = answered([[0, 1], [1, 1]], [[0, 1], [0, 0]])
    assert found.label_entropy == pytest.approx(np.log(2))


def test_abstentions_of_other_codes_are_refused():
    """A two is neither an abstention nor an answer."""
    with pytest.raises(InputError, match="abstains must hold zeros and ones"):
        answered([[0, 1], [1, 1]], [[0, 2], [0, 0]])
