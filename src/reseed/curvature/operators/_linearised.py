"""Outputs of networks as linear functions of small changes of weights: products with the Jacobian and its transpose."""

from __future__ import annotations

import torch
from torch import Tensor


class Linearised:
    """The Jacobian J of outputs in weights, known by products.

        J v = d/du <J'u, v>

    so that both products are backward passes through graphs that are kept.

    Args:
        outputs: [run, ...], with their graph; those of a run depend on its weights only.
        weights: [run, parameter].

    Attributes:
        pulled: J'u with its graph.
    """

    def __init__(self, outputs: Tensor, weights: Tensor) -> None:
        self.outputs, self._weights = outputs, weights
        self._direction = torch.zeros_like(outputs, requires_grad=True)
        (self.pulled,) = torch.autograd.grad(outputs, weights, self._direction, create_graph=True)

    def times(self, vectors: Tensor) -> Tensor:
        """Return J v, like the outputs, of vectors [run, parameter]."""
        (product,) = torch.autograd.grad(self.pulled, self._direction, vectors, retain_graph=True)
        return product

    def transposed_times(self, directions: Tensor) -> Tensor:
        """Return J'u, [run, parameter], of directions like the outputs."""
        (product,) = torch.autograd.grad(self.outputs, self._weights, directions, retain_graph=True)
        return product
