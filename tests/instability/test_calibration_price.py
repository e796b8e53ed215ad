"""What is said of a method that makes confidence fit accuracy less well."""

from dataclasses import replace

import pytest
from tests.instability.methods import around, made
from tests.instability.test_recommendation import NULL

from reseed.instability.comparison._calibration_price import calibration_price
from reseed.instability.comparison._recommendation import recommendation


def _with(ece, more, tempered=None, *, reach=0.01):
    """A method with these calibration errors, its own, above the control's, and after scaling, and their reach."""
    errors = {"ece": ece, "ece_difference": more, "tempered_ece": tempered}
    found = {name: None if value is None else around(value, reach) for name, value in errors.items()}
    row = made("a", 40)
    return replace(row, effect=replace(row.effect, **found))


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        (
            (0.151, 0.121, 0.029),
            "raises the calibration error from 3.0 to 15.1 %, after temperature scaling 2.9 %: add temperature",
        ),
        ((0.15, 0.12, 0.145), "raises the calibration error from 3.0 to 15.0 %, after temperature scaling 14.5 %"),
        ((0.15, 0.12, 0.15), "raises the calibration error from 3.0 to 15.0 %"),
        ((0.15, 0.12, None), "raises the calibration error from 3.0 to 15.0 %"),
        ((0.035, 0.005, 0.029), ""),
        ((0.015, -0.05, 0.029), ""),
        ((None, None, None), ""),
    ],
)
def test_a_price_is_told_where_it_is_beyond_the_interval(errors, told):
    """From what to what, what is left after scaling, and what to add where scaling takes it away."""
    assert calibration_price(_with(*errors).effect) == told


def test_the_recommendation_tells_the_price_of_what_it_recommends():
    """Beside accuracy; nothing is said of a method that has no such price."""
    assert recommendation([_with(0.151, 0.121, 0.029)], NULL).endswith(
        "accuracy stays within 0.5 points (0.00 [-0.20, 0.20]); raises the calibration error from 3.0 to 15.1 %, after "
        "temperature scaling 2.9 %: add temperature. At twice the training cost and one network at inference: still a. "
        "At any training cost and one network at inference: still a."
    )
    assert "calibration" not in recommendation([_with(0.03, 0.0, 0.03)], NULL)
