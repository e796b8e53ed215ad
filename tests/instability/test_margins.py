"""Logit margins and the area under them."""

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import _target_margin, aum, logit_margin


@pytest.fixture
def trajectory():
    """Logits of 5 checkpoints, 30 samples and 4 classes, with ties, and targets."""
    rng = np.random.default_rng(4)
    return np.round(rng.normal(size=(5, 30, 4)), 1), rng.integers(0, 4, 30)


@pytest.mark.parametrize("block", [1, 17, 1_000_000])
def test_margin_and_area_equal_loops(trajectory, monkeypatch, block):
    """Each margin is the target's logit minus the largest of the others, in blocks of any size."""
    monkeypatch.setattr(_target_margin, "_BLOCK", block)
    logits, targets = trajectory
    margins = logit_margin(logits, targets)
    areas = aum(margins, burn_in=2)
    for sample, target in enumerate(targets):
        path = []
        for checkpoint in range(5):
            row = logits[checkpoint, sample].tolist()
            path.append(row[target] - max(row[:target] + row[target + 1 :]))
            assert margins[checkpoint, sample] == path[-1]
        assert areas[sample] == pytest.approx(sum(path[2:]) / 3, abs=1e-14)


def test_a_margin_is_positive_where_the_prediction_is_right(trajectory):
    """The sign of the margin is that of right and wrong."""
    logits, targets = trajectory
    margins = logit_margin(logits, targets)
    right = logits.argmax(-1) == targets
    assert (margins[right] >= 0).all()
    assert (margins[~right] <= 0).all()


def test_a_batch_of_one_works():
    """One sample and one checkpoint give arrays of one."""
    assert logit_margin([[1.0, 3.0]], [1]).tolist() == [2.0]
    assert aum([[2.0]]).tolist() == [2.0]


def test_torch_gives_torch(trajectory):
    """A tensor, of half precision as well, gives a tensor."""
    logits, targets = map(torch.from_numpy, trajectory)
    found = aum(logit_margin(logits.half(), targets))
    assert np.allclose(found.numpy(), aum(logit_margin(*trajectory)), atol=1e-2)


@pytest.mark.parametrize(
    ("logits", "targets", "message"),
    [
        ([[1.0]], [0], r"logits must have two classes or more, got float64\[1, 1\]; pass \[sample, class\]"),
        ([1.0, 2.0], [0], r"logits must have two classes or more, got float64\[2\]"),
        ([[1.0, 2.0]], [0, 1], r"targets is int64\[2\] but logits is float64\[1, 2\]; pass one true label"),
        ([[1.0, 2.0]], [2], r"targets holds 2 at position \(0,\), outside 0..1"),
        ([[1.0, float("inf")]], [0], r"logits holds inf at position \(0, 1\); pass finite logits"),
    ],
)
def test_bad_input_is_refused(logits, targets, message):
    """Messages name the argument, show the value and say what to pass."""
    with pytest.raises(InputError, match=message):
        logit_margin(logits, targets)


def test_area_needs_checkpoints():
    """A burn-in must leave a checkpoint, and the argument must be a trajectory."""
    with pytest.raises(InputError, match="burn_in=2 leaves none of 2 checkpoints; pass a smaller number"):
        aum([[1.0], [2.0]], burn_in=2)
    with pytest.raises(InputError, match=r"logit_margins must be a trajectory, got float64\[1\]"):
        aum([1.0])
