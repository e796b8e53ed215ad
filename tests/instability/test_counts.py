"""The counting kernel against plain Python counting."""

from collections import Counter

import numpy as np
import pytest

from reseed.instability.labels import _counts
from reseed.instability.labels._counts import blocks, counts_of_counts, dense_codes, occurrences, tally


def count(column):
    """Counts one sample's labels in plain Python."""
    return Counter(int(label) for label in column)


@pytest.fixture(params=["dense", "wide", "negative", "int8"])
def labels(request):
    """Labels [run, sample] that the kernel counts with and without ranking them first."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 4, (7, 200))
    drawn[:, ::3] = drawn[0, ::3]
    return {
        "dense": drawn,
        "wide": np.array([-(10**15), 3, 10**9, 10**15])[drawn],
        "negative": drawn - 100,
        "int8": (drawn * 60 - 128).astype(np.int8),
    }[request.param]


def test_tally_counts_as_python_does(labels, monkeypatch):
    """Every field of a tally equals a count in plain Python, however small the blocks are."""
    monkeypatch.setattr(_counts, "_BLOCK", 70)
    monkeypatch.setattr(_counts, "_WIDE", 64)
    table = np.array([0, 5, 7, 1, 9, 2, 8, 3])
    found = tally(labels, table)
    for i, column in enumerate(labels.T):
        counts = count(column)
        assert found.present[i] == 7
        assert found.top[i] == max(counts.values())
        assert found.mode[i] == min(k for k, n in counts.items() if n == max(counts.values()))
        assert found.distinct[i] == len(counts)
        assert found.squares[i] == sum(n * n for n in counts.values())
        assert found.folded[i] == sum(table[n] for n in counts.values())


def test_masked_tally_counts_what_is_present(labels):
    """Masked labels count nowhere, not even as the first or the lowest label."""
    present = np.random.default_rng(1).random(labels.shape) < 0.6
    present[:, 5] = False
    found = tally(labels, np.arange(8) ** 3, present)
    for i, column in enumerate(labels.T):
        counts = count(column[present[:, i]])
        assert found.present[i] == present[:, i].sum()
        assert found.distinct[i] == len(counts)
        assert found.top[i] == max(counts.values(), default=0)
        assert found.folded[i] == sum(n**3 for n in counts.values())
        if counts:
            assert found.mode[i] == min(k for k, n in counts.items() if n == found.top[i])


def test_occurrences_number_the_labels_down_the_runs():
    """The labels 0 1 0 0 become the numbers 1 1 2 3, and their final counts 3 1 3 3."""
    numbers, table, places = occurrences(np.array([[0], [1], [0], [0]]), 2)
    assert numbers[:, 0].tolist() == [1, 1, 2, 3]
    assert table.take(places)[:, 0].tolist() == [3, 1, 3, 3]


def test_wide_labels_are_ranked_within_their_sample():
    """Labels too far apart for a table become ranks, in their own order."""
    codes, width = dense_codes(np.array([[10**12, 7], [-5, 7], [10**12, -(10**15)]]))
    assert codes.tolist() == [[1, 1], [0, 1], [1, 0]]
    assert width == 2


def test_blocks_skip_samples_on_which_runs_agree():
    """Only samples that need counting reach the kernel."""
    (block,) = blocks(np.array([[1, 2, 3], [1, 5, 3]]))
    assert block.positions.tolist() == [1]
    assert block.own().tolist() == [[1], [1]]


def test_more_than_255_runs_do_not_overflow():
    """Counts above one byte are right."""
    labels = np.zeros((700, 2), np.int16)
    labels[-1, 0] = 1
    found = tally(labels, np.arange(701))
    assert found.top.tolist() == [699, 700]
    assert found.squares.tolist() == [699**2 + 1, 700**2]


def test_counts_of_counts(labels):
    """The number of (sample, label) pairs with each count equals a count in plain Python."""
    expected = Counter(n for column in labels.T for n in count(column).values())
    assert counts_of_counts(labels).tolist() == [expected[n] for n in range(8)]
