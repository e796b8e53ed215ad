"""The expected calibration error, against torchmetrics and by hand."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error

from reseed._errors import InputError
from reseed.instability import expected_calibration_error


@pytest.mark.parametrize("bins", [1, 10, 15])
def test_torchmetrics_agrees(bins):
    """On confidences that touch no edge, torchmetrics' L1 calibration error is the same."""
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.2, 0.999, 500)
    is_right = rng.random(500) < confidence**1.5
    expected = binary_calibration_error(
        torch.from_numpy(confidence), torch.from_numpy(is_right.astype(int)), n_bins=bins, norm="l1"
    )
    assert expected_calibration_error(confidence, is_right, bins=bins) == pytest.approx(float(expected), abs=1e-6)


def test_bins_include_their_upper_end():
    """With two bins, 0.5 is in the lower one: 0.5 and 0.4 right together, 1.0 wrong alone."""
    found = expected_calibration_error([0.5, 0.4, 1.0], [True, False, False], bins=2)
    assert found == pytest.approx((abs(1 - 0.9) + 1) / 3)


def test_sure_and_right_is_calibrated():
    """Certainty that is right has no error, certainty that is wrong an error of 1."""
    assert expected_calibration_error(torch.ones(4), torch.ones(4, dtype=torch.bool)) == 0
    assert expected_calibration_error(np.ones(4), np.zeros(4, bool)) == 1


def test_no_samples_have_no_error():
    """Without samples it is NaN, with a warning."""
    with pytest.warns(RuntimeWarning, match="holds no samples"):
        assert np.isnan(expected_calibration_error([], np.zeros(0, bool)))


@pytest.mark.parametrize(
    ("arguments", "options", "text"),
    [
        (([0.5], [1]), {}, r"is_right must be boolean, got int64\[1\]; pass `labels == targets`"),
        (([0.5, 0.5], [True]), {}, r"confidence is float64\[2\] but is_right is bool\[1\]"),
        (([1.5], [True]), {}, r"confidence holds 1.5 at position \(0,\), outside \[0, 1\]"),
        (([0.5], [True]), {"bins": 0}, "bins must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_input_is_refused(arguments, options, text):
    """The message names the argument, shows the value and says what to pass."""
    with pytest.raises(InputError, match=text):
        expected_calibration_error(*arguments, **options)
