"""Batch-norm statistics of weights that were never trained with, such as averaged ones."""

from __future__ import annotations

from collections.abc import Iterable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from reseed.training._record import evaluation_mode


def normalising(model: nn.Module) -> list[_BatchNorm]:
    """Return a model's layers of batch norm that keep running statistics."""
    return [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]


def refresh_statistics(model: nn.Module, batches: Iterable[Tensor]) -> None:
    """Recompute a model's running statistics: their plain mean over batches, each normalised by its own.

    All but batch norm is in evaluation mode, so that dropout does not change the variance of what it sees. Nothing else
    of the model changes, its modes and numbers of batches included.

    Args:
        model: One run's, or several runs' as one.
        batches: What its forward pass takes.
    """
    layers = normalising(model)
    kept = [(layer.momentum, _number(layer).clone()) for layer in layers]
    try:
        with evaluation_mode(model):
            for layer in layers:
                layer.reset_running_stats()
                layer.momentum, layer.training = None, True  # None: every batch weighs the same
            for batch in batches:
                model(batch)
    finally:
        with torch.no_grad():
            for layer, (momentum, number) in zip(layers, kept, strict=True):
                layer.momentum = momentum
                _number(layer).copy_(number)


def _number(layer: _BatchNorm) -> Tensor:
    """Return how many batches a layer has seen, which torch keeps with all statistics."""
    return cast(Tensor, layer.num_batches_tracked)
