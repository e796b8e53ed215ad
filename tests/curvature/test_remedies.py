"""Remedies at several rates: which runs trained, the largest rate of each, and what tells those that trained."""

import itertools
import json

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.curvature import StabilityTest, StabilityTrial
from reseed.curvature.remedies._concordance import concordance

NAN = float("nan")


def _trial(remedy="control", rate=0.1, accuracy=(0.9, 0.8), ratios=((0.5, 0.6), (0.7, 0.4)), sharpness=None, **more):
    ratio = np.array(ratios, float)
    steps = tuple(range(0, 10 * ratio.shape[1], 10))
    return StabilityTrial(
        remedy,
        rate,
        np.array(accuracy, float),
        chance=more.get("chance", 0.2),
        threshold=more.get("threshold", 2 / rate),
        steps=more.get("steps", steps),
        sharpness=ratio * 2 / rate if sharpness is None else np.array(sharpness, float),
        ratio=ratio,
    )


def test_a_run_trained_that_is_rid_of_half_of_chances_errors():
    """At the border it has; one that diverged has not."""
    trial = _trial(accuracy=(0.6, 0.59, NAN), ratios=((0.1, 0.1),) * 3)
    assert trial.trained(0.5).tolist() == [True, False, False]
    assert trial.trained(0.48).tolist() == [True, True, False]
    numbers = trial.numbers(0.5)
    assert (numbers["runs"], numbers["runs_trained"], numbers["runs_diverged"]) == (3, 1, 1)
    assert numbers["accuracy_mean"] == pytest.approx(0.595)


def test_early_is_the_highest_ratio_of_the_first_quarter_and_above_a_share_of_measurements():
    """What was not measured does not count, and a run that never was has nothing."""
    ratios = ((0.5, 2.0, 9.0, 0.5, 0.5), (NAN, 0.9, 9.0, NAN, NAN), (NAN,) * 5)
    trial = _trial(accuracy=(0.9, 0.9, NAN), ratios=ratios, steps=(0, 10, 20, 30, 40))
    np.testing.assert_array_equal(trial.early, [2.0, 0.9, NAN])
    np.testing.assert_array_equal(trial.share_above, [2 / 5, 1 / 2, NAN])
    assert json.loads(json.dumps(trial.numbers(0.5), allow_nan=False))["early_ratio_mean"] == pytest.approx(1.45)


def test_the_edge_is_the_rate_at_which_gradient_descent_bears_the_initial_sharpness():
    """Of gradient descent 2 / sharpness, whatever the rate that was measured at; none where the loss bends down."""
    for rate in (0.05, 0.4):
        trial = _trial(rate=rate, sharpness=((8.0, 1.0), (10.0, 1.0)))
        assert trial.edge == pytest.approx(np.median([2 / 8, 2 / 10]))
    assert np.isnan(_trial(sharpness=((-1.0, 1.0), (NAN, 1.0))).edge)


def test_the_largest_rate_is_one_at_which_every_run_trains():
    """One run that does not is enough; the common rate is the largest that all remedies share."""
    good, mixed, bad = (0.9, 0.9), (0.9, 0.2), (0.2, NAN)
    trials = (
        _trial("control", 0.1, good),
        _trial("control", 0.2, mixed),
        _trial("warmup", 0.1, good),
        _trial("warmup", 0.2, good),
        _trial("warmup", 0.4, bad),
        _trial("fixup", 0.1, mixed),
    )
    test = StabilityTest(trials)
    rows = {row["remedy"]: row for row in test.remedies}
    assert {name: row["largest_lr"] for name, row in rows.items()} == {"control": 0.1, "warmup": 0.2, "fixup": None}
    assert not rows["warmup"]["is_largest_tried"]
    assert rows["warmup"]["lrs"] == [0.1, 0.2, 0.4]
    assert rows["fixup"]["accuracy_mean"] is None
    assert test.common_rate is None
    both = StabilityTest(trials[:5])
    assert both.common_rate == 0.1
    assert both.remedies[0]["common_accuracy_mean"] == pytest.approx(0.9)
    json.dumps(both.numbers, allow_nan=False)
    assert both.charts[0].title == "Runs that train"
    assert StabilityTest(trials[:1]).remedies[0]["is_largest_tried"]


def test_concordance_counts_pairs_at_equal_rates():
    """Against all pairs one by one; rates below those that a remedy trains at are left out."""
    random = np.random.default_rng(0)
    trials = [
        _trial(name, rate, random.choice([0.2, 0.9], 4), ratios=random.random((4, 3)).round(1), steps=(0, 1, 8))
        for name in ("a", "b", "c")
        for rate in (0.2, 0.4, 0.8)
    ]
    trials += [_trial(name, 0.1, (0.9,) * 4, ratios=np.full((4, 3), 0.5), steps=(0, 1, 8)) for name in ("a", "b", "c")]
    won, pairs = 0.0, 0
    for one, other in itertools.product(trials, trials):
        if one.rate != other.rate:
            continue
        for x, good in zip(one.early, one.trained(0.5), strict=True):
            for y, fine in zip(other.early, other.trained(0.5), strict=True):
                if good and not fine:
                    won, pairs = won + (x < y) + (x == y) / 2, pairs + 1
    found = concordance(trials, 0.5, lambda trial: trial.early)
    assert (found.share, found.pairs, found.rates) == (pytest.approx(won / pairs), pairs, 3)
    slow = _trial("a", 0.05, (0.2,) * 4, ratios=np.full((4, 3), 0.9), steps=(0, 1, 8))
    fast = _trial("b", 0.05, (0.9,) * 4, ratios=np.full((4, 3), 0.1), steps=(0, 1, 8))
    assert concordance([*trials, slow, fast], 0.5, lambda trial: trial.early) == found


def test_remedies_that_change_places_are_the_null():
    """Four remedies, of which the flat half trains: the largest share that the order of remedies allows, p = 1/3."""
    trials = [_trial("low", 0.1, (0.9, 0.9)), *(_trial(name, 0.1, (0.9, 0.9)) for name in "abc")]
    for name, accuracy, ratio in (("low", 0.9, 0.1), ("a", 0.9, 0.2), ("b", 0.2, 1.5), ("c", 0.2, 2.0)):
        trials.append(_trial(name, 0.2, (accuracy,) * 2, ratios=((ratio, ratio),) * 2))
    found = concordance(trials, 0.5, lambda trial: trial.early)
    assert (found.share, found.pairs, found.rates) == (1.0, 16, 1)
    assert found.p_value == pytest.approx(1 / 3, abs=0.02)  # of 6 ways to pick two, one has 1 and one has 0
    assert "100% of 16 pairs (at 1 rate" in StabilityTest(tuple(trials)).claim


def test_nothing_to_compare_is_said():
    """Where all runs train there is no pair."""
    test = StabilityTest((_trial(), _trial("warmup")))
    assert test.early.pairs == 0
    assert test.claim.startswith("At no rate did some runs train and others not")
    assert test.numbers["early_concordance"] is None


def test_bad_trials():
    """Shapes, nothing, and the same twice."""
    with pytest.raises(InputError, match=r"the trial 'control' at 0.1 has sharpness \[2, 1\]"):
        _trial(sharpness=((1.0,), (2.0,)))
    with pytest.raises(InputError, match="trials is empty"):
        StabilityTest(())
    with pytest.raises(InputError, match="two of one remedy at one rate"):
        StabilityTest((_trial(), _trial()))
