"""The lead of the most frequent label, and ensembles that abstain."""

from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from reseed._errors import InputError
from reseed.instability import jitter, label_stability, mode_label, selective_ensemble, self_consistency_ensemble


@pytest.fixture
def labels():
    """Random labels of 9 runs, some far apart."""
    random = np.random.default_rng(0)
    return random.integers(0, 4, (9, 300)) * random.choice([1, 10**9], 300)


def leaders(labels):
    """Counts the two most frequent labels of each sample, one sample at a time."""
    counts = [[*sorted(Counter(column).values(), reverse=True), 0] for column in labels.T.tolist()]
    return np.array([both[:2] for both in counts]).T


def test_label_stability_counts_the_lead(labels):
    """It is the lead of the first label over the second; with two classes the usual formula."""
    first, second = leaders(labels)
    np.testing.assert_array_equal(label_stability(labels), (first - second) / 9)
    binary = labels % 2
    np.testing.assert_allclose(label_stability(binary), np.abs(2 * binary.sum(axis=0) - 9) / 9, atol=1e-15)


def test_label_stability_of_strings_tensors_and_nothing():
    """Strings are labels too, tensors give tensors, no samples give none."""
    assert label_stability([["a", "a"], ["a", "b"]]).tolist() == [1, 0]
    assert torch.equal(label_stability(torch.tensor([[0, 0], [0, 1]])), torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert label_stability(np.zeros((2, 0), np.int64)).shape == (0,)


@pytest.mark.parametrize(
    ("first", "second", "p_value", "abstains"),
    [(5, 0, 0.0625, True), (6, 0, 0.03125, False), (9, 1, 0.02148, False), (8, 2, 0.10938, True), (3, 3, 1.0, True)],
)
def test_published_p_values(first, second, p_value, abstains):
    """Five against none is not clear at 0.05, six against none is; nine of ten are, eight are not."""
    runs = np.array([7] * first + [2] * second)[:, None]
    if first + second < 6:
        with pytest.warns(RuntimeWarning, match=r"5 runs cannot reach p <= 0.05 even where all agree \(p = 0.0625\)"):
            found = selective_ensemble(runs)
    else:
        found = selective_ensemble(runs)
    assert found.p_values[0] == pytest.approx(p_value, abs=5e-6)
    assert found.labels[0] == (-1 if abstains else 7)
    assert found.abstention_rate == float(abstains)


def test_p_values_are_scipys(labels):
    """With several classes the test is that of the two most frequent labels."""
    found = selective_ensemble(labels, alpha=0.2)
    expected = [binomtest(int(a), int(a + b)).pvalue for a, b in leaders(labels).T]
    np.testing.assert_allclose(found.p_values, expected, rtol=1e-12)
    clear = np.array(expected) <= 0.2
    np.testing.assert_array_equal(found.labels, np.where(clear, mode_label(labels), -1))
    assert found.abstention_rate == pytest.approx(1 - clear.mean())
    assert found.runs == 9


def test_selective_ensembles_hardly_contradict_each_other():
    """Of samples that both of two ensembles answer, at most a share of 2 alpha differs, even near a coin toss."""
    random = np.random.default_rng(1)
    one, other = ((random.random((20, 20_000)) < 0.5).astype(int) for _ in range(2))
    first, second = selective_ensemble(one).labels, selective_ensemble(other).labels
    assert np.mean((first >= 0) & (second >= 0) & (first != second)) <= 0.1


def test_self_consistency_decides(labels):
    """The ensemble answers where enough pairs of runs agree; a threshold reached exactly is enough."""
    found = self_consistency_ensemble(labels, threshold=0.4)
    clear = 1 - jitter(labels) >= 0.4
    np.testing.assert_array_equal(found.labels, np.where(clear, mode_label(labels), -1))
    np.testing.assert_allclose(found.self_consistency, 1 - jitter(labels))
    assert found.abstention_rate == pytest.approx(1 - clear.mean())
    nine_of_ten = (np.arange(10) < 9).astype(int)[:, None]
    assert self_consistency_ensemble(nine_of_ten, threshold=0.8).labels.tolist() == [1]
    assert self_consistency_ensemble(nine_of_ten, threshold=0.81).labels.tolist() == [-1]


def test_unsigned_labels_can_be_abstained_from():
    """Bytes have no -1, the answers have."""
    found = self_consistency_ensemble(np.array([[0, 3], [1, 3]], np.uint8), threshold=1)
    assert found.labels.tolist() == [-1, 3]


def test_no_samples_have_no_rate():
    """Without samples the abstention rate is NaN."""
    with pytest.warns(RuntimeWarning, match="labels holds no samples; the abstention rate is NaN"):
        assert np.isnan(selective_ensemble(np.zeros((9, 0), np.int64)).abstention_rate)
    with pytest.warns(RuntimeWarning, match="labels holds no samples; the abstention rate is NaN"):
        assert np.isnan(self_consistency_ensemble(np.zeros((9, 0), np.int64), threshold=0.5).abstention_rate)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: selective_ensemble([["a"]]), "labels holds strings, among which -1 cannot mark an abstention"),
        (lambda: selective_ensemble([[-1]]), "labels holds -1, which marks an abstention; number the classes from 0"),
        (lambda: selective_ensemble([[0]], alpha=1), r"alpha=1 is outside \(0, 1\); pass for example 0.05"),
        (
            lambda: self_consistency_ensemble([[0], [0]], threshold=2),
            r"threshold=2 is outside \[0, 1\]; pass the least",
        ),
        (lambda: self_consistency_ensemble([[0]], threshold=1), "labels has 1 runs along axis 0, fewer than the 2"),
        (lambda: label_stability([[0]]), "labels has 1 runs along axis 0, fewer than the 2 needed"),
    ],
)
def test_bad_arguments_are_named(call, text):
    """Messages name the argument, show the value and say what to pass."""
    with pytest.raises(InputError, match=text):
        call()
