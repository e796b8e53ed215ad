"""Checking that numbers are probabilities; needed by studies that are imported and by measures alike."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError

TOLERANCE = 1e-4


def check_simplex(values: NDArray[Any], name: str, *, unit: float = 0.0) -> None:
    """Accept distributions: not negative, no NaN, each row summing to one within 1e-4 and what their type rounds.

    Args:
        values: Floats of shape [..., class].
        name: What the message calls them.
        unit: By which share of itself each may have been rounded, where they come from a coarser type than their own.

    Raises:
        InputError: Naming the first row that is no distribution.

    Examples:
        >>> check_simplex(np.array([[0.5, 0.4]]), "probabilities")  # doctest: +ELLIPSIS
        Traceback (most recent call last):
            ...
        reseed._errors.InputError: probabilities sums to 0.9 at position (0,), not to 1; pass softmax outputs...
    """
    for is_bad, what in ((np.isnan(values), "no number"), (values < 0, "a negative probability")):
        if is_bad.any():
            place = tuple(int(axis) for axis in np.argwhere(is_bad)[0])
            raise InputError(
                f"{name} holds {values[place]:.6g} at position {place}, {what}; pass softmax outputs, not logits."
            )
    totals = values.sum(axis=-1, dtype=np.float64)
    own = float(np.finfo(values.dtype).eps) / 2 if values.dtype.kind == "f" else 0.0
    is_bad = ~(np.abs(totals - 1) <= TOLERANCE + 2 * max(unit, own))  # rounded once by a softmax, once by its sum
    if is_bad.any():
        place = tuple(int(axis) for axis in np.argwhere(is_bad)[0])
        raise InputError(
            f"{name} sums to {totals[place]:.6g} at position {place}, not to 1; pass softmax outputs, not logits, "
            "and divide rounded ones by their sum."
        )
