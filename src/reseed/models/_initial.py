"""Initial weights that no seed decides: principal directions of the training data, or zeros and ones."""

from __future__ import annotations

import math
from collections.abc import Collection

import torch
from torch import Tensor, nn

from reseed._errors import ModelError
from reseed.models._vision import ResidualBlock

_LAYERS = (nn.Linear, nn.Conv2d)


def principal_directions(inputs: Tensor, count: int) -> Tensor:
    """Return the leading principal directions of samples, unit vectors as rows, in double precision.

        V = eigenvectors of sum_n (x_n - mean) (x_n - mean)^T, by falling eigenvalue

    Of each the component that is largest in magnitude is positive, so that they do not depend on how the eigenvectors
    are computed, where eigenvalues differ.

    Args:
        inputs: Samples [sample, ...], each taken as one vector.
        count: How many; fewer come back where samples or features are fewer.
    """
    samples = inputs.detach().to("cpu", torch.float64).flatten(1)
    centred = samples - samples.mean(0)
    if len(centred) < centred.shape[1]:
        directions = torch.linalg.svd(centred, full_matrices=False).Vh
    else:
        directions = torch.linalg.eigh(centred.T @ centred).eigenvectors.flip(1).T
    directions = directions[:count]
    largest = directions.gather(1, directions.abs().argmax(1, keepdim=True))
    return directions * largest.sign()


def zero_one_weights(outputs: int, inputs: int) -> Tensor:
    """Return the weights of a layer by ZerO, [output, input]: an identity, or a cut-out Hadamard matrix.

        W = I*                  for no more outputs than inputs
        W = 2^(-m/2) (H_m)*     for more, with m = ceil(log2 outputs) and H_m the Hadamard matrix of 2^m rows

    with * for the upper left part. Rows of more outputs than inputs are then told apart by their signs alone.
    """
    if outputs <= inputs:
        return torch.eye(outputs, inputs, dtype=torch.float64)
    order = math.ceil(math.log2(outputs))
    hadamard = torch.ones(1, 1, dtype=torch.float64)
    for _ in range(order):
        hadamard = torch.cat([torch.cat([hadamard, hadamard], 1), torch.cat([hadamard, -hadamard], 1)])
    return hadamard[:outputs, :inputs] * 2 ** (-order / 2)


@torch.no_grad()
def start_at_zeros_and_ones(model: nn.Module, drawn: Collection[str]) -> None:
    """Set the drawn weights of a model by ZerO, in place; biases are 0, and so is the last layer.

    Of convolutions the middle of the kernel has the weights of a layer, the rest is 0; the last convolution of each
    residual block is 0, so that blocks begin as their skips.
    """
    layers = _drawn_layers(model, drawn)
    silent = {id(_layers(block.body)[-1]) for block in model.modules() if isinstance(block, ResidualBlock)}
    for layer in layers:
        layer.weight.zero_()
        if layer.bias is not None:
            layer.bias.zero_()
        if layer is layers[-1] or id(layer) in silent:
            continue
        middle = tuple(extent // 2 for extent in layer.weight.shape[2:])
        layer.weight[(slice(None), slice(None), *middle)] = zero_one_weights(*layer.weight.shape[:2]).to(layer.weight)


@torch.no_grad()
def start_at_principal_directions(model: nn.Module, drawn: Collection[str], inputs: Tensor) -> None:
    """Set the drawn weights of a multi-layer perceptron from the principal directions of its inputs, in place.

    The first layer has the leading directions and their negatives, [V, -V], so that its outputs tell each feature and
    its sign; where there are more nodes, the directions begin anew. The last layer and all biases are 0. What lies
    between begins by ZerO. A network of one layer begins at 0.

    Raises:
        ModelError: The model is no perceptron all of whose weights are drawn.
    """
    layers = _drawn_layers(model, drawn)
    if not all(isinstance(layer, nn.Linear) for layer in layers) or layers[0].in_features != inputs[0].numel():
        raise ModelError(
            "initial weights from principal directions are for perceptrons on features: mlp, text-tfidf, and "
            "text-encoder whose encoder stays frozen; choose zero-init for other models."
        )
    start_at_zeros_and_ones(model, drawn)
    if len(layers) > 1:
        first, half = layers[0].weight, math.ceil(layers[0].out_features / 2)
        directions = principal_directions(inputs, half)
        rows = directions[torch.arange(half) % len(directions)]
        first.copy_(torch.cat([rows, -rows])[: len(first)])


def _drawn_layers(model: nn.Module, drawn: Collection[str]) -> list[nn.Linear | nn.Conv2d]:
    """Return the layers whose weights are drawn, in the order in which the model has them.

    Raises:
        ModelError: Something else of the model has drawn weights.
    """
    layers = {f"{name}.weight": layer for name, layer in model.named_modules() if isinstance(layer, _LAYERS)}
    parameters = dict(model.named_parameters())
    others = [name for name in drawn if parameters[name].ndim >= 2 and name not in layers]
    if others or not any(name in drawn for name in layers):
        raise ModelError(
            "initial weights that no seed decides are known for linear layers and convolutions alone, and "
            f"{'all weights of this model are pre-trained' if not others else f'{others[0]!r} is of another layer'}; "
            "choose fixed-init."
        )
    return [layer for name, layer in layers.items() if name in drawn]


def _layers(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if isinstance(layer, _LAYERS)]
