"""AUROC, lift and tau-b are what they are by definition, and what other libraries compute."""

import math

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from reseed import InputError
from reseed.scores import auroc, kendall_tau, lift
from reseed.scores._figures import auroc_pull, kendall_pull, lift_pull
from reseed.scores._ranks import Ranks


@pytest.fixture(params=range(20))
def sample(request):
    """Values and levels of some samples, from many ties to none; at least two kinds of level."""
    rng = np.random.default_rng(request.param)
    size = int(rng.integers(12, 90))
    values = rng.integers(0, rng.integers(2, 60), size) / 8 if request.param % 2 else rng.normal(size=size)
    levels = rng.integers(0, rng.integers(2, 12), size) * (rng.random(size) < 0.6)
    levels[:2] = 0, 1
    return values, levels


def test_agreement_counts_pairs(sample):
    """For each sample, those that both orders place on the same side, less the others."""
    values, levels = sample
    expected = (np.sign(values[:, None] - values) * np.sign(levels[:, None] - levels)).sum(1)
    np.testing.assert_array_equal(Ranks.of(values).agreement(levels), expected)


def test_auroc_is_that_of_pairs_and_of_scikit_learn(sample):
    """Ties count half."""
    values, levels = sample
    yes, no = values[levels > 0][:, None], values[levels == 0]
    assert auroc(values, levels > 0) == pytest.approx(((yes > no) + (yes == no) / 2).mean(), abs=1e-14)
    assert auroc(values, levels > 0) == pytest.approx(sklearn.metrics.roc_auc_score(levels > 0, values), abs=1e-12)


def test_tau_is_that_of_scipy(sample):
    """Tau-b, with ties on both sides."""
    values, levels = sample
    assert kendall_tau(values, levels) == pytest.approx(scipy.stats.kendalltau(values, levels).statistic, abs=1e-12)


def test_lift_is_that_of_ties_broken_at_random(sample):
    """On average over many ways of breaking ties; with no tie at the cut exactly."""
    values, levels = sample
    rng, count = np.random.default_rng(0), -(-len(values) // 10)
    flips = levels > 0
    draws = [flips[np.lexsort((rng.random(len(values)), -values))[:count]].mean() for _ in range(4000)]
    expected, error = np.mean(draws) / flips.mean(), np.std(draws) / flips.mean() / 4000**0.5
    assert lift(values, flips) == pytest.approx(expected, abs=5 * error + 1e-12)


@pytest.mark.parametrize("size", [1, 3, 7, 10, 99, 1000])
def test_equal_values_are_exactly_chance(size):
    """No rounding is left in either figure."""
    flips = np.arange(size) % 3 == 0
    assert lift(np.full(size, 0.3), flips) == 1
    assert size == 1 or auroc(np.full(size, 0.3), flips) == 0.5
    assert math.isnan(kendall_tau(np.full(size, 0.3), flips))


def test_undefined_figures_are_nan():
    """All samples flip, or none does."""
    assert math.isnan(auroc([1, 2], [1, 1]))
    assert math.isnan(auroc([1, 2], [0, 0]))
    assert math.isnan(lift([1, 2], [0, 0]))
    assert lift([1, 2], [1, 1]) == 1


@pytest.mark.parametrize("figure", [auroc, lift, kendall_tau])
def test_mistakes(figure):
    """Other lengths and NaN are told."""
    with pytest.raises(InputError, match=r"values is float64\[2\] and \w+ is float64\[3\]; pass two one-dimensional"):
        figure([1, 2], [1, 0, 1])
    with pytest.raises(InputError, match="values holds NaN at position"):
        figure([1, math.nan], [1, 0])


def test_pulls_are_derivatives(sample):
    """What a sample adds to a figure is what its weight does, here by its repetition among many."""
    values, levels = sample
    values = values + np.linspace(0, 1e-9, len(values))  # copies tie, but no others: else ties would be broken by them
    copies, flips, ranks = 400, levels > 0, Ranks.of(values)

    def change(figure, at):
        base = [np.repeat(array, copies) for array in (values, levels)]
        more = [np.append(array, [given[at]] * 4) for array, given in zip(base, (values, levels), strict=True)]
        return (figure(*more) - figure(*base)) * copies / 4

    expected = {
        "auroc": (auroc_pull(ranks, flips, auroc(values, flips)), lambda v, e: auroc(v, e > 0)),
        "kendall": (kendall_pull(ranks, levels), kendall_tau),
    }
    for pull, figure in expected.values():
        assert pull.sum() == pytest.approx(0, abs=1e-12)
        for at in (0, 1, 5, len(values) - 1):
            # Samples tie with their copies, which tau-b minds: 1 / copies and so on remain.
            assert pull[at] == pytest.approx(change(figure, at), abs=0.02 / len(values) + 0.02 * abs(pull[at]))
    assert lift_pull(ranks, ranks.top(), flips).sum() == pytest.approx(0, abs=1e-12)
