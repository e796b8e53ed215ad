"""Single runs on the page: order of similarity, runs that stand out, curves, which to ship."""

import dataclasses
from itertools import pairwise, permutations

import numpy as np
import pytest

from reseed._parts import Parts
from reseed.report._data import History
from reseed.report._runs_section import accuracies, by_similarity, curves, disagreement, outlying, runs_section


def with_runs(make_report, labels, **changes):
    """A report of runs with these labels, [run, sample]."""
    runs, samples = labels.shape
    return dataclasses.replace(
        make_report(samples=samples, runs=runs), run_labels=labels, complete_runs=tuple(range(10, 10 + runs)), **changes
    )


def test_similar_runs_stand_side_by_side():
    """Of two kinds of runs in turn each kind is together, and no order of the leaves has a shorter way."""
    rng = np.random.default_rng(0)
    points = np.array([0.0, 5.0, 0.1, 5.2, 0.3, 5.1]) + 0.01 * rng.random(6)
    between = np.abs(points[:, None] - points)
    order = by_similarity(between)
    assert {frozenset(order[:3].tolist()), frozenset(order[3:].tolist())} == {
        frozenset({0, 2, 4}),
        frozenset({1, 3, 5}),
    }

    def way(places):
        return sum(between[a, b] for a, b in pairwise(places))

    assert way(order.tolist()) == pytest.approx(min(way(places) for places in permutations(range(6))))


@pytest.mark.parametrize(
    ("mean", "expected"),
    [
        ([1, 1, 1, 1, 9], [4]),  # no deviation but one
        ([1.0, 1.1, 0.9, 1.05, 5.0, 7.0, 1.0], [5, 4]),
        ([1.0, 1.1, 0.9, 1.05, 1.2], []),
        ([1.0, 1.1, 0.9, 1.05, 1.0, -5.0], []),  # to agree more than usual is no fault
        ([1, 1, 1, 9], []),  # too few to tell
        ([1, 1, 1, 1, 1], []),
    ],
)
def test_runs_that_stand_out(mean, expected):
    """By the modified z-score, worked out by hand: 0.6745 (x - median) / MAD above 3.5, upwards alone."""
    assert outlying(np.array(mean, float)).tolist() == expected


def test_the_run_that_stands_out_is_named(make_report):
    """With its number in the study and its mean disagreement."""
    labels = np.zeros((6, 40), int)
    labels[np.arange(5), np.arange(5)] = 1
    labels[5, 20:] = 1
    chart = disagreement(with_runs(make_report, labels)).replace("\u00a0", " ")
    assert (
        "Far from the others: run 15 (52.5 %); the median run differs from another on 14.5 %" in chart
    )  # 21 of 40 answers from each other run
    assert "run 10, run 11: 5<" in chart


def test_very_many_runs_are_thinned_with_those_that_stand_out(make_report):
    """Sixty runs at most are drawn, the outlier among them, as one path a colour."""
    labels = (np.random.default_rng(0).random((90, 50)) < 0.05).astype(int)
    labels[70] = 2
    chart = disagreement(with_runs(make_report, labels))
    assert "60 of 90 runs are drawn" in chart
    assert "run 80 (" in chart
    assert chart.count("<rect") < 100


def test_accuracy_names_the_ends(make_report):
    """The least and the most accurate run are named; without gold labels there is no chart."""
    labels = np.zeros((3, 10), int)
    labels[1, :2] = 1
    data = with_runs(make_report, labels, targets=np.zeros(10, int))
    assert "From 80.00 % (run 11) to 100.00 % (run 10)." in accuracies(data)
    assert accuracies(dataclasses.replace(data, targets=np.full(10, -1))) == ""


@pytest.mark.parametrize("runs", [3, 20])
def test_curves_of_few_runs_are_lines_and_of_many_a_band(make_report, runs):
    """A line for each of a few runs; of many their mean over the range from least to most accurate."""
    accuracy = np.linspace([0.1, 0.5], [0.3, 0.6], runs)
    history = History((1, 2), accuracy, {}, (1, 2))
    chart = curves(with_runs(make_report, np.zeros((runs, 4), int), history=history))
    assert "At the end they are 10.00 percentage points apart; furthest apart, by 20.00, at step 1." in chart
    assert chart.count("<polyline points=") - chart.count('<polyline points="0,6') == (3 if runs == 3 else 1)
    assert ('class="band"' in chart) == (runs == 20)


def test_without_labels_of_runs_the_curve_alone_is_left(make_report):
    """A page that does not know what single runs answered still says whether more would find more."""
    data = make_report()
    assert "Would" in runs_section(data, {"rarefaction": "<p>Would</p>"}, Parts())
    assert runs_section(data, {}, Parts()) == ""
