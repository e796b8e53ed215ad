"""Means of products over batches and runs, with graphs that are kept as far as memory reaches."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from reseed.curvature.operators._batches import Batch
from reseed.curvature.operators._operator import CurvatureOperator
from reseed.curvature.operators._risk import EmpiricalRisk

Multiply = Callable[[Tensor], Tensor]

_KEPT = 1 << 30  # bytes of activations that are kept between products


def mean_operator(risk: EmpiricalRisk, make: Callable[[slice, Batch], Multiply]) -> CurvatureOperator:
    """Return the mean over samples of what multiplies a batch's vectors.

    What is made holds a graph. It is kept for the next product until the graphs together reach a gibibyte; from there
    on graphs are made anew for every product.

    Args:
        risk: Of which networks and samples.
        make: Some runs and a batch to a function of their vectors [run, parameter].
    """
    pieces = [(runs, batch) for runs in risk.groups() for batch in risk.batches]
    kept: list[Multiply] = []
    taken = _Counted()
    for runs, batch in pieces:
        with taken.counting():
            one = make(runs, batch)
        if taken.bytes > _KEPT and kept:
            break
        kept.append(one)

    def multiply(vectors: Tensor) -> Tensor:
        total = torch.zeros_like(vectors)
        for number, (runs, batch) in enumerate(pieces):
            one = kept[number] if number < len(kept) else make(runs, batch)
            total[runs].add_(one(vectors[runs]), alpha=batch.share)
        return total

    return CurvatureOperator(risk.runs, risk.shapes, risk.weights.dtype, risk.weights.device, risk.examples, multiply)


class _Counted:
    """How much memory the tensors take that autograd keeps."""

    def __init__(self) -> None:
        self.bytes = 0
        self._seen: set[int] = set()

    def counting(self) -> torch.autograd.graph.saved_tensors_hooks:
        """Return a context in which what is kept is counted, each piece of memory once."""
        return torch.autograd.graph.saved_tensors_hooks(self._keep, lambda tensor: tensor)

    def _keep(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in self._seen:
            self._seen.add(storage.data_ptr())
            self.bytes += storage.nbytes()
        # Autograd gives it its history back. With that on it the graph would hold itself, and never be freed.
        return tensor.detach()
