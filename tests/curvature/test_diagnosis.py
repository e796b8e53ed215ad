"""What a training's course says about its stability."""

import math

import numpy as np
import pytest

from reseed import InputError
from reseed.curvature import Diagnosis, diagnose

NAN = math.nan


def test_a_loss_that_rises_tenfold_has_diverged_and_the_crossing_is_named():
    """The step is the first of either; what was measured afterwards counts for nothing."""
    found = diagnose([0.5, 0.4, 2.0, 30.0, NAN], [9.0, NAN, 60.0, 90.0, 1.0], [20.0] * 5, steps=[0, 50, 100, 150, 200])
    assert found == Diagnosis(
        state="diverged",
        diverged=150,
        crossed=100,
        level=3.75,
        sentence="Diverged at step 150, where the loss was 30, more than 10 times its first value, 0.5; the sharpness "
        "had crossed the threshold at step 100 (60 against 20).",
    )


def test_a_loss_that_is_not_finite_has_diverged_at_any_step():
    """Within a warm-up too, where a merely high loss does not count."""
    assert diagnose([1.0, 50.0, 0.5], [1.0] * 3, 2.0, after=2).state == "stable"
    assert diagnose([1.0, 50.0, 0.5], [1.0] * 3, 2.0, after=1).diverged == 1
    for bad in (NAN, math.inf):
        found = diagnose([1.0, bad, 0.5], [1.0, NAN, NAN], 2.0, after=2)
        assert found.diverged == 1
        assert found.sentence == (
            "Diverged at step 1, where the loss was not finite; the sharpness was below the threshold whenever it was "
            "measured."
        )
    found = diagnose([1.0, NAN], [NAN, NAN], 2.0)
    assert found.sentence.endswith("the sharpness was not measured before.")
    assert math.isnan(found.level)


def test_sharpness_that_hovers_at_the_threshold_is_the_edge_of_stability():
    """By the median of the second half; a threshold that changes with the rate is followed."""
    rising = np.concatenate([np.linspace(5, 20, 50), 20 + np.sin(np.arange(50.0))])
    loss = np.geomspace(1.0, 0.01, 100)
    found = diagnose(loss, rising, 20.0)
    assert (found.state, found.diverged, found.crossed) == ("edge of stability", None, 51)
    assert found.level == pytest.approx(1.0, abs=0.01)
    assert found.sentence == (
        "At the edge of stability: the sharpness stays at 1.00 of the threshold, which it first crossed at step 51."
    )
    calm = diagnose(loss, rising, np.linspace(40.0, 80.0, 100))
    assert (calm.state, calm.crossed) == ("stable", None)
    assert calm.sentence == "Stable: the sharpness was 0.34 of the threshold at most, at step 51."
    assert diagnose(loss, rising, 25.0).state == "stable"
    assert diagnose(loss, rising, 25.0, edge=0.7).sentence == (
        "At the edge of stability: the sharpness stays at 0.80 of the threshold."
    )


def test_a_warm_up_that_leaves_the_region_of_high_curvature_is_stable():
    """The crossing is told although all is well in the end."""
    found = diagnose([1.0, 0.8, 0.5, 0.2], [60.0, 40.0, 6.0, 4.0], 20.0)
    assert (found.state, found.crossed) == ("stable", 0)
    assert found.sentence == (
        "Stable: the sharpness was above the threshold first at step 0, and is 0.25 of it in the second half."
    )


def test_runs_are_judged_one_by_one():
    """[run, step] gives what each run gives alone."""
    loss = np.array([[1.0, 0.5, 0.2], [1.0, 3.0, 40.0]])
    sharpness = np.array([[1.0, 2.0, 3.0], [9.0, 9.0, 9.0]])
    both = diagnose(loss, sharpness, 4.0, divergence=20.0)
    assert both == tuple(diagnose(loss[run], sharpness[run], 4.0, divergence=20.0) for run in range(2))
    assert [each.state for each in both] == ["stable", "diverged"]


def test_histories_that_cannot_be_judged_are_refused():
    """Each message names the argument and says what to pass."""
    good = ([1.0, 0.5], [1.0, 1.0], 2.0)
    for change, message in (
        ({"loss": []}, r"loss is float64\[0\]; pass \[step\] or \[run, step\], with a step at least"),
        ({"loss": 1.0}, r"loss is float64\[\]; pass \[step\]"),
        ({"loss": [NAN, 1.0]}, "loss begins with nan; pass the losses from before training diverged on"),
        ({"loss": ["a", "b"]}, "loss must hold numbers"),
        ({"sharpness": [1.0]}, r"sharpness is float64\[1\] but loss is float64\[2\]; pass one for each loss, NaN"),
        ({"sharpness": [NAN, NAN]}, "sharpness holds no number; measure it at one step at least"),
        ({"threshold": [1.0, 2.0, 3.0]}, r"threshold is float64\[3\] but loss is float64\[2\]; pass one for each step"),
        ({"threshold": 0.0}, "threshold holds 0; every one must be a number above 0"),
        ({"threshold": [1.0, NAN]}, "threshold holds nan"),
        ({"steps": [5, 5]}, r"steps is int64\[2\]; pass 2 whole numbers that ascend"),
        ({"steps": [0.0, 1.0]}, r"steps is float64\[2\]"),
        ({"divergence": 0.0}, r"divergence must be a finite number above 0, got 0\.0"),
        ({"edge": NAN}, "edge must be a finite number above 0, got nan"),
    ):
        arguments = {**dict(zip(("loss", "sharpness", "threshold"), good, strict=True)), **change}
        with pytest.raises(InputError, match=message):
            diagnose(**arguments)
    with pytest.raises(InputError, match="loss of run 1 begins with nan"):
        diagnose([[1.0], [NAN]], [[1.0], [1.0]], 2.0)
