"""Labels of any size and labels that are masked mean what they say, at every door of the measures."""

from collections import Counter
from itertools import combinations
from math import log

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reseed._errors import InputError
from reseed.instability import (
    DynamicsRecorder,
    accuracy_difference,
    ambiguity,
    answered,
    by_group,
    churn,
    churn_matrix,
    discrepancy,
    estimate,
    flip_pairs,
    jitter,
    label_entropy,
    label_flips,
    label_quality,
    label_stability,
    label_statistics,
    mode_label,
    mode_share,
    multiplicity,
    negative_flip_rate,
    predicted_labels,
    rarefaction,
    retraining_negative_flip_rate,
    selective_ensemble,
    self_consistency,
    single_run_signals,
    training_dynamics,
    unstable_fraction,
    variation_ratio,
    win_loss,
)

BIG = 12345678901234567890  # beyond 64 bits with a sign; its neighbour is the same double
HUGE = 10**30
CODES = np.random.default_rng(0).integers(0, 3, (5, 12))
WIDE = {
    "uint64": np.array([BIG, BIG + 1, 2**64 - 1], np.uint64),
    "objects": np.array([-HUGE, BIG, HUGE], object),
    "floats": np.array([-2e19, 1e19, 2e19]),
    "float32": np.array([-2e19, 1e19, 2e19], np.float32),
    "beyond 53 bits": np.array([2**53, 2**53 + 1, 2**53 + 2]),
}
PER_SAMPLE = (label_entropy, jitter, self_consistency, mode_share, variation_ratio, label_stability)
OF_DATA = (
    unstable_fraction,
    churn_matrix,
    lambda labels: rarefaction(labels).unstable_fraction,
    lambda labels: estimate(labels, "jitter").standard_error,
    lambda labels: flip_pairs(labels, top=None).share,
    label_flips,
    lambda labels: single_run_signals(labels)["late_label_entropy"],
    lambda labels: multiplicity(labels, targets=labels[0], epsilons=[1.0]).summary["error_of_any_run"],
    lambda labels: churn(labels[0], labels[1]),
    lambda labels: win_loss(labels[0], labels[1], labels[2]).both_wrong_but_different,
    lambda labels: negative_flip_rate(labels[0], labels[1], labels[2]),
    lambda labels: ambiguity(labels, reference="gold", targets=labels[3]),
    lambda labels: discrepancy(labels, reference="gold", targets=labels[3]),
    lambda labels: retraining_negative_flip_rate(labels, labels[0]).value,
    lambda labels: accuracy_difference(labels, labels[::-1], labels[0]).value,
    lambda labels: answered(labels, CODES * 0).jitter,
    lambda labels: training_dynamics(labels, np.abs(labels[1])).samples["label_flips"],
)


@pytest.mark.parametrize("names", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("measure", [*PER_SAMPLE, *OF_DATA])
def test_labels_beyond_64_bits_are_as_good_as_any(measure, names):
    """Every measure gives for labels of any size what it gives for small ones of the same order."""
    assert np.array_equal(measure(names[CODES]), measure(CODES))


@pytest.mark.parametrize("names", WIDE.values(), ids=WIDE)
def test_wide_labels_come_back_as_they_were(names):
    """The most frequent label and confused pairs have the type and the value of the labels given."""
    labels = names[CODES]
    expected = names[mode_label(CODES)]
    for found in (mode_label(labels), label_statistics(labels).mode_label):
        assert found.dtype == names.dtype
        assert found.tolist() == expected.tolist()
    pairs, codes = flip_pairs(labels), flip_pairs(CODES)
    assert pairs.label_a.dtype == names.dtype
    assert pairs.label_a.tolist() == names[codes.label_a].tolist()
    assert pairs.label_b.tolist() == names[codes.label_b].tolist()


def test_values_from_the_definition():
    """Neighbours beyond 64 bits differ, whatever holds them: arrays, lists that numpy would round, or tensors."""
    assert label_entropy([[1e19], [2e19]]) == pytest.approx(log(2))
    assert label_entropy([[BIG, 7], [BIG + 1, 7]]).tolist() == [pytest.approx(log(2)), 0]
    assert jitter([[2**63 + 1, -1], [2**63, -1]]).tolist() == [1, 0]
    assert jitter([[HUGE], [HUGE + 1]]).tolist() == [1]
    assert jitter([np.array([2**64 - 1], np.uint64), np.array([-1])]).tolist() == [1]
    assert jitter(torch.tensor([[BIG], [BIG + 1]], dtype=torch.uint64)).tolist() == [1]
    assert mode_label(np.array([[2**63 + 5]] * 2, np.uint64)).tolist() == [2**63 + 5]
    found = mode_label(torch.tensor([[BIG, 3]] * 2, dtype=torch.uint64))
    assert found.dtype == torch.uint64
    assert found.tolist() == [BIG, 3]


def test_two_arguments_of_different_types_are_compared_by_value():
    """A number without a sign, a float or an object is never another number's bits."""
    top = np.array([2**64 - 1], np.uint64)
    assert churn(top, [-1]) == 1
    assert churn(top, np.array([-1], np.int8)) == 1
    assert churn(np.array([2**53 + 1]), np.array([2.0**53])) == 1
    assert churn(np.array([2**53]), np.array([2.0**53])) == 0
    assert churn(np.array([HUGE], object), [1e30]) == (int(1e30) != HUGE)
    assert negative_flip_rate([-1], top, [-1]) == 1
    assert win_loss(top, [-1], np.array([2**64 - 1], object)).losses == 1
    assert ambiguity([[-1], [-1]], reference="gold", targets=top) == 1
    assert ambiguity([[-1], [-1]], reference="gold", targets=[-1]) == 0
    assert retraining_negative_flip_rate([[-1, 0]] * 3, np.array([2**64 - 1, 0], np.uint64)).value == 0
    assert training_dynamics([[-1]], top).samples["correctness"].tolist() == [0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.lists(
            st.sampled_from([-(2**63), -1, 0, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, HUGE]),
            min_size=4,
            max_size=4,
        ),
        min_size=2,
        max_size=6,
    )
)
def test_any_whole_numbers_equal_counting_in_python(runs):
    """Entropy, jitter and mode are those of Python's own integers, whatever types numpy would make of a list."""
    columns = list(zip(*runs, strict=True))
    counts = [Counter(column) for column in columns]
    shares = [[count / len(runs) for count in some.values()] for some in counts]
    np.testing.assert_allclose(label_entropy(runs), [-sum(p * log(p) for p in some) for some in shares], atol=1e-14)
    pairs = [list(combinations(column, 2)) for column in columns]
    np.testing.assert_allclose(jitter(runs), [np.mean([a != b for a, b in some]) for some in pairs])
    modes = [min(label for label, count in some.items() if count == max(some.values())) for some in counts]
    assert mode_label(runs).tolist() == modes


@pytest.mark.parametrize(
    ("labels", "kind"),
    [
        (np.array([[True, False]] * 2), bool),
        (np.array([[1.0, -2.0]] * 2), np.float64),
        (np.array([[1.0, -2.0]] * 2, np.float16), np.float16),
        (np.array([[1, 2]] * 2, np.uint64), np.uint64),
        (torch.tensor([[True, False]] * 2), torch.bool),
        (torch.tensor([[1.0, -2.0]] * 2, dtype=torch.bfloat16), torch.bfloat16),
        (torch.tensor([[1, 2]] * 2, dtype=torch.uint16), torch.uint16),
    ],
)
def test_modes_are_of_the_arguments_kind(labels, kind):
    """Booleans, floats and unsigned numbers come back as such."""
    for found in (mode_label(labels), label_statistics(labels).mode_label):
        assert found.dtype == kind
        assert found.tolist() == labels[0].tolist()


def test_groups_may_be_any_whole_numbers():
    """Groups beyond 64 bits are groups of their own."""
    found = by_group([0.0, 1.0, 2.0], [2**63, -1, 2**63])
    assert found.group.tolist() == [-1, 2**63]
    assert found.mean.tolist() == [1, 1]
    assert by_group([0.0, 1.0], [HUGE, HUGE + 1]).count.tolist() == [1, 1]


def test_an_ensemble_that_abstains_refuses_labels_beyond_64_bits():
    """No integer type holds such labels and -1."""
    with pytest.raises(InputError, match="labels holds numbers beyond 64 bits, beside which -1 cannot mark"):
        selective_ensemble(np.full((6, 1), 2**63, np.uint64))


def test_recorders_say_that_wide_rows_and_targets_are_out_of_range():
    """Nothing wraps into a row or class that exists."""
    recorder = DynamicsRecorder(samples=2, num_classes=2)
    with pytest.raises(InputError, match=r"rows holds values outside 0\.\.1"):
        recorder.update([2**64], [[0.0, 1.0]], [0])
    with pytest.raises(InputError, match=r"targets holds 18446744073709551615 at position \(0,\), outside 0\.\.1"):
        recorder.update([0], [[0.0, 1.0]], np.array([2**64 - 1], np.uint64))
    with pytest.raises(InputError, match="targets holds 18446744073709551616"):
        label_quality([[0.5, 0.5]], [2**64])


MASKED = np.ma.array([[0, 0], [0, 9], [0, 0]], mask=[[0, 0], [0, 1], [0, 0]])
MASK_DOORS = (label_entropy, jitter, self_consistency, mode_share, variation_ratio)


@pytest.mark.parametrize("measure", [*MASK_DOORS, lambda labels, **mask: label_statistics(labels, **mask).jitter])
def test_masked_arrays_are_masks(measure):
    """Wherever a mask may be given, a masked array says the same, alone or in a list, and narrows a mask given."""
    expected = measure(np.delete(MASKED.data, 1, 0))
    assert measure(MASKED).tolist() == expected.tolist() == [measure([[0, 0]] * 2)[0]] * 2
    assert measure(list(MASKED)).tolist() == expected.tolist()
    assert measure([[row, row] for row in MASKED]).tolist() == [expected.tolist()] * 2


@pytest.mark.parametrize("measure", MASK_DOORS)
def test_a_mask_given_and_that_of_the_array_both_count(measure):
    """A label is present if neither says that it is not."""
    one, other = np.random.default_rng(1).random((2, *CODES.shape)) < 0.8
    one[:2] = other[:2] = True
    found = measure(np.ma.array(CODES, mask=~one), mask=other)
    assert found.tolist() == measure(CODES, mask=one & other).tolist()


@pytest.mark.parametrize("bad", [np.nan, np.inf, 0.5, 1e300])
@pytest.mark.parametrize("measure", MASK_DOORS)
def test_what_is_masked_is_not_looked_at(measure, bad):
    """Values that are no labels are fine below a mask, of either kind, and count nowhere."""
    labels = np.array([[0.0, 1.0], [0.0, bad], [0.0, 2.0]])
    mask = np.array([[True, True], [True, False], [True, True]])
    expected = measure([[0, 1], [0, 2]])
    assert measure(labels, mask=mask).tolist() == expected.tolist()
    assert measure(torch.tensor(labels), mask=torch.tensor(mask)).tolist() == expected.tolist()
    assert measure(np.ma.array(labels, mask=~mask)).tolist() == expected.tolist()


def test_masked_objects_strings_and_classes_out_of_range_are_not_looked_at():
    """Nothing that is absent has to be a label of any kind, nor in range."""
    mask = [[True, True], [True, False], [True, True]]
    assert jitter([["a", "b"], ["a", None], ["a", "c"]], mask=mask).tolist() == [0, 1]
    assert jitter(np.array([[0, 1], [0, None], [0, 2]], object), mask=mask).tolist() == [0, 1]
    assert label_entropy([[0, 1], [0, 99], [0, 1]], num_classes=2, mask=mask).tolist() == [0, 0]
    along = np.ma.array(np.moveaxis(np.array([[[0, 1], [0, 9], [0, 1]]]), 1, 2), mask=False)
    along[0, 1, 1] = np.ma.masked
    assert label_entropy(along, axis=2).tolist() == [[0, 0]]


def test_a_sample_without_runs_has_no_value_whatever_stands_below_the_mask():
    """An array that is masked throughout gives NaN and a warning."""
    nothing = np.ma.array([[np.nan], [np.nan]], mask=True)
    with pytest.warns(RuntimeWarning, match="the mask leaves 1 of 1 samples"):
        assert np.isnan(label_entropy(nothing)).all()


@pytest.mark.parametrize(
    "measure",
    [
        mode_label,
        unstable_fraction,
        churn_matrix,
        flip_pairs,
        estimate,
        label_stability,
        label_flips,
        lambda masked: churn(masked[1], [0, 0]),
        lambda masked: by_group(masked[1] * 1.0, [0, 0]),
        lambda masked: by_group([0.0, 1.0], masked[1]),
        lambda masked: predicted_labels(masked * 1.0),
        lambda masked: jitter([[0, 0]] * 3, mask=masked == 0),
        lambda masked: training_dynamics(masked, [0, 0]),
        lambda masked: answered([[0, 0]] * 3, masked * 0),
        lambda masked: answered(masked, [[0, 0]] * 3),
    ],
)
def test_masked_arrays_are_refused_where_there_is_no_mask(measure):
    """What would have been read as a value is refused, with the ways to say what is meant."""
    with pytest.raises(
        InputError, match=r"with 1 masked values, and this takes no mask; leave these runs or samples out"
    ):
        measure(MASKED)


def test_masked_arrays_with_nothing_masked_are_arrays():
    """Without a masked value every measure takes them."""
    assert mode_label(np.ma.array([[0, 1], [0, 1]])).tolist() == [0, 1]
    assert churn(np.ma.array([0, 1], mask=False), [0, 2]) == 0.5


def test_what_stands_where_a_run_abstains_is_not_looked_at():
    """Silence needs no label."""
    found = answered([[0, 1, np.nan], [0, 1, 2.5], [0, 1, 1]], [[0, 0, 1], [0, 0, 1], [0, 0, 0]])
    assert (found.jitter, found.label_entropy) == (0, 0)
