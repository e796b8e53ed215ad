"""Whose nodes are switched alike: the same as scipy's distances, and as sorting everything."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from reseed import InputError
from reseed.memorization import corrupted_neighbour_share, nearest_patterns, pattern_similarity
from reseed.memorization.nodes import _patterns


def patterns(samples, nodes=12, seed=0, rate=0.4):
    """Which node is on for which sample."""
    return np.random.default_rng(seed).random((samples, nodes)) < rate


@pytest.mark.parametrize("metric", ["jaccard", "hamming"])
def test_similarity_is_one_less_distance(metric):
    """Of scipy; 1 to itself."""
    query, reference = patterns(23), patterns(31, seed=1)
    np.testing.assert_allclose(pattern_similarity(query, reference, metric), 1 - cdist(query, reference, metric))
    np.testing.assert_array_equal(np.diag(pattern_similarity(query, query, metric)), 1)


def test_two_samples_that_switch_nothing_on_are_alike():
    """1 with each other, 0 with all others by Jaccard."""
    none, some = np.zeros((1, 4), bool), np.array([[True, False, False, False]])
    assert pattern_similarity(none, none).item() == 1
    assert pattern_similarity(none, some).item() == 0
    assert pattern_similarity(none, some, "hamming").item() == 0.75


@pytest.mark.parametrize("metric", ["jaccard", "hamming"])
@pytest.mark.parametrize("block", [1, 100, 1 << 22])
def test_neighbours_are_those_of_a_full_sort(metric, block, monkeypatch):
    """Ties by the lower index, with few nodes so that there are many; in blocks of any size."""
    monkeypatch.setattr(_patterns, "_BLOCK", block)
    query, reference = patterns(17, 4), patterns(40, 4, seed=1)
    full = pattern_similarity(query, reference, metric)
    found = nearest_patterns(query, reference, 6, metric)
    expected = np.argsort(-full, axis=1, kind="stable")[:, :6]
    np.testing.assert_array_equal(found.index, expected)
    np.testing.assert_array_equal(found.similarity, np.take_along_axis(full, expected, axis=1))
    own = nearest_patterns(reference, reference, 39, metric, exclude_self=True)
    assert all(sorted([row, *others]) == list(range(40)) for row, others in enumerate(own.index.tolist()))


def test_share_of_corrupted_neighbours():
    """By hand, and all samples as neighbours have the base rate."""
    reference = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [0, 1, 1]], dtype=bool)
    found = corrupted_neighbour_share(torch.from_numpy(reference[:2]), reference, [True, False, False, True], k=2)
    assert found.share.tolist() == [0.5, 0.5]
    assert (found.mean, found.base_rate) == (0.5, 0.5)
    others = corrupted_neighbour_share(reference, reference, [1, 0, 0, 1], k=1, exclude_self=True)
    assert others.share.tolist() == [0, 1, 1, 0]
    query, others = patterns(9), patterns(40, seed=1)
    mask = np.arange(40) < 13
    everyone = corrupted_neighbour_share(query, others, mask, k=40)
    np.testing.assert_allclose(everyone.share, everyone.base_rate)
    near = nearest_patterns(query, others, 5)
    np.testing.assert_allclose(corrupted_neighbour_share(query, others, mask, 5).share, mask[near.index].mean(1))


def test_bad_input():
    """Unknown metric, other nodes, more neighbours than there are, values between."""
    query, reference = patterns(5), patterns(7)
    with pytest.raises(InputError, match="metric='cosine' is unknown; pass 'jaccard' or 'hamming'"):
        pattern_similarity(query, reference, "cosine")
    with pytest.raises(InputError, match="query has 3 nodes but reference 12; pass the same layer of both"):
        pattern_similarity(query[:, :3], reference)
    with pytest.raises(InputError, match=r"query must be \[sample, node\], got bool\[12\]"):
        pattern_similarity(query[0], reference)
    with pytest.raises(InputError, match="query must hold True and False"):
        pattern_similarity(query * 0.5, reference)
    with pytest.raises(InputError, match="query has 0 samples and reference 7"):
        pattern_similarity(query[:0], reference)
    with pytest.raises(InputError, match="k=8 is more than the 7 neighbours that there are"):
        nearest_patterns(query, reference, 8)
    with pytest.raises(InputError, match="k=7 is more than the 6 neighbours"):
        nearest_patterns(reference, reference, 7, exclude_self=True)
    with pytest.raises(InputError, match="k must be a whole number of 1 or more, got 0"):
        nearest_patterns(query, reference, 0)
    with pytest.raises(InputError, match="exclude_self is for one set of samples, but query has 5 and reference 7"):
        nearest_patterns(query, reference, 2, exclude_self=True)
    with pytest.raises(InputError, match=r"corrupted is bool\[5\] but there are 7 samples"):
        corrupted_neighbour_share(query, reference, [True] * 5)
