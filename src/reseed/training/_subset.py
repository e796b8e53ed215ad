"""Which part of the training set a run trains on, without replacement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray


@final
@dataclass(frozen=True)
class Subset:
    """All training samples but one fold of several, or a share of them.

    All runs of a plan train on equally many, so that they make their steps together: folds are of the size of the
    largest, and where the number of samples does not divide, neighbouring ones have a sample in common.

    Attributes:
        fold: Which fold is left out, from 0.
        folds: Of how many; 0 where a share is drawn.
        share: What is trained on where there are no folds, a share of the samples.

    Examples:
        >>> [Subset(fold, 3).rows(np.arange(7)).tolist() for fold in range(3)]
        [[3, 4, 5, 6], [0, 1, 5, 6], [0, 1, 2, 3]]
        >>> Subset(share=0.5).rows(np.array([3, 0, 2, 1])).tolist()
        [1, 2]
    """

    fold: int = 0
    folds: int = 0
    share: float = 1.0

    def size(self, samples: int) -> int:
        """Return how many of the samples are trained on."""
        return samples + (samples // -self.folds if self.folds else round(self.share * samples) - samples)

    def rows(self, order: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows that are trained on, in rising order, of all rows in the order in which they are drawn."""
        samples = len(order)
        first = self.fold * samples // self.folds if self.folds else 0
        out = samples - self.size(samples)
        return np.sort(np.concatenate([order[:first], order[first + out :]]))
