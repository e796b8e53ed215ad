"""Where a validation loss becomes flat."""

import math

import numpy as np
import pytest

from reseed import InputError
from reseed.mitigations import auto_transient


@pytest.mark.parametrize(
    ("losses", "options", "expected"),
    [
        ([1.0] * 20, {}, 0),
        ([3, 2, 1, 1, 1, 1, 1, 1, 1], {}, 2),
        ([3, 2, 1, 1.2, 1.4, 0.5, 0.5, 0.5, 0.5], {"patience": 2}, 2),
        ([3, 2, 1, 1.2, 1.4, 0.5, 0.5, 0.5, 0.5], {"patience": 3}, 5),
        ([1.0, 0.95, 0.9, 0.9, 0.9], {"patience": 2, "rel_tol": 0.2}, 0),
        ([1.0, 0.95, 0.9, 0.9, 0.9], {"patience": 2, "rel_tol": 0.0}, 2),
        ([5, 4, 3, 2, 1], {"patience": 2}, 4),
        ([5, 4, 3], {"patience": 10}, 2),
        ([7.0], {}, 0),
        ([1, 2, 3, 4, 5, 6, 7, 8], {}, 0),
    ],
)
def test_the_flat_part_begins(losses, options, expected):
    """The index is the one that was read off the curve by hand; arrays are taken as well."""
    assert auto_transient(losses, **options) == expected
    assert auto_transient(np.asarray(losses), **options) == expected


def test_of_an_exponential_decay_it_is_where_the_slope_is_small():
    """Of exp(-t / 10) nothing improves by 1 % in 5 looks never; with an offset of 1 from where theory says."""
    assert auto_transient([math.exp(-t / 10) for t in range(100)]) == 99
    curve = [1 + math.exp(-t / 10) for t in range(200)]
    by_theory = next(t for t in range(200) if curve[t] - curve[t + 5] <= 0.01 * curve[t])
    assert auto_transient(curve) == by_theory


@pytest.mark.parametrize(
    ("losses", "options", "message"),
    [
        ([], {}, "val_losses is empty"),
        ([1.0, math.nan], {}, "val_losses must be finite, got nan at index 1"),
        ([1.0], {"patience": 0}, "patience must be 1 or more, got 0"),
        ([1.0], {"rel_tol": -0.1}, r"rel_tol must be zero or more, got -0\.1"),
        ([1.0], {"rel_tol": math.nan}, "rel_tol must be zero or more, got nan"),
    ],
)
def test_bad_input_is_refused(losses, options, message):
    """Errors name the argument and show the value."""
    with pytest.raises(InputError, match=message):
        auto_transient(losses, **options)
