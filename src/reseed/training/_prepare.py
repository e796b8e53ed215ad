"""What methods do to a network before its first step."""

from __future__ import annotations

import copy

import torch
from torch import nn

from reseed._choices import IN_MEMORY
from reseed.mitigations import Beginning
from reseed.models import AbstractArchitecture, parameter_origins, undisturbed
from reseed.training._arithmetic import arithmetic
from reseed.training._recipe import Recipe
from reseed.training._training_set import TrainingSet


def prepare(
    network: nn.Module, recipe: Recipe, architecture: AbstractArchitecture, data: TrainingSet, word: int
) -> None:
    """Change the initial weights of a network as the recipe's methods say, in place.

    They work on a copy in double precision, by one thread of a CPU: the same bits come out whatever the engine, the
    number of its threads and the device. Buffers stay as they are.

    Args:
        network: Freshly drawn.
        recipe: With its mitigations.
        architecture: The factory that the recipe names.
        data: The training set.
        word: What the network's weights are drawn from.
    """
    methods = [method for method in recipe.mitigations if method.prepares]
    if not methods:
        return
    origins = parameter_origins(architecture, data.input_shape, data.num_classes, word)
    named = dict(network.named_parameters())
    drawn = tuple(name for name in named if name in {*origins.redrawn, *origins.seedless} and named[name].requires_grad)
    beginning = Beginning(word, drawn, data.input_shape, data.num_classes, recipe.model.name.removeprefix(IN_MEMORY))
    twin = copy.deepcopy(network).to("cpu", torch.float64)
    with arithmetic(1), undisturbed([twin], gradients=True):
        for method in methods:
            method.prepare(twin, beginning)
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            if named[name].requires_grad:
                named[name].copy_(parameter)
