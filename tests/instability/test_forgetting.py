"""Forgetting, flips, and what was learned or forgotten for good."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import first_learned, forgetting_events, label_flips, second_split_forgetting

FUNCTIONS = [forgetting_events, first_learned, second_split_forgetting]


def _first_for_good(path, state):
    """The first index from which on every entry equals the state, by trying them all."""
    return next((float(t) for t in range(len(path)) if all(item == state for item in path[t:])), math.inf)


@pytest.fixture
def correct():
    """Right and wrong of 2 runs, 6 checkpoints, and every pattern of 6 among the samples."""
    patterns = np.array([[code >> t & 1 for code in range(64)] for t in range(6)], bool)
    return np.stack([patterns, patterns[:, ::-1]])


def test_all_patterns_equal_loops(correct):
    """Each of the 64 trajectories of six checkpoints has the counts and times that plain Python finds."""
    events = forgetting_events(correct)
    learned, forgotten = first_learned(correct), second_split_forgetting(correct)
    for run in range(2):
        for sample in range(64):
            path = correct[run, :, sample].tolist()
            assert events.count[run, sample] == sum(a and not b for a, b in pairwise(path))
            assert events.never_learned[run, sample] == (True not in path)
            assert learned[run, sample] == _first_for_good(path, True)
            assert forgotten[run, sample] == _first_for_good(path, False)


@pytest.mark.parametrize(
    ("path", "count", "never"), [([0, 1, 0, 1, 1, 0], 2, False), ([0, 0], 0, True), ([1, 1], 0, False), ([0], 0, True)]
)
def test_known_counts(path, count, never):
    """Closed cases: two events, never learned, never forgotten."""
    found = forgetting_events(np.array(path)[:, None])
    assert (found.count, found.never_learned) == (count, never)


def test_never_learned_can_count_as_infinite():
    """With `infinite`, what was never right sorts after everything that was."""
    found = forgetting_events([[0, 1], [0, 0]], infinite=True)
    assert found.count.tolist() == [math.inf, 1.0]


def test_flips_equal_loops():
    """Flips count every change of label, also from one wrong label to another, strings as well."""
    labels = np.random.default_rng(2).integers(-1, 3, (2, 9, 30))
    found = label_flips(labels)
    names = np.array(["a", "b", "c", "d"])[labels + 1]
    assert np.array_equal(label_flips(names), found)
    for run in range(2):
        for sample in range(30):
            path = labels[run, :, sample]
            assert found[run, sample] == sum(path[t] != path[t + 1] for t in range(8))
    assert label_flips([[4, 5]]).tolist() == [0, 0]


def test_forgetting_is_at_most_flips():
    """Every forgetting event is a flip."""
    labels = np.random.default_rng(3).integers(0, 3, (9, 50))
    assert (forgetting_events(labels == 0).count <= label_flips(labels)).all()


@pytest.mark.parametrize("function", [first_learned, second_split_forgetting, label_flips])
def test_torch_gives_torch(function, correct):
    """A tensor gives a tensor of the same numbers."""
    found = function(torch.from_numpy(correct))
    assert isinstance(found, torch.Tensor)
    assert np.array_equal(found.numpy(), function(correct))


def test_events_of_a_tensor_are_tensors(correct):
    """Counts and mask are tensors where the argument is one."""
    found = forgetting_events(torch.from_numpy(correct))
    assert found.count.dtype == torch.int64
    assert found.never_learned.dtype == torch.bool


@pytest.mark.parametrize("function", FUNCTIONS)
def test_only_right_and_wrong_are_taken(function):
    """Labels in place of right and wrong, no checkpoints and a missing axis are refused."""
    with pytest.raises(InputError, match=r"correct must hold True and False .* got int64\[1, 2\]; pass `labels == ta"):
        function([[0, 2]])
    with pytest.raises(InputError, match=r"correct must hold True and False .* got <U1\[1, 1\]"):
        function([["a"]])
    with pytest.raises(InputError, match=r"correct has no checkpoints, got bool\[0, 2\]"):
        function(np.zeros((0, 2), bool))
    with pytest.raises(InputError, match=r"correct must be a trajectory, got bool\[1\]; pass \[checkpoint, sample\]"):
        function([True])
    with pytest.raises(InputError, match=r"labels must be a trajectory, got int64\[1\]"):
        label_flips([3])
