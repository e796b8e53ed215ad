"""Questions about single numbers that several packages ask."""

from __future__ import annotations

from typing import TypeGuard

import numpy as np


def is_whole(value: object) -> TypeGuard[int]:
    """Tell whether a value is an integer of Python or numpy, and no boolean."""
    return isinstance(value, int | np.integer) and not isinstance(value, bool)
