"""What must hold for any labels whatsoever."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reseed.instability import (
    churn_matrix,
    estimate,
    flip_pairs,
    jitter,
    label_entropy,
    label_statistics,
    mode_share,
    rarefaction,
    self_consistency,
    unstable_fraction,
    variation_ratio,
)

MEASURES = (label_entropy, jitter, self_consistency, mode_share, variation_ratio)
labels_of_runs = hnp.arrays(
    st.sampled_from([np.int64, np.int16]),
    st.tuples(st.integers(2, 12), st.integers(1, 15)),
    elements=st.integers(-3, 5),
)
quick = settings(max_examples=60, deadline=None)


@quick
@given(labels_of_runs, st.randoms(use_true_random=False))
def test_permuting_runs_changes_nothing(labels, random):
    """The order of runs does not matter, not even to the last bit."""
    order = list(range(len(labels)))
    random.shuffle(order)
    for measure in MEASURES:
        assert (measure(labels[order]) == measure(labels)).all()
    assert (churn_matrix(labels[order]) == churn_matrix(labels)[order][:, order]).all()


@quick
@given(labels_of_runs, st.permutations(range(9)))
def test_relabelling_classes_changes_nothing(labels, names):
    """What classes are called does not matter, not even to the last bit, be it wide apart or strings."""
    renamed = np.array(names)[labels + 3]
    for measure in MEASURES:
        expected = measure(labels)
        assert (measure(renamed) == expected).all()
        assert (measure(renamed * 10**12) == expected).all()
        assert (measure(renamed.astype(str)) == expected).all()


@quick
@given(labels_of_runs)
def test_classes_never_used_change_nothing(labels):
    """A larger number of classes does not matter."""
    labels = labels + 3
    assert (label_entropy(labels, num_classes=9) == label_entropy(labels, num_classes=5000)).all()


@quick
@given(labels_of_runs, st.integers(2, 4))
def test_duplicating_runs_keeps_the_plug_in_entropy(labels, times):
    """Copies keep all shares of labels; jitter shrinks, and so does Miller and Madow's correction."""
    copies = np.tile(labels, (times, 1))
    np.testing.assert_allclose(label_entropy(copies), label_entropy(labels), atol=1e-13)
    assert (mode_share(copies) == mode_share(labels)).all()
    assert (jitter(copies) <= jitter(labels)).all()
    added = label_entropy(labels, correction="miller-madow") - label_entropy(labels)
    added_to_copies = label_entropy(copies, correction="miller-madow") - label_entropy(copies)
    np.testing.assert_allclose(added_to_copies * times, added, atol=1e-13)


@quick
@given(labels_of_runs, st.data())
def test_masking_equals_dropping(labels, data):
    """A masked label might as well not be there."""
    present = data.draw(hnp.arrays(bool, labels.shape))
    present[:2] = True  # two runs are enough for every measure
    for measure in MEASURES:
        found = measure(labels, mask=present)
        for i in range(labels.shape[1]):
            assert found[i] == measure(labels[present[:, i], i])


@quick
@given(labels_of_runs)
def test_ranges_and_identities(labels):
    """Shares lie in [0, 1], entropy in [0, ln N], and each instability is 0 exactly where all runs agree."""
    runs = len(labels)
    agree = (labels == labels[0]).all(axis=0)
    found = label_statistics(labels)
    assert ((found.label_entropy == 0) == agree).all()
    assert ((found.jitter == 0) == agree).all()
    assert ((found.mode_share == 1) == agree).all()
    assert (found.label_entropy >= 0).all()
    assert (found.label_entropy <= np.log(runs) + 1e-14).all()
    assert ((found.jitter >= 0) & (found.jitter <= 1)).all()
    assert (found.jitter * (runs - 1) / runs <= found.label_entropy + 1e-14).all()
    assert unstable_fraction(labels) == np.mean(~agree)


@quick
@given(labels_of_runs)
def test_pairs_of_runs_add_up(labels):
    """The churn matrix, the flipped pairs and the rarefaction of two runs all tell the mean jitter."""
    mean = jitter(labels).mean()
    runs = len(labels)
    assert churn_matrix(labels).sum() / (runs * (runs - 1)) == pytest.approx(mean, abs=1e-13)
    assert flip_pairs(labels, top=None).share.sum() == pytest.approx(mean, abs=1e-13)
    assert rarefaction(labels, [2]).unstable_fraction[0] == pytest.approx(mean, abs=1e-13)


@quick
@given(labels_of_runs.filter(lambda labels: len(labels) >= 3 and labels.shape[1] >= 2))
def test_estimates_lie_in_their_intervals(labels):
    """Every interval holds its value, and no error is negative."""
    for statistic in ("label_entropy", "jitter", "unstable_fraction", "variation_ratio"):
        for method in ("jackknife", "samples", "two-way"):
            found = estimate(labels, statistic, method)
            assert found.low <= found.value <= found.high
            assert found.standard_error >= 0
