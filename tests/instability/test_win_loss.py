"""Wins, losses and unnecessary churn."""

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.instability import churn, negative_flip_rate, unnecessary_churn, win_loss


@pytest.fixture
def three():
    """Labels before, labels after, and targets."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 4, 500)
    before, after = (np.where(rng.random(500) < 0.6, targets, rng.integers(0, 4, 500)) for _ in range(2))
    return before, after, targets


def test_churn_is_wins_and_losses_and_the_rest(three):
    """C = W + L + D exactly, and the five shares sum to one."""
    before, after, targets = three
    found = win_loss(before, after, targets)
    assert found.churn == pytest.approx(churn(before, after), rel=1e-14)
    total = found.churn + found.both_right + found.both_wrong_and_same
    assert total == pytest.approx(1, rel=1e-14)
    assert found.both_wrong_but_different > 0
    assert found.samples == 500


def test_accuracy_changes_by_wins_minus_losses(three):
    """What is won and not lost is the gain in accuracy."""
    before, after, targets = three
    found = win_loss(before, after, targets)
    gain = np.mean(after == targets) - np.mean(before == targets)
    assert found.wins - found.losses == pytest.approx(gain, abs=1e-14)


def test_unnecessary_churn_is_what_accuracy_does_not_explain(three):
    """U = C - |change of accuracy| = D + 2 min(W, L), and is 0 when nothing changes."""
    before, after, targets = three
    found = win_loss(before, after, targets)
    gain = np.mean(after == targets) - np.mean(before == targets)
    assert unnecessary_churn(before, after, targets) == pytest.approx(churn(before, after) - abs(gain), abs=1e-14)
    expected = found.both_wrong_but_different + 2 * min(found.wins, found.losses)
    assert found.unnecessary_churn == pytest.approx(expected, abs=1e-14)
    assert unnecessary_churn(before, before, targets) == 0


def test_negative_flips_are_the_losses(three):
    """Right before and wrong after."""
    before, after, targets = three
    assert negative_flip_rate(*three) == np.mean((before == targets) & (after != targets))
    assert negative_flip_rate(*three) == win_loss(*three).losses


@pytest.mark.parametrize(
    ("after", "ratio"), [([1, 1], float("inf")), ([0, 1], float("nan")), ([1, 0], 1.0), ([0, 0], 0.0)]
)
def test_win_loss_ratio(after, ratio):
    """Wins per loss: inf without losses, NaN without either."""
    assert win_loss([0, 1], after, [1, 1]).ratio == pytest.approx(ratio, nan_ok=True)


@pytest.mark.parametrize("function", [win_loss, negative_flip_rate, unnecessary_churn])
def test_no_samples_give_nan(function):
    """Shares of nothing are NaN, with a warning."""
    with pytest.warns(RuntimeWarning, match="before, after and targets hold no samples; .* NaN"):
        found = function([], [], [])
    assert np.isnan(found.wins if function is win_loss else found)


@pytest.mark.parametrize("function", [win_loss, negative_flip_rate, unnecessary_churn])
def test_shapes_must_agree(function):
    """Arrays over other samples are refused, and named."""
    with pytest.raises(InputError, match=r"before is int64\[1\] but after is int64\[2\]; pass two arrays"):
        function([0], [0, 1], [0])
    with pytest.raises(InputError, match=r"before is int64\[1\] but targets is int64\[2\]"):
        function([0], [0], [0, 1])
    with pytest.raises(InputError, match=r"before is <U1\[1\] but targets is int64\[1\]; pass integers in both"):
        function(["a"], ["a"], [0])
