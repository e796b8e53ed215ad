"""Between which values the activations of each neuron lie on the data that a network was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, final

import numpy as np
from torch import nn

from reseed._arrays import ArrayLike
from reseed._errors import InputError
from reseed.models import Activations, Modules, undisturbed
from reseed.robustness.neurons._passes import Array, Layers, batches, check_same_layers, layers_of


@final
class NeuronRange:
    """The lowest and the highest activation of each neuron, seen batch by batch.

    Attributes:
        samples: How many samples were seen.

    Examples:
        >>> ranges = NeuronRange()
        >>> ranges.update({"hidden": [[0.0, 2.0], [1.0, 2.0]]})
        >>> ranges.update({"hidden": [[0.5, 4.0]]})
        >>> ranges.low["hidden"].tolist(), ranges.high["hidden"].tolist(), ranges.samples
        ([0.0, 2.0], [1.0, 4.0], 3)
    """

    def __init__(self) -> None:
        self._low: dict[str, Array] = {}
        self._high: dict[str, Array] = {}
        self.samples = 0

    @property
    def low(self) -> Mapping[str, Array]:
        """The lowest activation of each neuron, [neuron] by layer."""
        self._check_seen()
        return self._low

    @property
    def high(self) -> Mapping[str, Array]:
        """The highest activation of each neuron, [neuron] by layer."""
        self._check_seen()
        return self._high

    def update(self, activations: Layers | ArrayLike) -> None:
        """Widen the ranges to a batch of activations.

        Args:
            activations: [sample, neuron] by layer, as `Activations.take` returns them; or one layer's array.

        Raises:
            InputError: Values are not finite, or layers are other than before.
        """
        batch = layers_of(activations)
        count = len(next(iter(batch.values())))
        if not count:
            return
        low = {name: values.min(0) for name, values in batch.items()}
        high = {name: values.max(0) for name, values in batch.items()}
        self._widen(low, high, count)

    def merge(self, other: NeuronRange) -> NeuronRange:
        """Return the ranges of what both have seen; neither changes.

        Raises:
            InputError: They are of other layers.
        """
        both = NeuronRange()
        for one in (self, other):
            if one.samples:
                both._widen(one._low, one._high, one.samples)
        return both

    def _widen(self, low: Mapping[str, Array], high: Mapping[str, Array], count: int) -> None:
        if self.samples:
            check_same_layers(self._low, low)
            low = {name: np.minimum(self._low[name], low[name]) for name in self._low}
            high = {name: np.maximum(self._high[name], high[name]) for name in self._high}
        self._low, self._high, self.samples = dict(low), dict(high), self.samples + count

    def _check_seen(self) -> None:
        if not self.samples:
            raise InputError("the ranges have seen no samples yet; update them with activations of the training data.")


def neuron_ranges(
    model: nn.Module,
    inputs: ArrayLike,
    modules: Modules = None,
    *,
    reduce: Literal["mean", "max"] = "mean",
    batch_size: int = 256,
) -> NeuronRange:
    """Return between which values a network's neurons answer inputs, so that several sets can be held against them.

    Args:
        model: Inputs [sample, ...] to anything; of `Networks`, one run.
        inputs: The training data [sample, ...].
        modules: Names or classes of modules, as `Activations` takes them.
        reduce: What the activation of a neuron with places is.
        batch_size: Samples at a time.

    Raises:
        InputError: There are no samples, modules are unknown, or activations are not finite.

    Examples:
        >>> import torch
        >>> ranges = neuron_ranges(nn.Linear(4, 8), torch.rand(50, 4))
        >>> ranges.low[""].shape, ranges.samples
        ((8,), 50)
    """
    return ranged(model, inputs, "inputs", modules, reduce, batch_size)


def ranged(
    model: nn.Module,
    inputs: ArrayLike,
    name: str,
    modules: Modules,
    reduce: Literal["mean", "max"],
    batch_size: int,
) -> NeuronRange:
    """Return the ranges of neurons over inputs, which errors call by a name."""
    ranges = NeuronRange()
    seen = Activations(model, modules, reduce=reduce)
    with undisturbed([model]), seen:
        for part in batches(inputs, name, model, batch_size):
            model(part)
            ranges.update(seen.take())
    return ranges
