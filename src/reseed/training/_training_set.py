"""What a run learns from."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class TrainingSet:
    """Inputs [sample, ...] and labels [sample] on the device where training happens."""

    inputs: Tensor
    labels: Tensor
    num_classes: int

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self.inputs.shape[1:])
