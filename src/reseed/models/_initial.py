"""Initial weights that no seed decides: principal directions of the training data, or zeros and ones."""

from __future__ import annotations

import math
from collections.abc import Collection
from itertools import takewhile
from types import EllipsisType

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reseed._arguments import recipe_field
from reseed._errors import RecipeError
from reseed.models._vision import residual_branches

_LAYERS = (nn.Linear, nn.Conv2d)
_ROWS = 4096
"""Samples whose products are taken at once."""
_TIE = 1 - 1e-6
"""Components that are this close to the largest one are as large: rounding shall not choose among them."""


def principal_directions(inputs: Tensor, count: int) -> Tensor:
    """Return the leading principal directions of samples, unit vectors as rows, in double precision.

        V = eigenvectors of sum_n (x_n - mean) (x_n - mean)^T, by falling eigenvalue

    Of each the first component of the largest magnitude is positive. They are computed by one thread, so that they are
    the same bits whatever the engine and the number of its threads; where eigenvalues are equal, which vectors of
    their space come back is up to LAPACK.

    Args:
        inputs: Samples [sample, ...], each taken as one vector.
        count: How many; fewer come back where samples vary in fewer.
    """
    from scipy.linalg import eigh
    from threadpoolctl import threadpool_limits

    samples = inputs.detach().cpu().flatten(1).numpy()
    mean = samples.mean(0, dtype=np.float64)
    with threadpool_limits(1):
        if is_wide := len(samples) < samples.shape[1]:
            centred = samples - mean
            products = centred @ centred.T
        else:
            products = np.zeros((samples.shape[1],) * 2)
            for first in range(0, len(samples), _ROWS):
                part = samples[first : first + _ROWS] - mean
                products += part.T @ part
        size = len(products)
        variances, vectors = eigh(products, subset_by_index=[max(0, size - count), size - 1])
        varies = variances > size * np.finfo(np.float64).eps * variances[-1]
        directions = vectors.T[varies][::-1]
        if is_wide:
            directions = directions @ centred
            directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return torch.from_numpy(directions * _signs(directions))


def _signs(directions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the sign of each row's first component of the largest magnitude, [row, 1]."""
    sizes = np.abs(directions)
    first = (sizes >= _TIE * sizes.max(1, keepdims=True, initial=0)).argmax(1)
    return np.sign(np.take_along_axis(directions, first[:, None], 1))


def zero_one_weights(outputs: int, inputs: int) -> Tensor:
    """Return the weights of a layer by ZerO, [output, input], of as many outputs as these tell apart.

        W = I*                  for no more outputs than inputs
        W = 2^(-m/2) (H_m)*     for more, with m = ceil(log2 outputs) and H_m the Hadamard matrix of 2^m rows

    with * for the upper left part, and orthonormal rows before it is cut. The rows of H_m* repeat where there are no
    more inputs than half its rows. Outputs that begin alike would stay alike, or be told apart by rounding, so there an
    identity is returned, of fewer outputs than were asked for.
    """
    from scipy.linalg import hadamard

    rows = 1 << math.ceil(math.log2(outputs))
    if outputs > inputs > rows // 2:
        return torch.from_numpy(hadamard(rows, np.float64)[:outputs, :inputs] / math.sqrt(rows))
    return torch.eye(min(outputs, inputs), inputs, dtype=torch.float64)


@torch.no_grad()
def start_at_zeros_and_ones(model: nn.Module, drawn: Collection[str]) -> None:
    """Set the drawn weights of a model by ZerO, in place; biases are 0, and so is the last layer.

    Of convolutions the middle of the kernel has the weights of a layer, the rest is 0; the last convolution of each
    residual block is 0, so that blocks begin as their skips. Outputs that ZerO does not tell apart keep what was drawn
    for them.

    Raises:
        RecipeError: Something else than linear layers and convolutions has drawn weights.
    """
    layers = _drawn_layers(model, drawn)
    silent = {id(branch[-1]) for branch in residual_branches(model)}
    for layer in layers:
        _silence_bias(layer)
        if layer is layers[-1] or id(layer) in silent:
            layer.weight.zero_()
            continue
        weights = zero_one_weights(*layer.weight.shape[:2]).to(layer.weight)
        told = layer.weight[: len(weights)]
        told.zero_()
        middle: tuple[EllipsisType | int, ...] = (..., *(extent // 2 for extent in layer.weight.shape[2:]))
        told[middle] = weights


@torch.no_grad()
def start_at_principal_directions(model: nn.Module, drawn: Collection[str], inputs: Tensor) -> None:
    """Set the drawn weights of a multi-layer perceptron from the principal directions of its inputs, in place.

    The first layer has the leading directions of what it sees and their negatives, [V, -V], so that its outputs tell
    each feature and its sign. The last layer and all biases are 0. What lies between begins as an identity. Nodes that
    are left over, where there are more than directions or than nodes before, keep what was drawn for them, so that no
    two are alike. A network of one layer begins at 0.

    Args:
        model: Layers one after the other, linear ones and others without weights.
        drawn: Names of the parameters that are drawn.
        inputs: Samples as the model takes them, [sample, ...].
    """
    layers = _drawn_layers(model, drawn)
    for layer in layers:
        _silence_bias(layer)
    for layer in layers[1:-1]:
        kept = min(layer.weight.shape)
        layer.weight[:kept] = torch.eye(kept, layer.weight.shape[1])
    layers[-1].weight.zero_()
    if len(layers) > 1:
        first, half = layers[0].weight, math.ceil(len(layers[0].weight) / 2)
        directions = principal_directions(_seen_by_first(model, inputs), half)
        rows = torch.cat([directions, -directions])[: len(first)]
        first[: len(rows)] = rows.to(first)


def _seen_by_first(model: nn.Module, inputs: Tensor) -> Tensor:
    """Return what the first linear layer sees: images are cropped and whitened before."""
    for layer in takewhile(lambda layer: not isinstance(layer, nn.Linear), model.children()):
        inputs = layer(inputs)
    return inputs


def _silence_bias(layer: nn.Linear | nn.Conv2d) -> None:
    if layer.bias is not None:
        layer.bias.zero_()


def _drawn_layers(model: nn.Module, drawn: Collection[str]) -> list[nn.Linear | nn.Conv2d]:
    """Return the layers whose weights are drawn, in the order in which the model has them.

    Raises:
        RecipeError: Something else of the model has drawn weights.
    """
    layers = {f"{name}.weight": layer for name, layer in model.named_modules() if isinstance(layer, _LAYERS)}
    parameters = dict(model.named_parameters())
    others = [name for name in drawn if parameters[name].ndim >= 2 and name not in layers]
    if others:
        raise RecipeError(
            f"{recipe_field('model.init')} zero and pca set linear layers and convolutions alone, and {others[0]!r} is "
            "of another layer; choose fixed (fixed-init)."
        )
    return [layer for name, layer in layers.items() if name in drawn]
