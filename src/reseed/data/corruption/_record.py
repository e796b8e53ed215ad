"""What was corrupted: known samples, true and given labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, final

import numpy as np
from numpy.typing import NDArray

Statistic: TypeAlias = "bool | int | float | list[float]"


@final
@dataclass(frozen=True, eq=False)
class CorruptionRecord:
    """Which training samples were corrupted on purpose, or have labels that are known to be wrong.

    Attributes:
        kind: what was done, a `CorruptionConfig.kind`; for labels that people gave `annotations-NAME`.
        rate: share of the samples that were to be touched; None where people gave the labels.
        sample_ids: ids of all training samples.
        true_labels: labels before, int64 `[sample]`.
        given_labels: labels that are learned, int64 `[sample]`.
        selected: which samples were touched, `[sample]`.
        changed: of which samples the label or the input is not what it was, `[sample]`.
        statistics: numbers by name: `samples`, `selected`, `changed`, `seed`; whether evaluation inputs were treated
            likewise (`evaluation`); for noise its `mean` and `sd`, unless each sample has its own; for images in noise
            the share of values that were clipped to [0, 1] (`clipped`).
    """

    kind: str
    rate: float | None
    sample_ids: tuple[str, ...]
    true_labels: NDArray[np.int64]
    given_labels: NDArray[np.int64]
    selected: NDArray[np.bool_]
    changed: NDArray[np.bool_]
    statistics: Mapping[str, Statistic] = field(default_factory=dict)

    def __len__(self) -> int:
        """Number of training samples."""
        return len(self.sample_ids)
