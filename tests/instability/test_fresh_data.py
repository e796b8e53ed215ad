"""Whether accuracy stays within a margin, and methods with other seeds and under fresh data, on made-up labels."""

from fractions import Fraction

import numpy as np
import pytest
import scipy.stats

from reseed import InputError, Study
from reseed.instability import compare_studies

RUNS, SAMPLES = 6, 400
TARGETS = np.zeros(SAMPLES, int)


@pytest.fixture
def make(tmp_path):
    """Makes a study of labels of classes 0, 1 and 2, all of which should be 0."""

    def study(name, labels, targets=TARGETS):
        return Study.from_predictions(labels, tmp_path / name, targets=targets, class_names=("a", "b", "c"))

    return study


def _labels(wrong, restless, seed=0):
    """Labels [run, sample]: so many samples are wrong in all runs, of which so many flip between two wrong answers."""
    labels = np.zeros((RUNS, SAMPLES), int)
    labels[:, :wrong] = 1
    labels[:, :restless] = np.random.default_rng(seed).permuted(np.tile([[1], [2]], (RUNS // 2, restless)), axis=0)
    return labels


@pytest.mark.parametrize("lost", range(5))
def test_a_loss_that_runs_do_not_vary_must_be_below_the_margin(make, lost):
    """Where every run is equally accurate the interval over runs is a point: the rule is exact, to the last sample."""
    found = {
        margin: compare_studies(
            {"control": make("control", _labels(40, 40)), "method": make("method", _labels(40 + lost, 5))},
            null=make("null", _labels(40, 40, seed=1)),
            interval="jackknife",
            margin=margin,
        )
        for margin in (0, 0.5, 0.75)
    }
    for margin, one in found.items():
        row = one.methods[0]
        assert row.effect.accuracy_difference.low == pytest.approx(-lost / SAMPLES)
        assert row.effect.lowers_entropy
        keeps = Fraction(100 * lost, SAMPLES) < Fraction(margin)
        assert row.effect.keeps_accuracy(margin) is keeps
        assert (one.recommended is row) == keeps
        assert row.effect.loses_accuracy == (lost > 0)
        assert one.summary["methods"][2]["keeps_accuracy"] == keeps


def test_the_lower_end_is_that_of_welch(make):
    """Over runs the test is that of Welch, at 97.5 % one-sided."""
    generator = np.random.default_rng(5)
    batches = [(generator.random((RUNS, SAMPLES)) < rate).astype(int) for rate in (0.10, 0.11)]
    study, other = (make(str(place), labels) for place, labels in enumerate(batches))
    effect = compare_studies({"a": study, "b": other}, interval="jackknife").methods[0].effect
    before, after = (100 * (labels == 0).mean(1) for labels in batches)
    low = scipy.stats.ttest_ind(after, before, equal_var=False).confidence_interval(0.95).low
    assert effect.keeps_accuracy(-low + 1e-6)
    assert not effect.keeps_accuracy(-low - 1e-6)


def test_accuracy_that_is_not_known_rules_nothing_out(make):
    """Without targets stability decides, as before."""
    studies = {
        name: make(name, _labels(40, restless), targets=None) for name, restless in (("control", 40), ("method", 5))
    }
    found = compare_studies(studies, null=make("null", _labels(40, 40, seed=1), targets=None))
    assert found.methods[0].effect.keeps_accuracy(0.5) is None
    assert found.recommended is found.methods[0]


@pytest.fixture
def both(make):
    """A control with its null, a method that helps with other seeds only, and one that helps both ways."""
    restless = {"seeds": ((60, 10), (60, 60)), "both": ((60, 20), (60, 20)), "control": ((60, 60), (60, 60))}
    same, fresh = (
        {name: make(f"{name}{way}", _labels(*restless[name][way], seed=way)) for name in ("control", "seeds", "both")}
        for way in (0, 1)
    )
    nulls = (make(f"null{way}", _labels(60, 60, seed=2 + way)) for way in (0, 1))
    return same, fresh, *nulls


def test_a_method_that_helps_with_other_seeds_only_is_not_recommended(both):
    """Alone it would be the best; under fresh data it does nothing, which the recommendation says by its name."""
    same, fresh, null, fresh_null = both
    assert compare_studies(same, null=null).recommended.name == "seeds"
    found = compare_studies(same, null=null, fresh=fresh, fresh_null=fresh_null)
    assert found.recommended.name == "both"
    alone = compare_studies(fresh, null=fresh_null)
    assert [row.effect for row in found.fresh.rows] == [row.effect for row in alone.rows]
    assert found.under_fresh_data("seeds").effect == alone.methods[0].effect
    gone = alone.methods[0].effect.reduction
    assert (
        "Helps with other seeds, but under fresh data no more than chance may: "
        f"seeds ({gone.value:.1f} [{gone.low:.1f}, {gone.high:.1f}] %)."
    ) in found.recommendation
    assert found.recommendation.endswith("Fresh data: other training data in each run.")
    same, fresh = ({name: each[name] for name in ("control", "seeds")} for each in (same, fresh))
    only = compare_studies(same, null=null, fresh=fresh, fresh_null=fresh_null)
    assert only.recommended is None


def test_a_method_that_was_not_trained_on_fresh_data_is_not_recommended(both):
    """The control must have been; a method without such a study is named."""
    same, fresh, null, fresh_null = both
    known = {name: fresh[name] for name in ("control", "both")}
    found = compare_studies(same, null=null, fresh=known, fresh_null=fresh_null)
    assert (found.under_fresh_data("seeds"), found.recommended.name) == (None, "both")
    assert "Not tried under fresh data: seeds." in found.recommendation


def test_studies_under_fresh_data_must_be_those_of_the_methods(both, make):
    """What does not belong together is refused by name."""
    same, fresh, null, fresh_null = both
    other = make("other", _labels(60, 10)[:, :300], targets=TARGETS[:300])
    for given, text in (
        (
            {**fresh, "third": fresh["both"]},
            "fresh holds 'third', which studies do not; there are control, seeds",
        ),
        ({"both": fresh["both"]}, "fresh lacks the control 'control'; train it on other data in each run as well"),
        (
            {**fresh, "seeds": same["seeds"]},
            "which is the study of 'seeds' itself; pass one whose runs trained on",
        ),
        ({**fresh, "control": other}, "'control under fresh data' .* was evaluated on 300 other samples"),
    ):
        with pytest.raises(InputError, match=text):
            compare_studies(same, null=null, fresh=given, fresh_null=fresh_null)
    with pytest.raises(InputError, match="fresh_null is given without fresh; pass both"):
        compare_studies(same, null=null, fresh_null=fresh_null)


@pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf"), "0.5", None, True])
def test_margins_are_numbers_of_zero_or_more(both, margin):
    """The message says what a margin is."""
    with pytest.raises(InputError, match="margin must be a finite number of percentage points, 0 or more, got "):
        compare_studies(both[0], margin=margin)
