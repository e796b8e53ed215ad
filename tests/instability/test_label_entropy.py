"""Label entropy against closed forms, exact sums and scipy."""

import numpy as np
import pytest
import scipy.stats
from scipy.special import digamma

from reseed._errors import InputError
from reseed.instability import jitter, label_entropy


def labels_from_counts(*counts):
    """Builds the labels [run, 1] of one sample in which label k occurs counts[k] times."""
    return np.repeat(np.arange(len(counts)), counts)[:, None]


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((50, 0), 0.0),
        ((25, 25), 0.693147),
        ((90, 5, 5), 0.394398),
        ((75, 25), 0.562335),
        ((49, 1), 0.098039),
        ((37, 13), 0.573057),
        ((38, 12), 0.551080),
        ((10,) * 5, np.log(5)),
    ],
)
def test_known_counts_give_known_entropies(counts, expected):
    """Closed forms in nats, and the same in bits."""
    labels = labels_from_counts(*counts)
    np.testing.assert_allclose(label_entropy(labels), [expected], atol=5e-7)
    np.testing.assert_allclose(label_entropy(labels, base=2), [expected / np.log(2)], atol=1e-6)


def test_agreement_is_exactly_zero_under_every_correction():
    """A sample on which all runs agree has entropy 0, not merely close to 0, also under a mask."""
    labels = np.full((37, 4), 3)
    for correction in (None, "miller-madow", "digamma"):
        assert label_entropy(labels, correction=correction).tolist() == [0.0] * 4
        assert label_entropy(labels, correction=correction, mask=labels == 3).tolist() == [0.0] * 4


def test_equals_scipy():
    """Entropies of random labels equal those of scipy.stats.entropy."""
    labels = np.random.default_rng(0).integers(0, 12, (30, 500))
    expected = [scipy.stats.entropy(np.bincount(column)) for column in labels.T]
    np.testing.assert_allclose(label_entropy(labels), expected, rtol=1e-13)


def test_many_runs_equal_scipy():
    """The fixed-point sums stay exact enough for thousands of runs."""
    labels = np.random.default_rng(0).integers(0, 900, (6000, 3))
    expected = [scipy.stats.entropy(np.bincount(column)) for column in labels.T]
    np.testing.assert_allclose(label_entropy(labels), expected, rtol=1e-13)


@pytest.mark.parametrize(
    ("correction", "p", "true", "expected"),
    [
        (None, 0.5, 0.693147, (0.5770, 0.6401, 0.6675, 0.6830)),
        ("miller-madow", 0.5, 0.693147, (0.6708, 0.6900, 0.6925, 0.6930)),
        ("digamma", 0.5, 0.693147, (0.6823, 0.6930, 0.6931, 0.6931)),
        (None, 0.9, 0.3251, (0.2189, 0.2666, 0.2966, 0.3146)),
        ("miller-madow", 0.9, 0.3251, (0.2598, 0.2991, 0.3185, 0.3246)),
        ("digamma", 0.9, 0.3251, (0.2660, 0.3032, 0.3206, 0.3250)),
    ],
)
def test_bias_of_the_estimators(correction, p, true, expected):
    """The expectation over binomial counts equals the exact sums for 5, 10, 20 and 50 runs, below the truth."""
    for runs, value in zip((5, 10, 20, 50), expected, strict=True):
        ones = np.arange(runs + 1)
        labels = (np.arange(runs)[:, None] < ones).astype(int)  # sample k has k ones
        mean = scipy.stats.binom.pmf(ones, runs, p) @ label_entropy(labels, correction=correction)
        assert mean == pytest.approx(value, abs=6e-5)
        assert mean < true + 5e-5


def test_miller_madow_adds_half_a_run_for_each_label_but_one():
    """The counts 4 2 3 0 2 4 0 0 2 1 1 of 19 runs show 8 labels: plug-in + 7 / (2 * 19)."""
    labels = labels_from_counts(4, 2, 3, 0, 2, 4, 0, 0, 2, 1, 1)
    plain, corrected = label_entropy(labels), label_entropy(labels, correction="miller-madow")
    np.testing.assert_allclose(corrected, plain + 7 / (2 * 19), rtol=1e-13)


def test_digamma_form():
    """The digamma correction equals its formula evaluated directly."""
    counts = np.array([7, 2, 1])
    expected = np.sum(counts / 10 * (digamma(10) - digamma(counts)))
    np.testing.assert_allclose(label_entropy(labels_from_counts(*counts), correction="digamma"), [expected], rtol=1e-13)


def test_two_runs_have_entropy_ln_2_where_they_differ():
    """With two runs, entropy is ln 2 times disagreement."""
    labels = np.random.default_rng(0).integers(0, 3, (2, 100))
    np.testing.assert_allclose(label_entropy(labels), np.log(2) * (labels[0] != labels[1]), rtol=1e-14)


def test_bounds_and_link_with_jitter():
    """0 <= LE <= ln min(K, N), and 1 - sum p^2 = jitter (N - 1) / N never exceeds LE."""
    for runs, classes in ((4, 9), (9, 4)):
        labels = np.random.default_rng(0).integers(0, classes, (runs, 400))
        entropy = label_entropy(labels)
        assert (entropy >= 0).all()
        assert (entropy <= np.log(min(runs, classes)) + 1e-14).all()
        assert (jitter(labels) * (runs - 1) / runs <= entropy + 1e-14).all()


def test_single_run_entropy_is_the_same_function_along_checkpoints():
    """Counting along axis 1 of [run, checkpoint, sample] equals counting each run's checkpoints."""
    labels = np.random.default_rng(0).integers(0, 3, (4, 6, 10))
    along = label_entropy(labels, axis=1)
    assert along.shape == (4, 10)
    for run in range(4):
        assert (along[run] == label_entropy(labels[run])).all()
    assert (label_entropy(labels, axis=-2) == along).all()


def test_further_axes_are_kept():
    """All axes but the counted one come back; a single sample gives a single number."""
    labels = np.random.default_rng(0).integers(0, 3, (4, 6, 10))
    assert label_entropy(labels).shape == (6, 10)
    assert label_entropy(labels[:, :0]).shape == (0, 10)
    assert label_entropy([0, 1]) == pytest.approx(np.log(2))


def test_mask_counts_runs_for_each_sample():
    """A mask gives each sample its own number of runs; nothing present is NaN with a warning."""
    labels = np.array([[0, 0, 0], [1, 1, 1], [1, 1, 5]])
    mask = np.array([[True, False, False], [True, True, False], [False, True, False]])
    with pytest.warns(RuntimeWarning, match="leaves 1 of 3 samples with fewer runs than the 1 that label entropy"):
        found = label_entropy(labels, mask=mask)
    np.testing.assert_allclose(found, [np.log(2), 0, np.nan], rtol=1e-14)


def test_mask_follows_the_axis():
    """A mask has the labels' axes, in the labels' order."""
    labels = np.array([[0, 1, 1], [2, 2, 3]])
    mask = np.array([[True, True, True], [True, True, False]])
    found = label_entropy(labels, axis=1, mask=mask)
    np.testing.assert_allclose(found, [0.6365141682948128, 0], rtol=1e-14)


def test_labels_may_be_strings_negative_or_whole_floats():
    """What the labels are called makes no difference."""
    codes = np.random.default_rng(0).integers(0, 3, (5, 20))
    expected = label_entropy(codes)
    for labels in (
        np.array(["b", "a", "zz"])[codes],
        np.array(["b", "a", "zz"], dtype=object)[codes],
        codes - 2,
        codes.astype(np.float32),
        np.array([-(2**60), 0, 2**62])[codes],
        codes.astype(np.uint64),
    ):
        assert (label_entropy(labels) == expected).all()
    assert (label_entropy(codes > 0) == label_entropy((codes > 0).astype(int))).all()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"labels": [[0.5, 1.0]]}, r"labels holds 0.5 at position \(0, 0\), which is not a label: pass integers"),
        ({"labels": [[1.0, np.nan]]}, r"labels holds nan at position \(0, 1\)"),
        ({"labels": [[0, 1], [0]]}, "labels is ragged: its rows differ in length"),
        ({"labels": [[None, 1]]}, r"labels must hold integers or strings, got object\[1, 2\]; pass predicted"),
        ({"labels": 3}, "labels must have a run axis, got the single value 3"),
        ({"labels": np.zeros((0, 4), int)}, "labels has 0 runs along axis 0, fewer than the 1 needed"),
        ({"labels": [[0, 1]], "axis": 2}, r"axis=2 is not an axis of labels, which is int64\[1, 2\]"),
        ({"labels": [[0, 3]], "num_classes": 3}, r"labels holds 3 at position \(0, 1\), outside 0..2; pass a"),
        ({"labels": [[0, -1]], "num_classes": 3}, r"labels holds -1 at position \(0, 1\), outside 0..2"),
        ({"labels": [["a"]], "num_classes": 3}, "labels holds strings, which have no range, but num_classes=3"),
        ({"labels": [[0]], "num_classes": 0}, "num_classes must be at least 1, got 0"),
        ({"labels": [[0]], "base": 1}, "base must be a positive number other than 1, got 1; pass None for nats"),
        ({"labels": [[0]], "correction": "zhang"}, "correction='zhang' is unknown; pass None, 'miller-madow'"),
        ({"labels": [[0]], "mask": [[1]]}, r"mask must be boolean \(True = present\), got int64\[1, 1\]"),
        ({"labels": [[0]], "mask": [True]}, r"mask is bool\[1\] but labels are int64\[1, 1\]"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(arguments, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    with pytest.raises(InputError, match=text):
        label_entropy(**arguments)


def test_num_classes_does_not_change_the_result():
    """Labels within their range give the same entropy with and without the range."""
    labels = np.random.default_rng(0).integers(0, 5, (6, 30))
    assert (label_entropy(labels, num_classes=900) == label_entropy(labels)).all()
