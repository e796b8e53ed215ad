"""What is recommended, on made-up rows."""

from dataclasses import replace

import pytest
from tests.instability.methods import made

from reseed.instability import Estimate
from reseed.instability.comparison._recommendation import recommendation, recommended

NULL = made("second control", 1.0, null=None)


def test_the_best_of_each_budget_is_named():
    """More budget names a better method where there is one, with its effect, its null and its accuracy."""
    rows = [
        made("a", 10),
        made("b", 20),
        made("c", 30, 2.0),
        made("d", 50, 13.0),
        made("e", 60, 5.0, 5.0),
    ]
    told = recommendation(rows, NULL)
    parts = [
        "At the control's training cost and one network at inference: b (1.0x training) lowers label entropy by "
        "20.0 [15.0, 25.0] %; 20.0 [15.0, 25.0] points more than a second control, distinguishable from "
        "chance; accuracy stays within 0.5 points (0.00 [-0.20, 0.20]).",
        "At twice the training cost and one network at inference: c (2.0x training)",
        "At any training cost and one network at inference: d (13.0x training)",
        "If 5 networks may answer: e (5.0x training)",
    ]
    places = [told.index(part) for part in parts]
    assert places == sorted(places)


def test_the_first_is_the_best_of_the_smallest_budget():
    """One headline: the best at the control's cost, else at more, else of several networks, else of unknown cost."""
    cheap, dear, many = made("a", 10), made("b", 40, 2.0), made("c", 60, 5.0, 5.0)
    unknown = made("d", 70, float("nan"), float("nan"))
    assert recommended([unknown, many, dear, cheap, made("e", 8)]) is cheap
    assert recommended([unknown, many, dear]) is dear
    assert recommended([unknown, many]) is many
    assert recommended([unknown]) is unknown
    assert recommended([made("f", 1.0), made("g", 30, accuracy=-0.01)]) is None


def test_what_differs_from_one_control_only_may_be_chance():
    """A method that is as stable as the control neither helps nor harms, however the second control came out."""
    for null in (20.0, -20.0):
        row = made("a", 1.0, null=null)
        assert (row.effect.is_distinguishable, row.effect.lowers_entropy, row.effect.raises_entropy) == (False,) * 3
        told = recommendation([row], NULL)
        assert told.startswith("None: no method lowers label entropy")
        assert "Distinguishably less stable" not in told


def test_a_budget_that_brings_nothing_says_so():
    """Where more cost buys nothing better, the cheaper method stays; where the cheapest has none, it says none."""
    assert told_has("still a", [made("a", 30), made("b", 20, 2.0)])
    assert told_has(
        "At the control's training cost and one network at inference: none.",
        [made("b", 20, 2.0), made("c", 30, 6.0)],
    )


def told_has(part, rows, null=NULL):
    """Whether the recommendation says something."""
    return part in recommendation(rows, null)


def test_ten_percent_above_a_budget_pass():
    """A method of 1.1 times the control's cost is one of the control's cost, one of 1.2 times is not."""
    opening = "At the control's training cost and one network at inference: "
    assert told_has(f"{opening}a", [made("a", 30, 1.1)])
    assert told_has(f"{opening}none", [made("a", 30, 1.2)])


def test_ensembles_alone_leave_one_network_without_a_method():
    """Where only several networks help, one network has none at any cost."""
    told = recommendation([made("e", 60, 5.0, 5.0)], NULL)
    assert told.startswith("With one network at inference: none, at any training cost. If 5 networks may answer: e")


def test_an_effect_that_may_be_chance_is_none():
    """A reduction that the null explains is no recommendation, nor one that is below zero."""
    none = "None: no method lowers label entropy by more than a second control does while accuracy stays within"
    assert recommendation([made("a", 20, null=18)], NULL) == f"{none} 0.5 points."
    assert recommendation([made("a", -5, null=-30)], NULL).startswith("None")


def test_a_loss_of_accuracy_rules_out():
    """A method that loses accuracy is left out by name and number, whatever it reduces."""
    told = recommendation([made("a", 90, accuracy=-0.01), made("b", 20)], NULL)
    assert "inference: b" in told
    assert told.endswith("Left out for a significant loss of accuracy: a (-1.00 [-1.20, -0.80] points).")
    assert recommendation([made("a", 90, accuracy=-0.01)], NULL).startswith("None: ")


def test_a_gain_of_accuracy_is_said():
    """Accuracy that rises by more than its interval is a significant gain."""
    said = "accuracy stays within 0.5 points (1.00 [0.80, 1.20], a significant gain)"
    assert told_has(said, [made("a", 20, accuracy=0.01)])


def test_accuracy_must_stay_within_the_margin():
    """A loss beyond the margin must be excluded; a smaller one is named though it is significant."""
    small, wide = made("small", 20, accuracy=-0.0025), made("wide", 60, accuracy=-0.004)
    assert (small.effect.loses_accuracy, wide.effect.loses_accuracy) == (True, True)
    assert recommended([small, wide]) is small
    assert told_has("accuracy stays within 0.5 points (-0.25 [-0.45, -0.05], a significant loss)", [small])
    assert recommended([small, wide], 0.7) is wide
    assert recommended([small], 0.4) is None
    unsure = made("unsure", 60, accuracy=-0.001, training=float("nan"))
    told = recommendation([unsure], NULL, 0.25)
    assert told.startswith("None: no method lowers label entropy by more than a second control does while accuracy")
    assert told.endswith(
        "Left out because a loss of more than 0.25 points of accuracy is not excluded, of which more runs may tell: "
        "unsure (-0.10 [-0.30, 0.10] points)."
    )


@pytest.mark.parametrize("unknown", [None, Estimate(0.0, *[float("nan")] * 3, "two-way", 10, 0)])
def test_unknown_accuracy_rules_nothing_out(unknown):
    """Where there are no targets, nothing is said of accuracy and stability decides."""
    row = made("a", 20)
    row = replace(row, effect=replace(row.effect, accuracy_difference=unknown))
    assert row.effect.keeps_accuracy(0.5) is None
    assert recommended([row]) is row
    assert "accuracy stays" not in recommendation([row], NULL)


def test_what_is_recommended_helps_under_fresh_data_too():
    """The sentence gives both numbers; the smaller effect of the two decides which method is best."""
    rows = [made("a", 50), made("b", 40), made("c", 45)]
    fresh = {"a": made("a", 20), "b": made("b", 30), "c": made("c", 60)}
    assert [recommended(rows[:count], fresh=fresh).name for count in (1, 2, 3)] == ["a", "b", "c"]
    assert recommendation(rows[:2], NULL, 0.5, fresh).startswith(
        "At the control's training cost and one network at inference: b (1.0x training) lowers label entropy by 40.0 "
        "[35.0, 45.0] %; 40.0 [35.0, 45.0] points more than a second control, distinguishable from chance; accuracy "
        "stays within 0.5 points (0.00 [-0.20, 0.20]). Under fresh data it lowers label entropy by 30.0 [25.0, 35.0] "
        "%; 30.0 [25.0, 35.0] points more than a second control, distinguishable from chance; accuracy stays within "
        "0.5 points (0.00 [-0.20, 0.20])."
    )


def test_what_helps_in_one_way_only_is_named():
    """Neither with other seeds alone nor under fresh data alone, nor where one of them was not tried."""
    rows = [
        made("seeds", 50),
        made("fresh", 2),
        made("untried", 40),
        made("loser", 40),
        made("harmful", 1),
    ]
    fresh = {
        "seeds": made("seeds", 3),
        "fresh": made("fresh", 30),
        "loser": made("loser", 30, accuracy=-0.01),
        "harmful": made("harmful", -30),
    }
    assert recommended(rows, fresh=fresh) is None
    assert recommendation(rows, NULL, 0.5, fresh) == (
        "None: no method lowers label entropy by more than a second control does while accuracy stays within 0.5 "
        "points, both with other seeds and under fresh data. Left out for a significant loss of accuracy: loser under "
        "fresh data (-1.00 [-1.20, -0.80] points). Not tried under fresh data: untried. Helps with other seeds, but "
        "under fresh data no more than chance may: seeds (3.0 [-2.0, 8.0] %). Helps under fresh data, but with other "
        "seeds no more than chance may: fresh (2.0 [-3.0, 7.0] %). Distinguishably less stable than the control: "
        "harmful under fresh data."
    )


def test_harm_is_named():
    """A method that raises label entropy beyond the null is named."""
    assert told_has("Distinguishably less stable than the control: a.", [made("a", -40), made("b", 20)])


def test_without_a_null_the_interval_decides():
    """Without a second control the reduction's own interval decides, and the paragraph says so."""
    told = recommendation([made("a", 20, null=None)], None)
    assert "a (1.0x training) lowers label entropy" in told
    assert told.endswith("Without a second control this rests on the intervals alone.")
    assert "by an amount whose interval excludes 0" in recommendation([made("a", 2, null=None)], None)


@pytest.mark.parametrize("cost", [{"training": float("nan")}, {"inference": float("nan")}])
def test_unknown_costs_are_said(cost):
    """A method whose cost is not known is told apart from the budgets."""
    row = made("a", 20)
    told = recommendation([replace(row, cost=replace(row.cost, **cost))], NULL)
    assert told.startswith("Of those whose cost is not known: a")
