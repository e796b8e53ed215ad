"""Mode label, mode share and variation ratio."""

import numpy as np
import pytest
import scipy.stats

from reseed.instability import mode_label, mode_share, variation_ratio


def test_equal_scipys_mode():
    """Label and share equal those of scipy.stats.mode, which also breaks ties towards the lowest label."""
    labels = np.random.default_rng(0).integers(-3, 3, (6, 400))
    expected = scipy.stats.mode(labels, axis=0)
    assert (mode_label(labels) == expected.mode).all()
    np.testing.assert_allclose(mode_share(labels), expected.count / 6)
    np.testing.assert_allclose(variation_ratio(labels), 1 - expected.count / 6)


def test_lowest_label_wins_ties_in_any_order_of_runs():
    """Which run comes first makes no difference."""
    assert mode_label([[5], [2], [9]]).tolist() == [2]
    assert mode_label([[2], [5], [5], [2]]).tolist() == [2]
    assert mode_label([["b"], ["a"]]).tolist() == ["a"]
    assert mode_label([[10**12], [-(10**12)]]).tolist() == [-(10**12)]


def test_mode_keeps_the_kind_of_label():
    """Labels come back as they were: small integers small, strings as strings."""
    assert mode_label(np.zeros((2, 3), np.int16)).dtype == np.int16
    assert mode_label([["x"], ["x"]]).tolist() == ["x"]


@pytest.mark.parametrize(("measure", "name"), [(mode_share, "mode share"), (variation_ratio, "variation ratio")])
def test_nothing_present_is_nan(measure, name):
    """A mask that leaves no run gives NaN with a warning."""
    with pytest.warns(RuntimeWarning, match=f"1 of 2 samples with fewer runs than the 1 that {name} needs"):
        found = measure([[0, 1]], mask=[[False, True]])
    assert np.isnan(found).tolist() == [True, False]
