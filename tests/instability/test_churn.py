"""Churn between two models, hard and soft."""

import numpy as np
import pytest
import sklearn.metrics
import torch
from scipy.spatial.distance import jensenshannon

from reseed._errors import InputError
from reseed.instability import churn, churn_matrix, soft_churn


@pytest.fixture
def labels():
    """Random labels of 8 runs."""
    return np.random.default_rng(0).integers(0, 5, (8, 200))


def test_churn_is_the_complement_of_scikit_learns_accuracy(labels):
    """Taking one model as the truth, churn is the other's zero-one loss."""
    expected = sklearn.metrics.zero_one_loss(labels[0], labels[1])
    assert churn(labels[0], labels[1]) == pytest.approx(expected, rel=1e-14)


def test_churn_lies_between_the_difference_and_the_sum_of_the_errors(labels):
    """|err_f - err_g| <= C <= err_f + err_g, whatever the truth is."""
    gold = labels[0]
    for f in labels[1:]:
        for g in labels[1:]:
            errors = churn(f, gold), churn(g, gold)
            assert abs(errors[0] - errors[1]) - 1e-14 <= churn(f, g) <= sum(errors) + 1e-14


def test_churn_is_a_metric(labels):
    """Churn is symmetric, 0 to itself, and obeys the triangle inequality."""
    matrix = churn_matrix(labels)
    assert (matrix == matrix.T).all()
    assert (np.diag(matrix) == 0).all()
    assert (matrix[:, None, :] <= matrix[:, :, None] + matrix[None, :, :] + 1e-14).all()


def test_matrix_holds_the_churn_of_every_two_runs(labels):
    """Entry (r, s) is the churn of runs r and s, strings or not."""
    expected = [[churn(a, b) for b in labels] for a in labels]
    assert churn_matrix(labels).tolist() == expected
    assert churn_matrix(labels.astype(str)).tolist() == expected


def test_soft_churn_of_one_hot_rows_is_churn(labels):
    """Total variation of certain predictions is their disagreement."""
    eye = np.eye(5)
    assert soft_churn(eye[labels[0]], eye[labels[1]]) == pytest.approx(churn(labels[0], labels[1]), rel=1e-13)


@pytest.mark.parametrize(
    ("norm", "expected"),
    [("tv", 1.0), ("l1", 2.0), ("l2", np.sqrt(2)), ("js", np.log(2))],
)
def test_opposite_certainties_are_at_the_largest_distance(norm, expected):
    """Each distance reaches the top of its range on disjoint one-hot rows, and is 0 on equal rows."""
    p, q = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 1.0]])
    assert soft_churn(p, q, norm) == pytest.approx(expected, rel=1e-12)
    assert soft_churn(p, p, norm) == 0


def test_soft_churn_equals_direct_formulas():
    """All four distances equal independent evaluations, over more rows than one block holds."""
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(3), (2, 700))
    assert soft_churn(p, q, "l1") == pytest.approx(np.linalg.norm(p - q, 1, axis=1).mean(), rel=1e-12)
    assert soft_churn(p, q, "l2") == pytest.approx(np.linalg.norm(p - q, axis=1).mean(), rel=1e-12)
    assert soft_churn(p, q, "js") == pytest.approx(np.mean(jensenshannon(p, q, axis=1) ** 2), rel=1e-12)
    assert soft_churn(p, q, "tv") == pytest.approx(soft_churn(p, q, "l1") / 2, rel=1e-12)


def test_next_to_impossible_classes_are_at_no_distance():
    """The smallest number there is, beside 0, makes no distance infinite."""
    p, q = [[1.0, 5e-324]], [[1.0, 0.0]]
    for norm in ("tv", "l1", "l2", "js"):
        assert soft_churn(p, q, norm) == pytest.approx(0, abs=1e-300)
        assert soft_churn(p, p, norm) == 0


def test_no_samples_give_nan():
    """A mean over nothing is NaN, with a warning."""
    with pytest.warns(RuntimeWarning, match="a and b hold no samples; the churn is NaN"):
        assert np.isnan(churn([], np.zeros(0, int)))
    with pytest.warns(RuntimeWarning, match="labels holds no samples; the churn is NaN"):
        assert np.isnan(churn_matrix(np.zeros((2, 0), int))).all()
    with pytest.warns(RuntimeWarning, match="p and q hold no samples; the soft churn is NaN"):
        assert np.isnan(soft_churn(np.zeros((0, 2)), np.zeros((0, 2))))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: churn([0, 1], [0]), r"a is int64\[2\] but b is int64\[1\]; pass two arrays over the same"),
        (lambda: churn([0], ["a"]), r"a is int64\[1\] but b is <U1\[1\]; pass integers in both or strings"),
        (lambda: churn([0.5], [0]), r"a holds 0.5 at position \(0,\), which is not a label"),
        (lambda: soft_churn([[1.0]], [[1.0]], "kl"), "norm='kl' is unknown; pass 'tv', 'l1', 'l2' or 'js'"),
        (lambda: soft_churn([[1.0]], [[0.5]]), r"q sums to 0.5 at position \(0,\), not to 1"),
        (lambda: soft_churn([[1.0]], [[0.5, 0.5]]), r"p is float64\[1, 1\] but q is float64\[1, 2\]"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(call, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    with pytest.raises(InputError, match=text):
        call()
