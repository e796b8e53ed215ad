"""Variance of probabilities over runs, and the decomposition of their entropy."""

import numpy as np
import pytest
import torch
from scipy.stats import entropy

from reseed._errors import InputError
from reseed.instability import entropy_decomposition, label_entropy, score_variance


@pytest.fixture
def probabilities():
    """Random distributions over 4 classes of 6 runs."""
    return np.random.default_rng(0).dirichlet(np.full(4, 0.3), (6, 80))


def test_variance_is_numpys(probabilities):
    """It has divisor R, for every class or one; two classes have one variance."""
    np.testing.assert_allclose(score_variance(probabilities), probabilities.var(axis=0), atol=1e-16)
    one = score_variance(torch.tensor(probabilities), class_index=1)
    np.testing.assert_allclose(one, probabilities[..., 1].var(axis=0), atol=1e-16)
    binary = np.stack([probabilities[..., 0], 1 - probabilities[..., 0]], axis=-1)
    np.testing.assert_allclose(*score_variance(binary).T, atol=1e-15)


def test_terms_are_scipys_and_add_up(probabilities):
    """Total and expected entropy and the mean divergence are scipy's, and the identity holds."""
    found = entropy_decomposition(probabilities)
    mean = probabilities.mean(axis=0)
    np.testing.assert_allclose(found.total, entropy(mean, axis=1), atol=1e-12)
    np.testing.assert_allclose(found.expected, entropy(probabilities, axis=2).mean(axis=0), atol=1e-12)
    divergence = entropy(probabilities, np.broadcast_to(mean, probabilities.shape), axis=2).mean(axis=0)
    np.testing.assert_allclose(found.mutual_information, divergence, atol=1e-12)
    np.testing.assert_allclose(found.total, found.expected + found.mutual_information, atol=1e-15)
    assert min(part.min() for part in (found.total, found.expected, found.mutual_information)) >= 0


def test_certain_predictions_have_their_label_entropy():
    """Of one-hot predictions, all uncertainty is disagreement, and it is the label entropy."""
    labels = np.random.default_rng(0).integers(0, 3, (7, 40))
    found = entropy_decomposition(np.eye(3)[labels])
    np.testing.assert_allclose(found.mutual_information, label_entropy(labels), atol=1e-12)
    assert (found.expected == 0).all()


def test_equal_runs_share_all_uncertainty(probabilities):
    """Where runs agree the mutual information is exactly 0."""
    found = entropy_decomposition(torch.tensor(probabilities[[0, 0, 0]]))
    assert isinstance(found.total, torch.Tensor)
    assert (found.mutual_information == 0).all()


def test_results_do_not_depend_on_blocks(probabilities, monkeypatch):
    """Many small blocks give what one gives."""
    whole = entropy_decomposition(probabilities).total
    monkeypatch.setattr("reseed.instability.probabilities._spread._BLOCK", 100)
    np.testing.assert_array_equal(entropy_decomposition(probabilities).total, whole)


@pytest.mark.parametrize("measure", [score_variance, entropy_decomposition])
def test_one_run_has_no_spread(measure, probabilities):
    """One run is refused, and so are rows that are no distributions."""
    with pytest.raises(
        InputError, match=r"probabilities has 1 runs, fewer than the 2 needed; pass float64\[1, 80, 4\]"
    ):
        measure(probabilities[:1])
    with pytest.raises(InputError, match="probabilities sums to 2 at position"):
        measure(2 * probabilities)
