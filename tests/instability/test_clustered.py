"""Whether a measure clusters in groups."""

from itertools import permutations

import numpy as np
import pytest
import scipy.stats
import torch

from reseed._errors import InputError
from reseed.instability import clustering_test


def _share(values, groups):
    """Eta squared by plain loops."""
    mean = sum(values) / len(values)
    total = sum((value - mean) ** 2 for value in values)
    between = 0.0
    for group in set(groups):
        inside = [value for value, key in zip(values, groups, strict=True) if key == group]
        between += len(inside) * (sum(inside) / len(inside) - mean) ** 2
    return between / total


def test_share_is_that_of_the_analysis_of_variance():
    """The statistic follows from scipy's F: eta squared = F (G - 1) / (F (G - 1) + N - G)."""
    rng = np.random.default_rng(0)
    values, groups = rng.random(80), rng.integers(0, 5, 80)
    f = scipy.stats.f_oneway(*[values[groups == group] for group in range(5)]).statistic
    found = clustering_test(values, groups)
    assert found.statistic == pytest.approx(f * 4 / (f * 4 + 75), rel=1e-12)
    np.testing.assert_allclose(found.mean, [values[groups == group].mean() for group in range(5)])
    np.testing.assert_allclose(found.excess, found.mean - values.mean())
    assert found.count.tolist() == np.bincount(groups).tolist()


def test_groups_that_explain_everything_have_share_one():
    """Values that are constant within groups are explained in full, with the smallest p there is."""
    found = clustering_test(np.repeat([0.0, 0.2, 0.7], 20), np.repeat(["a", "b", "c"], 20), permutations=199)
    assert found.statistic == pytest.approx(1.0, abs=1e-12)
    assert found.p_value == 1 / 200
    assert found.corrected_p_value[2] == 1 / 200


def test_p_values_agree_with_every_permutation():
    """With few samples, both kinds of p are near those over all orders of the values."""
    values, groups = np.array([0.1, 0.9, 0.4, 0.8, 0.3, 0.0, 0.95]), np.array([0, 1, 0, 1, 2, 2, 1])
    count = np.bincount(groups)
    everything = np.array(list(permutations(values)))
    shares = np.array([_share(row, groups) for row in everything.tolist()])
    means = np.stack([everything[:, groups == group].mean(1) for group in range(3)], 1)
    standing = (means - values.mean()) / means.std(0)
    own = (np.array([values[groups == group].mean() for group in range(3)]) - values.mean()) / means.std(0)
    expected = (standing.max(1)[:, None] >= own - 1e-9).mean(0)
    found = clustering_test(values, groups, permutations=19_999)
    assert found.p_value == pytest.approx((shares >= _share(values, groups) - 1e-9).mean(), abs=0.01)
    np.testing.assert_allclose(found.corrected_p_value, expected, atol=0.02)
    assert found.count.tolist() == count.tolist()


def test_null_mean_has_a_closed_form():
    """Over random dealings the expected share is (G - 1) / (N - 1), and its quantile is that of scipy's F."""
    rng = np.random.default_rng(1)
    found = clustering_test(rng.normal(size=400), rng.integers(0, 9, 400), permutations=4999)
    assert found.null_mean == pytest.approx(8 / 399, rel=0.03)
    f = scipy.stats.f.ppf(0.95, 8, 391)
    assert found.null_quantile == pytest.approx(f * 8 / (f * 8 + 391), rel=0.05)


def test_p_is_uniform_and_false_alarms_are_held_when_nothing_is_there():
    """For values that have nothing to do with the groups, p is uniform and one group in all is rarely named."""
    p, alarms = [], 0
    for seed in range(400):
        rng = np.random.default_rng(seed)
        values = np.where(rng.random(120) < 0.2, rng.random(120), 0.0)  # mostly zero, as label entropy is
        found = clustering_test(values, rng.integers(0, 6, 120), permutations=199, seed=seed)
        p.append(found.p_value)
        alarms += bool((found.corrected_p_value <= 0.05).any())
    assert scipy.stats.kstest(p, "uniform").pvalue > 0.01
    assert alarms <= scipy.stats.binom.ppf(0.999, 400, 0.05)


def test_one_unstable_group_is_named():
    """The group that holds the instability is the only one with a small corrected p."""
    rng = np.random.default_rng(2)
    groups = rng.integers(0, 8, 600)
    values = np.where(rng.random(600) < np.where(groups == 3, 0.5, 0.1), 0.5, 0.0)
    found = clustering_test(values, groups)
    assert np.flatnonzero(found.corrected_p_value < 0.05).tolist() == [3]


def test_order_and_scale_do_not_matter_and_the_seed_does():
    """Values may be shifted and scaled; equal seeds give equal results, other seeds other dealings."""
    rng = np.random.default_rng(3)
    values, groups = rng.random(50), rng.integers(0, 4, 50)
    one, other = clustering_test(values, groups), clustering_test(1e200 * values + 1e199, groups)
    assert other.statistic == pytest.approx(one.statistic, rel=1e-9)
    assert other.p_value == one.p_value
    assert clustering_test(values, groups).null_mean == one.null_mean
    assert clustering_test(values, groups, seed=1).null_mean != one.null_mean


def test_memory_does_not_grow_with_the_permutations(monkeypatch):
    """Working in small blocks changes no result."""
    rng = np.random.default_rng(4)
    values, groups = rng.random(50), rng.integers(0, 4, 50)
    whole = clustering_test(values, groups)
    monkeypatch.setattr("reseed.statistics._clustered._BLOCK", 120)
    assert clustering_test(values, groups).null_quantile == whole.null_quantile


def test_tensors_give_tensors():
    """Arrays by group follow the values' kind; the group's names stay numpy."""
    found = clustering_test(torch.tensor([0.0, 0.5, 0.7, 0.1]), ["a", "b", "b", "a"])
    assert all(isinstance(item, torch.Tensor) for item in (found.count, found.excess, found.corrected_p_value))
    assert found.group.tolist() == ["a", "b"]


@pytest.mark.parametrize(
    ("values", "groups", "text"),
    [
        ([0.0, 0.0, 0.0], [0, 1, 1], "values are all equal"),
        ([0.0, 0.5], ["a", "a"], "groups holds fewer than two groups"),
        ([], [], "groups holds fewer than two groups"),
    ],
)
def test_what_cannot_cluster_is_nan(values, groups, text):
    """Without variance or without two groups the test is NaN, with a warning."""
    with pytest.warns(RuntimeWarning, match=text):
        found = clustering_test(values, groups)
    assert np.isnan([found.statistic, found.p_value, found.null_mean, found.null_quantile]).all()
    assert np.isnan(found.corrected_p_value).all()
    assert len(found.mean) == len(set(groups))


@pytest.mark.parametrize(
    ("values", "groups", "options", "text"),
    [
        ([1.0, 2.0], ["a"], {}, r"values is float64\[2\] and groups is <U1\[1\]; pass two one-dimensional arrays"),
        (["x"], ["a"], {}, r"values must hold numbers, got <U1\[1\]; pass a per-sample measure"),
        ([1.0], [0.5], {}, r"groups must hold strings or integers, got float64\[1\]"),
        ([1.0, np.nan], [0, 1], {}, r"values holds nan at position 1; leave such samples out of both arrays"),
        ([1.0, 2.0], [0, 1], {"permutations": 0}, r"permutations must be a whole number of at least 1, got 0"),
        ([1.0, 2.0], [0, 1], {"seed": -1}, r"seed must be a whole number of at least 0, got -1"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(values, groups, options, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    with pytest.raises(InputError, match=text):
        clustering_test(values, groups, **options)
