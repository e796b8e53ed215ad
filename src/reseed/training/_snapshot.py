"""Where a training stands, as tensors by name: what it goes on from bit for bit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from reseed._errors import StudyError

MODEL, OPTIMIZER, AVERAGES = "model.", "optimizer.", "averages."


@final
@dataclass(frozen=True, eq=False)
class Snapshot:
    """Where a training stands: everything that later steps depend on besides its recipe, data and seeds.

    Draws (order, dropout, augmentation) are functions of seeds and step, so that no generator has a state to keep.

    Attributes:
        made: Steps made so far.
        tensors: What a training changes, what its optimiser remembers, and averages, by name.
    """

    made: int
    tensors: Mapping[str, Tensor]

    def copied(self) -> Snapshot:
        """Return one that later steps do not change."""
        return Snapshot(self.made, {name: tensor.clone() for name, tensor in self.tensors.items()})

    def without_averages(self) -> Snapshot:
        """Return where to go on from as if nothing had been averaged."""
        left = {name: tensor for name, tensor in self.tensors.items() if not name.startswith(AVERAGES)}
        return Snapshot(self.made, left)


def numbered(prefix: str, tensors: Iterable[Tensor]) -> dict[str, Tensor]:
    """Return tensors by their places.

    Examples:
        >>> list(numbered("model.", [torch.zeros(2), torch.ones(3)]))
        ['model.0', 'model.1']
    """
    return {f"{prefix}{place}": tensor.detach() for place, tensor in enumerate(tensors)}


def prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors under longer names."""
    return {prefix + name: tensor for name, tensor in tensors.items()}


def below(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return those whose names begin so, by what follows.

    Examples:
        >>> list(below("model.", prefixed("model.", numbered("", [torch.zeros(2)])) | {"other": torch.ones(1)}))
        ['0']
    """
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


@torch.no_grad()
def fill(tensors: Sequence[Tensor], kept: Mapping[str, Tensor]) -> None:
    """Give tensors the values that `numbered` named, each in its own layout.

    Raises:
        StudyError: There are others, or of other shapes.
    """
    wanted = {str(place): tensor for place, tensor in enumerate(tensors)}
    if {name: one.shape for name, one in kept.items()} != {name: one.shape for name, one in wanted.items()}:
        raise StudyError(
            "the state that a training should go on from is that of another model: the model's code has changed. Bring "
            "back what was there when the study was begun, or delete the study's folder 'unfinished'."
        )
    for name, tensor in wanted.items():
        tensor.copy_(kept[name])
