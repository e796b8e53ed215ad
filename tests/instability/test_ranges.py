"""Intervals end within the range of what they are of, whatever the predictions."""

import math

import hypothesis.extra.numpy as arrays
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reseed.instability import (
    accuracy_difference,
    answered,
    bootstrap_instability,
    estimate,
    label_entropy,
    label_entropy_reduction,
    medoid,
    multiplicity,
    nested_estimates,
    replacement,
    retraining_negative_flip_rate,
    source_effects,
    training_dynamics,
)
from reseed.instability.where._group_estimates import group_estimates
from reseed.robustness import churn_decomposition
from reseed.scores import Targets, foretold
from reseed.statistics import mean_of_cells, t_interval

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of values that are undefined
METHODS = ("jackknife", "samples", "two-way")


@st.composite
def batches(draw, number=1):
    """Some batches of labels [batch, run, sample] of a few classes."""
    shape = number, draw(st.integers(3, 6)), draw(st.integers(2, 10))
    return draw(arrays.arrays(np.int64, shape, elements=st.integers(0, draw(st.integers(0, 3)))))


def within(found, bottom, top):
    """Checks an estimate, or a value and its ends, NaN where there is no interval."""
    value, low, high = found if isinstance(found, tuple) else (found.value, found.low, found.high)
    assert math.isnan(low) == math.isnan(high)
    if not math.isnan(low):
        assert bottom <= low <= value + 1e-9, found
        assert value - 1e-9 <= high <= top, found


@settings(deadline=None, max_examples=50)
@given(batches(), st.sampled_from(METHODS))
def test_means_of_labels(drawn, method):
    """Label entropies end at 0 and the logarithm of the runs, shares of runs and pairs at 0 and 1."""
    (labels,) = drawn
    for statistic in ("jitter", "unstable_fraction", "variation_ratio"):
        within(estimate(labels, statistic, method), 0, 1)
    within(estimate(labels, "label_entropy", method), 0, math.log(len(labels)) + 1e-12)
    for correction in ("miller-madow", "digamma"):
        within(estimate(labels, "label_entropy", method, correction=correction), 0, math.inf)
    within(retraining_negative_flip_rate(labels, labels[0], method=method), 0, 1)
    parts = churn_decomposition(labels, labels[0], method)
    within(parts.churn, 0, 1)
    within(parts.rectified, 0, 0.5)
    within(parts.wrong_changes, 0, 1)


@settings(deadline=None, max_examples=50)
@given(batches())
def test_means_of_groups(drawn):
    """Label entropies of groups of samples end where those of all samples do."""
    (labels,) = drawn
    groups = np.arange(labels.shape[1]) % 2
    found = group_estimates(labels, np.asarray(label_entropy(labels)), groups, 2)
    for ends in zip(found.mean.tolist(), found.low.tolist(), found.high.tolist(), strict=True):
        within(ends, 0, math.log(len(labels)) + 1e-12)


@settings(deadline=None, max_examples=50)
@given(batches(2), st.sampled_from(METHODS))
def test_what_batches_are_compared_by(drawn, method):
    """Nothing takes more than all away, no share is below 0, and accuracies differ by 1 at most."""
    control, treated = drawn
    within(label_entropy_reduction(treated, control, interval=method), -math.inf, 100)
    within(accuracy_difference(treated, control, control[0], interval=method), -1, 1)
    found = source_effects(control, {"init": treated}, {"init": treated}, method=method).effects[0]
    within(found.share, 0, math.inf)
    within(found.drop, -math.inf, 1)


@settings(deadline=None, max_examples=50)
@given(batches(2))
def test_what_a_gate_says(drawn):
    """Shares of changed answers end at 0 and 1, their differences at -1 and 1."""
    found = replacement(*drawn, drawn[0][0])
    within(found.churn, 0, 1)
    within(found.beyond.reseeding, 0, 1)
    within(found.beyond.beyond, -1, 1)
    within(found.correctness.difference, -1, 1)
    for share in ("old_accuracy", "new_accuracy", "wins", "negative_flips"):
        within(getattr(found.correctness, share), 0, 1)


@settings(deadline=None, max_examples=50)
@given(batches())
def test_which_run_and_what_of_single_runs(drawn):
    """Agreement with other runs ends at 0 and 1, areas under the curve and lifts at the ends of theirs."""
    (labels,) = drawn
    found = medoid(labels, labels[0])
    within(found.medoid.agreement, 0, 1)
    within(found.at_random.agreement, 0, 1)
    within(found.agreement_gain, -1, 1)
    column = foretold(labels.astype(float), Targets.of(labels))
    within(column.auroc, 0, 1)
    within(column.lift, 0, 10)
    within(column.kendall, -1, 1)


@settings(deadline=None, max_examples=50)
@given(batches(2))
def test_runs_that_abstain(drawn):
    """Coverage and the jitter of answers end at 0 and 1."""
    found = answered(drawn[0], drawn[1] > 0)
    within((found.coverage, *found.coverage_ci95), 0, 1)
    within((found.label_entropy, *found.label_entropy_ci95), 0, math.log(len(drawn[0])) + 1e-12)
    within((found.jitter, *found.jitter_ci95), 0, 1)


@settings(deadline=None, max_examples=50)
@given(arrays.arrays(np.float64, (3, 4, 5, 1), elements=st.sampled_from([0.0, 0.1, 0.5, 0.9, 1.0])))
def test_probabilities(drawn):
    """Shares of predictions end at 0 and 1, divergences and what the seed varies by at 0."""
    probabilities = np.concatenate([drawn, 1 - drawn], axis=-1)
    found = nested_estimates(probabilities, epsilon=0.01)
    for name in ("seed_churn", "churn"):
        within(getattr(found, name), 0, 1)
    for name in ("inconsistency", "instability", "divergence", "seed_variance"):
        within(getattr(found, name), 0, math.inf)
    within(found.data_share, -math.inf, 1)
    resampled = bootstrap_instability(probabilities[0, 0], probabilities[0, 1:])
    within(resampled.mape_estimate, 0, 1)
    within(resampled.index_estimate, 0, 1)
    summary = multiplicity(probabilities[0].argmax(-1), probabilities[0]).summary
    for name in ("ambiguity", "jitter", "label_stability", "viable_range"):
        within((summary[name], *summary[f"{name}_ci95_samples"]), 0, 1)


@settings(deadline=None, max_examples=50)
@given(arrays.arrays(np.int64, (4, 3, 6), elements=st.integers(0, 2)))
def test_courses_of_training(drawn):
    """Means of one number a run: shares end at 0 and 1, events at as many as there are checkpoints."""
    summary = training_dynamics(drawn, drawn[0, 0]).summary
    for name, top in (("correctness", 1), ("never_learned", 1), ("label_flips", 2), ("forgetting_events", 1.5)):
        within((summary[f"{name}_mean"], *summary[f"{name}_ci95_runs"]), 0, top)


@settings(deadline=None, max_examples=50)
@given(arrays.arrays(np.float64, (3, 6), elements=st.floats(0, 1)))
def test_means_end_where_they_are_told(drawn):
    """The mean of numbers of runs, or of runs and samples, is cut off at the ends that are given."""
    within(t_interval(drawn[:, 0], bottom=0.0, top=1.0), 0, 1)
    within(mean_of_cells(drawn, bottom=0.0, top=1.0), 0, 1)
