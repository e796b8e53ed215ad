"""Which labels runs flip between."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import flip_pairs, jitter
from reseed.instability.labels import _flip_pairs


@pytest.fixture
def labels():
    """Labels of 6 runs, some samples stable."""
    rng = np.random.default_rng(0)
    return np.where(rng.random((6, 80)) < 0.3, rng.integers(0, 5, (6, 80)), 2)


def test_equal_a_loop_over_all_pairs_of_runs(labels, monkeypatch):
    """Shares and numbers of samples equal a count over samples and pairs of runs in plain Python."""
    monkeypatch.setattr(_flip_pairs, "_TOGETHER", 40)
    shares, samples = Counter(), Counter()
    for column in labels.T.tolist():
        pairs = [tuple(sorted(pair)) for pair in itertools.combinations(column, 2) if pair[0] != pair[1]]
        shares.update(pairs)
        samples.update(set(pairs))
    found = flip_pairs(labels, top=None)
    rows = list(zip(found.label_a.tolist(), found.label_b.tolist(), strict=True))
    assert rows == sorted(shares, key=lambda pair: (-shares[pair], pair))
    np.testing.assert_allclose(found.share, [shares[row] / (15 * 80) for row in rows], rtol=1e-13)
    assert found.samples.tolist() == [samples[row] for row in rows]


def test_shares_sum_to_the_mean_jitter(labels):
    """All pairs together are all of the instability."""
    assert flip_pairs(labels, top=None).share.sum() == pytest.approx(jitter(labels).mean(), rel=1e-13)


def test_top_keeps_the_most_confused(labels):
    """The first rows of the whole list, by default ten."""
    whole = flip_pairs(labels, top=None)
    assert flip_pairs(labels, top=3).share.tolist() == whole.share[:3].tolist()
    assert len(flip_pairs(np.arange(14).reshape(2, 7)).share) == 7
    assert len(flip_pairs(np.random.default_rng(0).integers(0, 9, (5, 100))).share) == 10


def test_names_do_not_matter(labels):
    """Strings, huge integers and small ones give the same pairs under other names."""
    whole = flip_pairs(labels, top=None)
    for names in (np.array(["a", "b", "c", "d", "e"]), np.array([-(10**14), -3, 5, 10**9, 10**15])):
        found = flip_pairs(names[labels], top=None)
        assert found.label_a.tolist() == names[whole.label_a].tolist()
        assert found.label_b.tolist() == names[whole.label_b].tolist()
        assert found.share.tolist() == whole.share.tolist()


def test_tensors_give_tensors(labels):
    """Torch in, torch out."""
    found = flip_pairs(torch.tensor(labels))
    assert all(isinstance(part, torch.Tensor) for part in vars(found).values())


def test_agreement_has_no_pairs():
    """Stable labels, and no samples (with a warning), give empty lists."""
    assert flip_pairs([[1, 2], [1, 2]]).share.shape == (0,)
    with pytest.warns(RuntimeWarning, match="labels holds no samples; there are no pairs"):
        assert flip_pairs(np.zeros((2, 0), int)).label_a.shape == (0,)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: flip_pairs([[0, 1]]), "labels has 1 runs along axis 0, fewer than the 2 needed"),
        (lambda: flip_pairs([[0], [1]], top=-1), "top must be a whole number of at least 0, got -1; pass None"),
        (lambda: flip_pairs([[0], [4]], num_classes=2), r"labels holds 4 at position \(1, 0\), outside 0..1"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(call, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    with pytest.raises(InputError, match=text):
        call()
