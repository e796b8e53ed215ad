"""Which run to ship: closed forms, brute force, and that what is promised holds for samples that did not choose."""

import numpy as np
import pytest

from reseed import InputError
from reseed.instability import accuracy_spread, churn, jitter, medoid


def noisy(rng, rates, samples, classes=5):
    """Labels of runs that leave a common answer at rates of their own, and that answer."""
    common = rng.integers(0, classes, samples)
    leaves = rng.random((len(rates), samples)) < np.array(rates)[:, None]
    return np.where(leaves, rng.integers(0, classes, leaves.shape), common), common


def agreement(labels, run):
    """Mean share of the other runs that agree, by counting pairs."""
    others = [other for other in range(len(labels)) if other != run]
    return np.mean([np.mean(labels[run] == labels[other]) for other in others])


def test_a_small_table():
    """Run 0 agrees with both others on three of four samples; at random it is the mean over runs, 1 - jitter."""
    labels = [[0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 1]]
    found = medoid(labels)
    assert found.medoid.run == 0
    assert found.most_accurate is None
    assert np.isnan(found.medoid.accuracy.value)
    assert found.at_random.agreement.value == pytest.approx(1 - np.mean(jitter(labels)))


def test_the_medoid_is_the_run_of_the_least_churn():
    """The medoid has the smallest mean churn to the others, and the most accurate run most correct labels."""
    rng = np.random.default_rng(0)
    for rates in ([0.3, 0.1, 0.2, 0.4], [0.2] * 6):
        labels, gold = noisy(rng, rates, 300)
        found = medoid(labels, gold)
        least = [
            np.mean([churn(labels[run], labels[other]) for other in range(len(labels)) if other != run])
            for run in range(len(labels))
        ]
        assert found.medoid.run == int(np.argmin(least))
        assert found.most_accurate.run == int(np.argmax((labels == gold).mean(1)))


def test_figures_equal_brute_force():
    """Cross-fitted figures are those of choosing on the other half, sample by sample."""
    rng = np.random.default_rng(1)
    labels, gold = noisy(rng, [0.3, 0.25, 0.35, 0.3, 0.28], 97)
    gold[:7] = -1
    found = medoid(labels, gold, seed=3)
    fold = np.random.default_rng(3).permutation(97) % 2
    agreed, right = np.empty(97), np.empty((2, 97))
    for one in range(2):
        rest, own = fold != one, fold == one
        first = max(range(5), key=lambda run: agreement(labels[:, rest], run))
        second = max(range(5), key=lambda run: np.mean((labels[run] == gold)[rest & (gold >= 0)]))
        agreed[own] = np.mean([labels[first] == labels[run] for run in range(5) if run != first], axis=0)[own]
        for rule, run in enumerate((first, second)):
            right[rule, own] = (labels[run] == gold)[own]
    assert found.medoid.agreement.value == pytest.approx(agreed.mean())
    assert found.medoid.accuracy.value == pytest.approx(right[0, gold >= 0].mean())
    assert found.most_accurate.accuracy.value == pytest.approx(right[1, gold >= 0].mean())
    assert found.medoid.accuracy.samples == 90
    usual = np.mean([agreement(labels, run) for run in range(5)])
    assert found.agreement_gain.value == pytest.approx(agreed.mean() - usual)
    assert found.agreement_gain.low < found.agreement_gain.value < found.agreement_gain.high


def test_runs_that_are_alike_give_no_gain():
    """Where no run is better than another, the chosen one is not said to be: intervals hold 0 as often as they say."""
    held = 0
    for seed in range(200):
        labels, gold = noisy(np.random.default_rng(seed), [0.3] * 8, 400)
        gain = medoid(labels, gold).agreement_gain
        held += gain.low <= 0 <= gain.high
    assert held >= 0.86 * 200  # about 92 in 100: each half judges what the other chose, which ties them a little


def test_a_steadier_run_is_found():
    """A run that leaves the common answer less often is chosen, and what it gains is above 0."""
    labels, gold = noisy(np.random.default_rng(5), [0.4, 0.4, 0.1, 0.4, 0.4], 1000)
    found = medoid(labels, gold, runs=[3, 5, 8, 13, 21])
    assert found.medoid.run == found.most_accurate.run == 8
    assert found.agreement_gain.low > 0
    assert found.accuracy_gain.low > 0


def test_blocks_and_kinds_of_labels_change_nothing(monkeypatch):
    """Read in parts, as strings or as large numbers, labels give the same figures."""
    labels, gold = noisy(np.random.default_rng(6), [0.3, 0.2, 0.25], 200)
    whole = medoid(labels, gold)
    names = np.array(list("edcba"))
    assert medoid(names[labels], names[gold]) == whole
    assert medoid(labels + 2**60, gold + 2**60) == whole
    monkeypatch.setattr("reseed.instability.labels._counts._BLOCK", 40)
    assert medoid(labels, gold) == whole


def test_equal_runs_give_the_first():
    """Of runs that agree equally often, the first one is taken, whatever the number of runs."""
    labels = np.array([[0, 0, 0, 1], [0, 0, 0, 1], [0, 0, 1, 0], [0, 0, 1, 0]] * 3)
    assert medoid(labels).medoid.run == 0


@pytest.mark.parametrize(
    ("labels", "options", "message"),
    [
        ([[0, 1], [1, 1]], {}, "3"),
        ([[0], [1], [1]], {}, "labels hold a single sample"),
        ([0, 1, 1], {}, r"pass \[run, sample\]"),
        ([[0, 1], [1, 1], [0, 0]], {"runs": [1]}, "runs names 1 runs, but labels have 3"),
        ([[0, 1], [1, 1], [0, 0]], {"targets": [0]}, "targets is"),
        ([[0, 1], [1, 1], [0, 0]], {"level": 1.0}, "level must be strictly between 0 and 1"),
    ],
)
def test_what_cannot_be_judged_is_refused(labels, options, message):
    """Too few runs or samples, and arguments that do not fit, are named."""
    with pytest.raises(InputError, match=message):
        medoid(labels, **options)


def test_the_spread_of_accuracies_stands_beside():
    """What the most accurate run owes to chance is told of the same labels; without targets it is not known."""
    labels, gold = noisy(np.random.default_rng(7), [0.2] * 5, 60)
    assert medoid(labels, gold).spread == accuracy_spread(labels, gold)
    assert medoid(labels).spread is None
