"""Drawing a run's model from its seed, and telling what the seed decides."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import torch
from torch import Tensor, nn

from reseed._errors import ModelError
from reseed.models._architecture import AbstractArchitecture
from reseed.models._fits import check_fits
from reseed.models._initial import start_at_principal_directions, start_at_zeros_and_ones


@dataclass(frozen=True)
class ParameterOrigins:
    """Where the initial values of a model's parameters come from.

    Attributes:
        redrawn: Names of parameters that another init word changes.
        constant: Names of parameters that start at one constant value (zeros, ones) whatever the word.
        shared: Names of parameters that start at the same other values in all runs: pre-trained weights.
        redrawn_count: Number of redrawn scalars.
        constant_count: Number of scalars that start constant.
        shared_count: Number of shared scalars.
        seedless: Names of parameters that the factory draws, and ``config.init`` sets in place of that.
        seedless_count: Number of their scalars.
    """

    redrawn: tuple[str, ...]
    constant: tuple[str, ...]
    shared: tuple[str, ...]
    redrawn_count: int
    constant_count: int
    shared_count: int
    seedless: tuple[str, ...] = ()
    seedless_count: int = 0


def seedless_weights(
    architecture: AbstractArchitecture,
    input_shape: tuple[int, ...],
    num_classes: int,
    word: int,
    inputs: Callable[[], Tensor],
) -> Mapping[str, Tensor]:
    """Return the initial weights that the config gives in place of those that a run draws, by name.

    They are of all parameters that are freshly drawn and trained. Empty where each run draws its own.

    Args:
        architecture: The factory.
        input_shape: Shape of one sample.
        num_classes: Number of classes.
        word: The init word, in [0, 2**32), of ``fixed``, and of what ``pca`` leaves over.
        inputs: Returns what the run trains on, [sample, ...]; called for ``pca`` alone.

    Raises:
        RecipeError: Something else than linear layers and convolutions has drawn weights, and ``init`` is ``zero``.
    """
    config = architecture.config
    if config.init == "drawn" or config.init_share == 0:
        return {}
    model, origins = _origins(architecture, input_shape, num_classes, word)
    parameters = dict(model.named_parameters())
    drawn = _trained(model, origins)
    if config.init == "pca":
        start_at_principal_directions(model, drawn, inputs())
    elif config.init == "zero":
        start_at_zeros_and_ones(model, drawn)
    return {name: parameters[name].detach() for name in drawn}


def draw_model(
    architecture: AbstractArchitecture,
    input_shape: tuple[int, ...],
    num_classes: int,
    word: int,
    seedless: Mapping[str, Tensor] = MappingProxyType({}),
) -> nn.Module:
    """Build a fresh model whose initial values are a pure function of ``word``, and of what no seed decides.

    Args:
        architecture: The factory.
        input_shape: Shape of one sample.
        num_classes: Number of classes.
        word: The run's init word, in [0, 2**32).
        seedless: What `seedless_weights` returned.

    Returns:
        The model. Of its freshly drawn weights a share is replaced by those that no seed decides, see
        ``config.init_share``; then those of two or more axes are multiplied by ``config.init_scale``.

    Raises:
        ModelError: Its weights do not fit into memory, or the factory returns a shared instance (only checked when
            weights are scaled).
    """
    model = _build(architecture, input_shape, num_classes, word)
    with torch.no_grad():
        for name, weights in seedless.items():
            model.get_parameter(name).lerp_(weights, architecture.config.init_share)
    scale = architecture.config.init_scale
    if scale != 1.0:
        redrawn = set(_origins(architecture, input_shape, num_classes, word)[1].redrawn)
        with torch.no_grad():
            for name, parameter in model.named_parameters():
                if name in redrawn and parameter.ndim >= 2:
                    parameter.mul_(scale)
    return model


def parameter_origins(
    architecture: AbstractArchitecture, input_shape: tuple[int, ...], num_classes: int, word: int = 0
) -> ParameterOrigins:
    """Build the model from two words and tell which parameters differ.

    Raises:
        ModelError: The factory returned the same instance, or models that share parameters, twice.
    """
    model, origins = _origins(architecture, input_shape, num_classes, word)
    config = architecture.config
    if config.init == "drawn" or config.init_share != 1:
        return origins
    seedless = _trained(model, origins)
    count = sum(model.get_parameter(name).numel() for name in seedless)
    return replace(
        origins,
        redrawn=tuple(name for name in origins.redrawn if name not in seedless),
        redrawn_count=origins.redrawn_count - count,
        seedless=seedless,
        seedless_count=count,
    )


def _trained(model: nn.Module, origins: ParameterOrigins) -> tuple[str, ...]:
    """Return the names of the parameters that the factory draws and a training changes."""
    return tuple(name for name in origins.redrawn if model.get_parameter(name).requires_grad)


def _origins(
    architecture: AbstractArchitecture, input_shape: tuple[int, ...], num_classes: int, word: int
) -> tuple[nn.Module, ParameterOrigins]:
    """Return the model as the factory draws it, and what of it another word changes, whatever ``config.init`` says."""
    first = _build(architecture, input_shape, num_classes, word)
    second = _build(architecture, input_shape, num_classes, word ^ 0x5BD1E995)
    pointers = {parameter.data_ptr(): name for name, parameter in first.named_parameters()}
    names: dict[str, list[str]] = {"redrawn": [], "constant": [], "shared": []}
    counts = dict.fromkeys(names, 0)
    others = dict(second.named_parameters())
    for name, parameter in first.named_parameters():
        other = others.get(name)
        if other is None or other.shape != parameter.shape:
            raise ModelError(
                f"model {architecture.config.name!r} is not the same model twice: parameter {name!r} differs "
                "in shape or is missing; a factory must always build the same layers."
            )
        if first is second or (parameter.numel() and other.data_ptr() in pointers):
            raise ModelError(
                f"model factory {architecture.config.name!r} returned a shared instance: parameter {name!r} is "
                "the same tensor in two models, so all runs would share weights; build the model inside the "
                "factory."
            )
        kind = "redrawn"
        if torch.equal(parameter, other):
            kind = "constant" if bool((parameter == parameter.flatten()[:1]).all()) else "shared"
        names[kind].append(name)
        counts[kind] += parameter.numel()
    return first, ParameterOrigins(
        tuple(names["redrawn"]),
        tuple(names["constant"]),
        tuple(names["shared"]),
        counts["redrawn"],
        counts["constant"],
        counts["shared"],
    )


def _build(architecture: AbstractArchitecture, input_shape: tuple[int, ...], num_classes: int, word: int) -> nn.Module:
    check_fits(architecture, input_shape, num_classes)
    # torch's initialisers draw from the global CPU generator and take no other, so its state is lent to the
    # build and given back: nothing outside sees a difference.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(word)
        return architecture.build(input_shape, num_classes)
