"""How far each neuron of a network moves when inputs do, and how much it varies over a set of inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import torch
from torch import Tensor, nn

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy
from reseed._errors import InputError
from reseed.models import Activations, Modules
from reseed.robustness._passes import Array, Layers, asked, batches, check_same_layers, layers_of


@final
@dataclass(frozen=True, eq=False)
class NeuronValues:
    """A number of each neuron.

    Attributes:
        neurons: Numbers [neuron] by layer.

    Examples:
        >>> values = NeuronValues({"hidden": np.array([1.0, 3.0]), "out": np.array([5.0])})
        >>> values.layers, values.mean, values.highest(0.5)["hidden"].tolist()
        ({'hidden': 2.0, 'out': 5.0}, 3.0, [1])
    """

    neurons: Mapping[str, Array]

    @property
    def layers(self) -> dict[str, float]:
        """The mean over the neurons of each layer."""
        return {name: float(values.mean()) for name, values in self.neurons.items()}

    @property
    def mean(self) -> float:
        """The mean over all neurons, each of which counts the same."""
        return float(np.concatenate(list(self.neurons.values())).mean())

    def highest(self, share: float = 0.1) -> dict[str, Array]:
        """Return the numbers of the neurons with the highest values, the highest first, by layer.

        Args:
            share: Which share of each layer's neurons, rounded down, but one at least.

        Raises:
            InputError: The share is not in (0, 1].
        """
        if not 0 < share <= 1:
            raise InputError(f"share must be in (0, 1], got {share!r}.")
        return {
            name: np.argsort(-values, kind="stable")[: max(1, int(share * len(values) + 1e-9))]
            for name, values in self.neurons.items()
        }


@final
@dataclass(frozen=True, eq=False)
class NeuronSensitivity:
    """How far neurons move.

    Attributes:
        values: The mean over pairs of inputs for each neuron.
        samples: The mean over all neurons for each pair [sample].
    """

    values: NeuronValues
    samples: Result


def activation_change(
    clean: ArrayLike, perturbed: ArrayLike, *, norm: Literal[1, 2] = 1, relative: bool = False
) -> Result:
    """Return how far each neuron's activation moves between two versions of each sample.

        ||F_m(x_i) - F_m(x_i')||_1 / dim(F_m)

    Args:
        clean: Activations [sample, neuron] or, of neurons with places, [sample, neuron, place, ...].
        perturbed: Those of the perturbed samples, of the same shape.
        norm: 1 for the mean of absolute differences over the places, 2 for the root of the mean of their squares.
        relative: Whether to divide by the same norm of the clean activation. A neuron that was silent, with a norm of
            0, has 1 where it moves and 0 where it does not.

    Returns:
        Changes [sample, neuron], 0 or more, float64.

    Raises:
        InputError: Shapes differ, are of fewer than two axes, or the norm is another.

    Examples:
        >>> activation_change([[1.0, 0.0, 0.0]], [[3.0, 2.0, 0.0]], relative=True)
        array([[2., 1., 0.]])
    """
    first, second = (
        torch.as_tensor(to_numpy(value, name)) for value, name in ((clean, "clean"), (perturbed, "perturbed"))
    )
    if first.shape != second.shape or first.ndim < 2:
        raise InputError(
            f"clean and perturbed must have one shape [sample, neuron, ...], got {brief(first)} and {brief(second)}."
        )
    _check_norm(norm)
    return give_back(_change(first.double(), second.double(), norm, relative).numpy(), clean, perturbed)


def neuron_sensitivity(
    model: nn.Module,
    clean: ArrayLike,
    perturbed: ArrayLike,
    modules: Modules = None,
    *,
    norm: Literal[1, 2] = 1,
    relative: bool = False,
    reduce: Literal["none", "mean", "max"] = "none",
    batch_size: int = 256,
) -> NeuronSensitivity:
    """Return how far a network's neurons move between clean and perturbed inputs.

        (1 / N) sum_i ||F_m(x_i) - F_m(x_i')||_1 / dim(F_m)

    of each neuron m, a unit of a dense layer or a channel of a convolution with its whole map. Lower is more stable.
    The network is asked in evaluation mode, batch by batch, and left as it was.

    Args:
        model: Inputs [sample, ...] to anything; of `Networks`, one run.
        clean: Inputs [sample, ...].
        perturbed: What became of each of them, of the same shape.
        modules: Names or classes of modules, as `Activations` takes them; by default dense layers, convolutions and
            recurrent layers, the logits included.
        norm: As in `activation_change`.
        relative: As in `activation_change`; only so can layers and networks be compared, whose scales are their own.
        reduce: What is compared of neurons with places: every place, or their mean or maximum.
        batch_size: Samples at a time.

    Returns:
        Means over samples for each neuron, and means over neurons for each sample.

    Raises:
        InputError: Shapes differ, there are no samples, modules are unknown, or activations are not finite.

    Examples:
        >>> model = nn.Linear(2, 1, bias=False)
        >>> _ = model.weight.data.copy_(torch.tensor([[3.0, -1.0]]))
        >>> found = neuron_sensitivity(model, torch.zeros(5, 2), torch.full((5, 2), 0.5))
        >>> found.values.mean, found.samples.shape
        (1.0, torch.Size([5]))

    References:
        Zhang et al., "Interpreting and Improving Adversarial Robustness of Deep Neural Networks with Neuron
        Sensitivity", arXiv 1909.06978.
    """
    shapes = [value.shape if isinstance(value, Tensor) else np.shape(value) for value in (clean, perturbed)]
    if tuple(shapes[0]) != tuple(shapes[1]):
        raise InputError(
            f"clean is {list(shapes[0])} but perturbed {list(shapes[1])}; pass each input in both versions."
        )
    _check_norm(norm)
    totals: dict[str, Array] = {}
    samples: list[Array] = []
    before: dict[str, Tensor] = {}

    def change(name: str, values: Tensor) -> Tensor:
        if name not in before or before[name].shape != values.shape:
            raise InputError(
                f"module {name!r} answers clean and perturbed inputs in different shapes; pass reduce='mean'."
            )
        return _change(before.pop(name), values, norm, relative)

    first = Activations(model, modules, reduce=reduce)
    second = Activations(model, modules, reduce=change if reduce == "none" else reduce)
    with asked(model):
        pairs = zip(
            batches(clean, "clean", model, batch_size), batches(perturbed, "perturbed", model, batch_size), strict=True
        )
        for one, other in pairs:
            with first:
                model(one)
            before.update(first.take())
            with second:
                model(other)
            found = second.take()
            if reduce != "none":
                found = {name: change(name, values) for name, values in found.items()}
            moved = layers_of(found)
            for name, values in moved.items():
                totals[name] = totals.get(name, 0.0) + values.sum(0, dtype=np.float64)
            samples.append(np.concatenate(list(moved.values()), axis=1).mean(1, dtype=np.float64))
    each = np.concatenate(samples)
    means = NeuronValues({name: total / len(each) for name, total in totals.items()})
    return NeuronSensitivity(means, give_back(each, clean, perturbed))


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
        >>> model = nn.Linear(1, 2, bias=False)
        >>> _ = model.weight.data.copy_(torch.tensor([[1.0], [3.0]]))
        >>> neuron_uncertainty(model, torch.tensor([[-1.0], [1.0]])).neurons[""]
        array([1., 9.])
    """
    variance = NeuronVariance()
    seen = Activations(model, modules, reduce=reduce)
    with asked(model), seen:
        for part in batches(inputs, "inputs", model, batch_size):
            model(part)
            variance.update(seen.take())
    return variance.compute()


def _check_norm(norm: int) -> None:
    if norm not in (1, 2):
        raise InputError(f"norm={norm!r} is unknown; pass 1 or 2.")


def _change(clean: Tensor, perturbed: Tensor, norm: int, relative: bool) -> Tensor:
    """Return changes [sample, neuron] of activations [sample, neuron, ...]."""
    moved = _size(perturbed - clean, norm)
    if not relative:
        return moved
    size = _size(clean, norm)
    return torch.where(size > 0, moved / torch.where(size > 0, size, 1), (moved > 0).to(moved))


def _size(values: Tensor, norm: int) -> Tensor:
    """Return the mean absolute value over the places, or the root of the mean square; [sample, neuron]."""
    places = tuple(range(2, values.ndim))
    if not places:
        return values.abs()
    return values.abs().mean(places) if norm == 1 else values.square().mean(places).sqrt()
