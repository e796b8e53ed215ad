"""Four measures from one pass."""

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.instability import jitter, label_entropy, label_statistics, mode_label, mode_share


def test_one_pass_equals_the_single_measures():
    """The combined pass gives bit for bit what the functions give alone."""
    labels = np.random.default_rng(0).integers(0, 5, (9, 200))
    labels[:, ::2] = labels[0, ::2]
    found = label_statistics(labels)
    assert (found.label_entropy == label_entropy(labels)).all()
    assert (found.jitter == jitter(labels)).all()
    assert (found.mode_label == mode_label(labels)).all()
    assert (found.mode_share == mode_share(labels)).all()


def test_axis_and_mask():
    """The counted axis and the mask mean what they mean for label entropy."""
    labels = np.random.default_rng(0).integers(0, 3, (2, 5, 30))
    assert (label_statistics(labels, axis=1).jitter[1] == jitter(labels[1])).all()
    mask = np.random.default_rng(1).random((5, 30)) < 0.8
    found = label_statistics(labels[0], mask=mask)
    assert (found.label_entropy == label_entropy(labels[0], mask=mask)).all()
    assert (found.jitter == jitter(labels[0], mask=mask)).all()


def test_masked_samples_are_nan_measure_by_measure():
    """One run is enough for entropy but not for jitter; none is enough for neither; each case warns."""
    mask = [[True, True, False], [True, False, False]]
    with pytest.warns(RuntimeWarning) as caught:
        found = label_statistics([[0, 1, 2], [1, 1, 2]], mask=mask)
    assert ["label entropy" in str(one.message) for one in caught] == [True, False]
    assert ["jitter" in str(one.message) for one in caught] == [False, True]
    assert np.isnan(found.label_entropy).tolist() == [False, False, True]
    assert np.isnan(found.jitter).tolist() == [False, True, True]
    assert np.isnan(found.mode_share).tolist() == [False, False, True]


def test_one_run_raises():
    """A single run has no jitter."""
    with pytest.raises(InputError, match="labels has 1 runs along axis 0, fewer than the 2 needed"):
        label_statistics([[0, 1]])
