"""Deep k-NN label smoothing, against a search one pair at a time."""

import numpy as np
import pytest
import torch

from reseed import InputError
from reseed.mitigations import Batch, KnnSmoothing, _knn_smoothing, neighbour_labels

SAMPLES, CLASSES = 40, 3


def brute_force(logits: np.ndarray, labels: np.ndarray, k: int, include_self: bool) -> np.ndarray:
    """Sort all others by distance and then index, and count the labels of the first k."""
    shares = np.zeros((len(logits), CLASSES))
    for i in range(len(logits)):
        others = [j for j in range(len(logits)) if include_self or j != i]
        others.sort(key=lambda j: (float(((logits[i] - logits[j]) ** 2).sum()), j))
        for j in others[:k]:
            shares[i, labels[j]] += 1 / k
    return shares


@pytest.mark.parametrize("include_self", [False, True])
@pytest.mark.parametrize("k", [1, 4, 39])
@pytest.mark.parametrize("grid", [False, True])
def test_neighbours_are_those_of_brute_force(monkeypatch, k, include_self, grid):
    """Shares are those of a plain search, in whatever parts it is done, with many equal distances as well."""
    generator = torch.Generator().manual_seed(k)
    logits = torch.randn(SAMPLES, CLASSES, generator=generator, dtype=torch.float64)
    logits = logits.round() if grid else logits
    labels = torch.randint(0, CLASSES, (SAMPLES,), generator=generator)
    expected = brute_force(logits.numpy(), labels.numpy(), k, include_self)
    for most in (1 << 22, 3 * SAMPLES, 1):
        monkeypatch.setattr(_knn_smoothing, "_DISTANCES", most)
        found = neighbour_labels(logits, labels, k, include_self=include_self)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_all_others_are_the_leave_one_out_prior():
    """With k = n - 1 the shares are those of all other samples, wherever they lie."""
    labels = torch.arange(SAMPLES) % CLASSES
    logits = torch.randn(1, SAMPLES, CLASSES, generator=torch.Generator().manual_seed(0))
    found = KnnSmoothing(1.0, 0.0, SAMPLES - 1).learn(logits, labels)[0]
    counts = np.bincount(labels, minlength=CLASSES)
    for i, label in enumerate(labels.tolist()):
        expected = (counts - np.eye(CLASSES)[label]) / (SAMPLES - 1)
        np.testing.assert_allclose(found[i], expected, rtol=1e-6)


@pytest.mark.parametrize(("a", "b"), [(0.0, 0.3), (1.0, 1.0), (0.4, 0.25)])
def test_targets_mix_label_uniform_and_neighbours(a, b):
    """Targets are (1 - a) e_y + a (b / K + (1 - b) eta): one-hot at a = 0, uniform at a = b = 1."""
    labels = torch.randint(0, CLASSES, (2, SAMPLES), generator=torch.Generator().manual_seed(0))
    eta = torch.rand(2, SAMPLES, CLASSES, dtype=torch.float64).softmax(-1)
    found = KnnSmoothing(a, b).targets(None, Batch(0, 1, labels, CLASSES, [0, 1], eta))
    expected = (1 - a) * np.eye(CLASSES)[labels.numpy()] + a * (b / CLASSES + (1 - b) * eta.numpy())
    np.testing.assert_allclose(found, expected, rtol=1e-7, atol=1e-12)
    if (a, b) == (1.0, 1.0):
        np.testing.assert_allclose(found, 1 / CLASSES, rtol=1e-7)


@pytest.mark.parametrize(("k", "include_self"), [(0, False), (3, False), (4, True)])
def test_more_neighbours_than_there_are_is_an_error(k, include_self):
    """The message shows how many samples there are, and k."""
    with pytest.raises(InputError, match=f"of 3 samples, got {k}"):
        neighbour_labels(torch.zeros(3, 2), torch.tensor([0, 1, 0]), k, include_self=include_self)
