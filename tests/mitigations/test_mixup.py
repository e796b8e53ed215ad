"""Mixup: which samples are blended with which, and how much."""

import math

import numpy as np
import pytest
import torch
from scipy import stats

from reseed._errors import RecipeError
from reseed.mitigations import Batch, LabelSmoothing, Mixup


def batch(labels: torch.Tensor, words: tuple[int, ...], step: int = 0) -> Batch:
    """A batch of three classes."""
    return Batch(step, 100, labels, 3, words)


def weights(alpha: float, *, words: tuple[int, ...], step: int, samples: int = 6) -> np.ndarray:
    """What each sample [run, sample] holds of each [run, sample, sample], by blending the rows of an identity."""
    inputs = torch.eye(samples, dtype=torch.float64).expand(len(words), samples, samples)
    labels = torch.zeros(len(words), samples, dtype=torch.long)
    return Mixup(alpha).inputs(inputs, batch(labels, words, step)).numpy()


def test_samples_are_blended_with_one_other_each():
    """Each sample keeps lam of itself and takes 1 - lam of one other, no two samples the same one."""
    for step in range(50):
        (blend,) = weights(1.0, words=(7,), step=step)
        np.testing.assert_allclose(blend.sum(1), 1, rtol=1e-12)
        np.testing.assert_allclose(blend.sum(0), 1, rtol=1e-12)
        lam = np.diag(blend)
        assert np.all(lam == lam[0])
        assert 0 <= lam[0] <= 1
        assert np.all(((blend > 0) & (blend < 1)).sum(1) == 2)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 4.0])
def test_shares_have_the_beta_distribution(alpha):
    """Over runs and steps lam is distributed as Beta(alpha, alpha) says (Kolmogorov and Smirnov)."""
    found = [
        blend[0, 0] for step in range(300) for blend in weights(alpha, words=tuple(range(10)), step=step, samples=2)
    ]
    assert stats.kstest(found, stats.beta(alpha, alpha).cdf).pvalue > 0.001


def test_partners_are_uniform():
    """Every other sample of the batch is a partner equally often (chi-squared)."""
    counts = np.zeros(5)
    for step in range(400):
        for blend in weights(1.0, words=(1, 2, 3), step=step):
            counts[np.flatnonzero(blend[0, 1:] > 0)[0]] += 1
    assert counts.sum() == 1200
    assert stats.chisquare(counts).pvalue > 0.001


def test_labels_are_blended_like_inputs():
    """Targets are lam of the own one and 1 - lam of the partner's, of one-hot labels and of those of other methods."""
    labels = torch.tensor([[0, 1, 2, 0, 1, 2], [2, 2, 1, 1, 0, 0]])
    own = batch(labels, (3, 4), step=9)
    blend = torch.from_numpy(weights(0.5, words=(3, 4), step=9)).float()
    hard = torch.nn.functional.one_hot(labels, 3).float()
    torch.testing.assert_close(Mixup(0.5).targets(None, own), blend @ hard)
    smooth = LabelSmoothing(0.3).targets(None, own)
    torch.testing.assert_close(Mixup(0.5).targets(smooth, own), blend @ smooth)


def test_draws_do_not_depend_on_neighbours():
    """A run's draws are the same alone and in a stack, at every step, and differ between runs and steps."""
    for step in range(3):
        stacked = weights(1.0, words=(5, 6, 7), step=step)
        for place, word in enumerate((5, 6, 7)):
            np.testing.assert_array_equal(stacked[place], weights(1.0, words=(word,), step=step)[0])
        assert len({blend[0, 0] for blend in stacked}) == 3
    assert weights(1.0, words=(5,), step=0)[0, 0, 0] != weights(1.0, words=(5,), step=1)[0, 0, 0]


def test_a_batch_of_one_stays_as_it_is():
    """A sample without another is blended with itself."""
    np.testing.assert_allclose(weights(1.0, words=(5,), step=0, samples=1), 1)


@pytest.mark.parametrize("alpha", [-0.1, math.inf, math.nan])
def test_bad_strengths_are_refused(alpha):
    """A strength that makes no sense raises and names method and field."""
    with pytest.raises(RecipeError, match=f"mixup: alpha must be a number, zero or more, got {alpha}"):
        Mixup(alpha)
