"""What methods do to a network before its first step."""

from __future__ import annotations

import copy

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from reseed._choices import IN_MEMORY
from reseed._draws import draw_key, item_uniform
from reseed.mitigations import Beginning
from reseed.models import AbstractArchitecture, parameter_origins, undisturbed
from reseed.training._arithmetic import arithmetic
from reseed.training._recipe import Recipe
from reseed.training._training_set import TrainingSet

_SAMPLES = 0x73616D70


def prepare(
    network: nn.Module,
    recipe: Recipe,
    architecture: AbstractArchitecture,
    data: TrainingSet,
    word: int,
    rows: NDArray[np.int64],
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
        rows: Those of the training set that the run trains on, [sample].
    """
    methods = [method for method in recipe.mitigations if method.prepares]
    if not methods:
        return
    origins = parameter_origins(architecture, data.input_shape, data.num_classes, word)
    named = dict(network.named_parameters())
    drawn = tuple(name for name in named if name in {*origins.redrawn, *origins.seedless} and named[name].requires_grad)

    def draw(number: int, samples: int) -> tuple[Tensor, Tensor]:
        places = item_uniform(draw_key(word, number, _SAMPLES), torch.arange(samples), ()).double() * len(rows)
        chosen = torch.from_numpy(rows[places.long().numpy()]).to(data.labels.device)
        inputs = data.inputs[chosen].cpu()
        return inputs.double() if inputs.is_floating_point() else inputs, data.labels[chosen].cpu()

    beginning = Beginning(
        word,
        drawn,
        data.input_shape,
        data.num_classes,
        recipe.model.name.removeprefix(IN_MEMORY),
        recipe.optimizer.name,
        recipe.optimizer.lr,
        draw,
    )
    twin = copy.deepcopy(network).to("cpu", torch.float64)
    # Of torch's kernels for attention, only the one that is written out can be differentiated more than once.
    with arithmetic(1), sdpa_kernel(SDPBackend.MATH), undisturbed([twin], gradients=True):
        for method in methods:
            method.prepare(twin, beginning)
    with torch.no_grad():
        for name, parameter in twin.named_parameters():
            if named[name].requires_grad:
                named[name].copy_(parameter)
