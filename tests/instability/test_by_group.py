"""Means by group."""

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import by_group


def test_means_and_counts_of_each_group():
    """Groups come in ascending order with the mean and the number of their samples."""
    rng = np.random.default_rng(0)
    values, groups = rng.random(100), rng.integers(-2, 3, 100)
    found = by_group(values, groups)
    assert found.group.tolist() == [-2, -1, 0, 1, 2]
    assert found.count.tolist() == [int((groups == g).sum()) for g in found.group]
    np.testing.assert_allclose(found.mean, [values[groups == g].mean() for g in found.group])
    assert np.average(found.mean, weights=found.count) == pytest.approx(values.mean(), rel=1e-13)


def test_tensors_give_tensors():
    """Counts and means follow the values; names stay numpy, as they may be strings."""
    found = by_group(torch.tensor([1.0, 2.0, 4.0]), ["b", "a", "b"])
    assert found.group.tolist() == ["a", "b"]
    assert found.mean.tolist() == [2.0, 2.5]
    assert isinstance(found.count, torch.Tensor)


def test_nan_stays_in_its_group():
    """An undefined value makes its group's mean undefined and no other's."""
    assert np.isnan(by_group([1.0, np.nan, 2.0], ["a", "a", "b"]).mean).tolist() == [True, False]


@pytest.mark.parametrize(
    ("values", "groups", "text"),
    [
        ([1.0, 2.0], ["a"], r"values is float64\[2\] and groups is <U1\[1\]; pass two one-dimensional arrays"),
        ([[1.0]], [["a"]], r"values is float64\[1, 1\] and groups is <U1\[1, 1\]"),
        (["x"], ["a"], r"values must hold numbers, got <U1\[1\]; pass a per-sample measure"),
        ([1.0], [0.5], r"groups must hold strings or integers, got float64\[1\]; pass one name for each sample"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(values, groups, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    with pytest.raises(InputError, match=text):
        by_group(values, groups)
