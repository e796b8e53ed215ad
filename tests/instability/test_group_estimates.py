"""Means of many groups with intervals in one pass."""

import numpy as np
import pytest

from reseed.instability import estimate, label_entropy
from reseed.instability.where._group_estimates import group_estimates


@pytest.mark.parametrize("runs", [2, 3, 7])
def test_groups_have_the_intervals_of_estimate(runs, monkeypatch):
    """Each group's mean and interval are those that `estimate` gives for its samples; one sample has no interval."""
    monkeypatch.setattr("reseed.instability.where._group_estimates._HELD", 2 * runs)  # two groups at once
    rng = np.random.default_rng(runs)
    labels = rng.integers(0, 3, (runs, 60))
    labels[:, 40:] = labels[0, 40:]
    place = np.concatenate([[5], rng.integers(0, 5, 59)])
    found = group_estimates(labels, np.asarray(label_entropy(labels)), place, 6)
    for group in range(5):
        members = place == group
        alone = estimate(labels[:, members], "label_entropy", "two-way" if runs > 2 else "samples")
        assert found.count[group] == members.sum()
        ends = (found.mean[group], found.low[group], found.high[group])
        assert ends == pytest.approx((alone.value, alone.low, alone.high))
    assert found.count[5] == 1
    assert np.isnan([found.low[5], found.high[5]]).all()


def test_as_many_groups_as_samples():
    """200,000 groups of one sample each take no more work than one group of them all."""
    samples = 200_000
    labels = np.stack([np.arange(samples) % 7, np.arange(samples) % 5, np.arange(samples) % 3])
    entropy = np.asarray(label_entropy(labels))
    assert (group_estimates(labels, entropy, np.arange(samples), samples).mean == entropy).all()
