"""Histograms of predicted probabilities."""

import numpy as np
import pytest
import torch
from scipy.special import softmax

from reseed._errors import InputError
from reseed.instability import confidence_histogram
from reseed.instability.probabilities import _confidence_histogram


@pytest.mark.parametrize("block", [1, 100, 1_000_000])
def test_counts_equal_a_loop(monkeypatch, block):
    """Every probability is in the bin that holds it, in blocks of any size and for any leading axes."""
    monkeypatch.setattr(_confidence_histogram, "_BLOCK", block)
    logits = np.random.default_rng(0).normal(size=(3, 50, 6)) * 4
    found = confidence_histogram(logits, bins=7)
    every, highest = [0] * 7, [0] * 7
    for row in softmax(logits, axis=-1).reshape(-1, 6):
        for p in row:
            every[min(6, int(p * 7))] += 1
        highest[min(6, int(max(row) * 7))] += 1
    assert found.every.tolist() == every
    assert found.highest.tolist() == highest
    np.testing.assert_allclose(found.edges, np.arange(8) / 7)


def test_certain_predictions_are_in_the_outer_bins():
    """Probabilities of zero and one, minus infinity included, fall into the first and the last bin."""
    found = confidence_histogram([[1e4, 0.0, -np.inf]], bins=5)
    assert found.every.tolist() == [2, 0, 0, 0, 1]
    assert found.highest.tolist() == [0, 0, 0, 0, 1]


def test_torch_gives_torch():
    """A tensor, of half precision as well, gives tensors."""
    logits = torch.randn(20, 3, generator=torch.Generator().manual_seed(0))
    found = confidence_histogram(logits.half())
    assert isinstance(found.every, torch.Tensor)
    assert (int(found.every.sum()), int(found.highest.sum())) == (60, 20)


@pytest.mark.parametrize(
    ("logits", "bins", "message"),
    [
        ([[0.0, 1.0]], 0, r"bins must be 1 or more, got 0"),
        ([[0.0, 1.0]], 2.5, r"bins must be 1 or more, got 2.5"),
        ([[0.0]], 5, r"logits must have two classes or more, got float64\[1, 1\]"),
        ([[0.0, np.nan]], 5, r"logits holds NaN at position \(0, 1\)"),
        ([[0.0, np.inf]], 5, r"logits are float64\[1, 2\] with rows that are no distribution"),
        ([[-np.inf, -np.inf]], 5, r"rows that are no distribution"),
    ],
)
def test_bad_arguments_are_refused(logits, bins, message):
    """Each mistake is named with its value."""
    with pytest.raises(InputError, match=message):
        confidence_histogram(logits, bins)
