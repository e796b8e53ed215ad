"""What the networks of a study are asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@dataclass(frozen=True, eq=False)
class StudyInputs:
    """What the networks of a study take.

    Attributes:
        inputs: As the model takes them, [sample, ...].
        targets: The gold labels, [sample]; -1 where unknown.
        ids: The samples' ids.
        preprocessing: How inputs are made of raw samples, see `reseed.models.Prepared`.
    """

    inputs: Tensor
    targets: NDArray[np.int64]
    ids: tuple[str, ...]
    preprocessing: Mapping[str, object]
