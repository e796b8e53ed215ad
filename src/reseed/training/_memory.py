"""What training one run takes of memory."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed.models import AbstractArchitecture
from reseed.training._loop import Training
from reseed.training._recipe import Recipe
from reseed.training._seeds import SeedPlan
from reseed.training._training_set import TrainingSet


def bytes_of_one_run(recipe: Recipe, architecture: AbstractArchitecture, data: TrainingSet) -> int:
    """Return how many bytes one run takes, measured on its first step.

    Parameters, gradients and optimiser state, and all that the forward pass keeps for the backward pass (activations,
    attention weights, dropout masks), twice: gradients of it come and go, and stacking copies some of it. To that comes
    what teachers say of the training set to each run.
    """
    training = Training(recipe.bare, architecture, data, SeedPlan().seeds(0))
    held = {tensor.untyped_storage().data_ptr() for tensor in (*training.model.parameters(), data.inputs)}
    kept: dict[int, int] = {}

    def note(tensor: Tensor) -> Tensor:
        storage, start = tensor.untyped_storage(), tensor.data_ptr()
        if storage.data_ptr() not in held:
            kept[start] = max(kept.get(start, 0), min(tensor.nbytes, storage.nbytes()))
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        next(training.steps())
    copies = 3 if recipe.optimizer.name in ("sgd", "sgdw") else 4
    lessons = sum(method.stage is not None for method in recipe.mitigations)
    # What is said of the training set, what has been said so far and what is learned of it, in single precision.
    taught = 3 * lessons * 4 * len(data.labels) * data.num_classes
    return taught + copies * sum(parameter.nbytes for parameter in training.model.parameters()) + 2 * sum(kept.values())
