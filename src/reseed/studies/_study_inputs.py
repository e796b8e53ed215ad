"""What the networks of a study are asked."""

from __future__ import annotations

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
    """

    inputs: Tensor
    targets: NDArray[np.int64]
    ids: tuple[str, ...]
