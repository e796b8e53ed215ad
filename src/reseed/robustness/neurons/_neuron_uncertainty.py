"""How much each neuron of a network varies over a set of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, final

import numpy as np
from torch import nn

from reseed._arrays import ArrayLike
from reseed._errors import InputError
from reseed.models import Activations, Modules, undisturbed
from reseed.robustness.neurons._neuron_values import NeuronValues
from reseed.robustness.neurons._passes import Array, Layers, batches, check_same_layers, layers_of


@final
class NeuronVariance:
    """The mean and the variance of each neuron's activation, seen batch by batch and kept in double precision.

    Batches are joined by the differences of their means (Chan, Golub and LeVeque 1983), so that nothing cancels where
    activations are large beside their spread.

    Attributes:
        samples: How many samples were seen.

    Examples:
        >>> variance = NeuronVariance()
        >>> variance.update([[1.0], [2.0]])
        >>> variance.update([[6.0]])
        >>> variance.compute().neurons[""].round(4).tolist()
        [4.6667]
    """

    def __init__(self) -> None:
        self._mean: dict[str, Array] = {}
        self._squares: dict[str, Array] = {}
        self.samples = 0

    def update(self, activations: Layers | ArrayLike) -> None:
        """Take a batch of activations.

        Args:
            activations: [sample, neuron] by layer, as `Activations.take` returns them; or one layer's array.

        Raises:
            InputError: Values are not finite, or layers are other than before.
        """
        batch = {name: values.astype(np.float64, copy=False) for name, values in layers_of(activations).items()}
        count = len(next(iter(batch.values())))
        if not count:
            return
        mean = {name: values.mean(0) for name, values in batch.items()}
        squares = {name: ((values - mean[name]) ** 2).sum(0) for name, values in batch.items()}
        self._join(mean, squares, count)

    def merge(self, other: NeuronVariance) -> NeuronVariance:
        """Return the variance over what both have seen; neither changes.

        Raises:
            InputError: They are of other layers.
        """
        both = NeuronVariance()
        for one in (self, other):
            if one.samples:
                both._join(one._mean, one._squares, one.samples)
        return both

    def compute(self) -> NeuronValues:
        """Return the variances over all samples until now, divided by their number.

        Raises:
            InputError: There was no sample.
        """
        if not self.samples:
            raise InputError("the variance has seen no samples yet; update it with activations.")
        return NeuronValues({name: squares / self.samples for name, squares in self._squares.items()})

    def _join(self, mean: Mapping[str, Array], squares: Mapping[str, Array], count: int) -> None:
        if self.samples:
            check_same_layers(self._mean, mean)
            total = self.samples + count
            apart = {name: mean[name] - own for name, own in self._mean.items()}
            squares = {
                name: own + squares[name] + apart[name] ** 2 * (self.samples * count / total)
                for name, own in self._squares.items()
            }
            mean = {name: own + apart[name] * (count / total) for name, own in self._mean.items()}
        self._mean, self._squares, self.samples = dict(mean), dict(squares), self.samples + count


def neuron_uncertainty(
    model: nn.Module,
    inputs: ArrayLike,
    modules: Modules = None,
    *,
    reduce: Literal["mean", "max"] = "mean",
    batch_size: int = 256,
) -> NeuronValues:
    """Return how much each of a network's neurons varies over inputs: the variance of its activation.

        (1 / N) sum_i (F_m(x_i) - mean_i F_m(x_i))^2

    The activation of a channel is the mean over its map. The network is asked in evaluation mode, batch by batch, and
    left as it was.

    Args:
        model: Inputs [sample, ...] to anything; of `Networks`, one run.
        inputs: A set of inputs [sample, ...]; one sample alone varies by 0.
        modules: Names or classes of modules, as `Activations` takes them; by default dense layers, convolutions and
            recurrent layers, the logits included.
        reduce: What the activation of a neuron with places is.
        batch_size: Samples at a time.

    Returns:
        Variances, 0 or more, in squares of each layer's own units.

    Raises:
        InputError: There are no samples, modules are unknown, or activations are not finite.

    Examples:
        >>> import torch
        >>> model = nn.Linear(1, 2, bias=False)
        >>> _ = model.weight.data.copy_(torch.tensor([[1.0], [3.0]]))
        >>> neuron_uncertainty(model, torch.tensor([[-1.0], [1.0]])).neurons[""]
        array([1., 9.])
    """
    variance = NeuronVariance()
    seen = Activations(model, modules, reduce=reduce)
    with undisturbed([model]), seen:
        for part in batches(inputs, "inputs", model, batch_size):
            model(part)
            variance.update(seen.take())
    return variance.compute()
