"""What a network is evaluated with: the tensors of its own, apart from those that no training changes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from reseed.models import own_tensors, tensors_of


@dataclass(frozen=True, eq=False)
class EvaluatedWeights:
    """The tensors that one network answers with, by their names in a model of its own.

    Attributes:
        own: Parameters that are trained, and buffers: copies in the CPU's memory.
        frozen: Parameters that are not trained, as they are.
    """

    own: Mapping[str, Tensor]
    frozen: Mapping[str, Tensor]

    @property
    def all(self) -> dict[str, Tensor]:
        """Both."""
        return {**self.own, **self.frozen}


def evaluated_weights(state: Mapping[str, Tensor], model: nn.Module) -> EvaluatedWeights:
    """Return what a network has, with copies of what is its own.

    Args:
        state: Parameters and buffers by name.
        model: A model of the same architecture, which says what is trained.
    """
    own = own_tensors(model)
    return EvaluatedWeights(
        {name: _copied(state[name]) for name in own},
        {name: value.detach() for name, value in state.items() if name not in own},
    )


def whole_weights(model: nn.Module) -> EvaluatedWeights:
    """Return all that a network has, copied, where nobody can say what will be made anew of what is frozen."""
    return EvaluatedWeights({name: _copied(tensor) for name, tensor in tensors_of(model).items()}, {})


def _copied(tensor: Tensor) -> Tensor:
    # Contiguous, whatever the layout in training is.
    return torch.empty(tensor.shape, dtype=tensor.dtype).copy_(tensor.detach())
