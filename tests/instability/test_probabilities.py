"""Labels from probabilities, checks of probabilities, and confidence over runs."""

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import check_probabilities, confidence_mean_std, predicted_labels


def test_lowest_class_wins_ties_in_numpy_and_torch():
    """Ties go to the lowest index, in every kind of array and every place."""
    scores = np.random.default_rng(0).integers(0, 3, (4, 50, 6)) / 10
    expected = [[row.tolist().index(row.max()) for row in rows] for rows in scores]
    assert predicted_labels(scores).tolist() == expected
    assert predicted_labels(scores.tolist()).tolist() == expected
    assert predicted_labels(torch.tensor(scores)).tolist() == expected
    assert predicted_labels(torch.tensor(scores, dtype=torch.bfloat16)).tolist() == expected


def test_predictions_are_int64_and_need_no_gradient():
    """Tensors that require gradients give plain labels."""
    found = predicted_labels(torch.rand(3, 4, requires_grad=True))
    assert found.dtype == torch.int64
    assert not found.requires_grad
    assert predicted_labels([[0.5, 0.5]]).dtype == np.int64


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
@pytest.mark.parametrize(
    ("scores", "text"),
    [
        ([[0.5, float("nan")]], r"probabilities holds NaN at position \(0, 1\); find the run that diverged"),
        (
            [[0, 1.0], [-np.inf] * 2],
            r"probabilities holds nothing but -inf at position \(1,\); find the run",
        ),
        ([-np.inf, -np.inf], r"probabilities holds nothing but -inf at position \(\); find the run"),
        (0.5, "probabilities must be an array, got the single value 0.5; pass at least one axis"),
        (np.zeros((2, 0)), r"probabilities has no classes, its shape is \[2, 0\]; pass \[..., class\]"),
    ],
)
def test_scores_that_have_no_largest_raise(kind, scores, text):
    """NaN, rows of -inf, single numbers and empty rows are refused by the numpy and the torch path alike."""
    with pytest.raises(InputError, match=text):
        predicted_labels(kind(scores))


@pytest.mark.parametrize("kind", [np.asarray, torch.tensor])
def test_infinite_scores_are_compared_like_others(kind):
    """A class at -inf is ruled out, and plus infinity leads."""
    assert predicted_labels(kind([[-np.inf, -5.0], [0.0, np.inf], [np.inf, np.inf]])).tolist() == [1, 1, 0]


def test_scores_must_be_numbers():
    """Strings are no scores."""
    with pytest.raises(InputError, match=r"probabilities must hold numbers, got <U1\[1\]; pass floating-point"):
        predicted_labels(["a"])


def test_distributions_pass():
    """Rows within 1e-4 of one pass, in any precision."""
    check_probabilities([[0.5, 0.50009], [1, 0]])
    check_probabilities(torch.softmax(torch.randn(5, 7, dtype=torch.float32), dim=-1))


@pytest.mark.parametrize(
    ("rows", "text"),
    [
        ([[0.5, 0.5], [0.5, 0.6]], r"probs sums to 1.1 at position \(1,\), not to 1; pass softmax outputs"),
        ([[0.5, 0.5002]], r"probs sums to 1.0002 at position \(0,\)"),
        ([[1.5, -0.5]], r"probs holds -0.5 at position \(0, 1\), a negative probability; pass softmax"),
        ([[np.nan, 1]], r"probs holds NaN at position \(0, 0\)"),
    ],
)
def test_other_rows_raise(rows, text):
    """The first row that is no distribution is named."""
    with pytest.raises(InputError, match=text):
        check_probabilities(rows, "probs")


def test_confidence_equals_numpy():
    """Mean and deviation over runs equal numpy's, with either denominator."""
    probability = np.random.default_rng(0).random((6, 20))
    for ddof in (0, 1):
        mean, std = confidence_mean_std(probability, ddof=ddof)
        np.testing.assert_allclose(mean, probability.mean(axis=0))
        np.testing.assert_allclose(std, probability.std(axis=0, ddof=ddof))


def test_confidence_accumulates_in_double_precision():
    """Single-precision probabilities are averaged in double precision."""
    mean, std = confidence_mean_std(torch.full((1000, 2), 0.1, dtype=torch.float32))
    assert mean.dtype == torch.float64
    np.testing.assert_allclose(mean, np.float64(np.float32(0.1)), rtol=1e-14)
    np.testing.assert_allclose(std, 0, atol=1e-14)


def test_no_degrees_of_freedom_give_nan():
    """One run with ddof=1 has no deviation."""
    with pytest.warns(RuntimeWarning, match="1 runs with ddof=1 leave no degrees of freedom"):
        mean, std = confidence_mean_std([[0.5]], ddof=1)
    assert mean.tolist() == [0.5]
    assert np.isnan(std).all()


@pytest.mark.parametrize(
    ("probability", "text"),
    [
        ([[1.5]], r"probability holds 1.5 at position \(0, 0\), outside \[0, 1\]; pass probabilities, not logits"),
        (np.zeros((0, 3)), r"probability has no runs, got float64\[0, 3\]; pass \[run, sample\]"),
    ],
)
def test_confidence_needs_probabilities(probability, text):
    """Logits and empty arrays are refused."""
    with pytest.raises(InputError, match=text):
        confidence_mean_std(probability)
