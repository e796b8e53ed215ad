"""Which samples switch which node of a network on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn

from reseed._arrays import ArrayLike
from reseed._errors import InputError
from reseed.memorization.nodes._answers import check_finite, networks_of, stacked
from reseed.memorization.nodes._batches import batches
from reseed.memorization.nodes._gates import gates_of, recording
from reseed.memorization.nodes._given import Array, states_of
from reseed.memorization.nodes._packing import Packer
from reseed.models import Modules, Networks, undisturbed


@final
@dataclass(frozen=True, eq=False)
class SampleSets:
    """The sample set of each node, ``S_j = {s : z_js > 0}``: samples for which its pre-activation z is above zero.

    Attributes:
        packed: Of each layer a bit for each node and sample, eight samples to a byte as `numpy.packbits` has them,
            [node, sample / 8], or [run, node, sample / 8] of several networks.
        samples: How many samples there are, in the order of the data set.

    Examples:
        >>> sets = SampleSets.of({"hidden": [[True, False], [True, True], [False, False]]})
        >>> sets.on("hidden").tolist(), sets.nodes
        ([[True, False], [True, True], [False, False]], {'hidden': 2})
    """

    packed: Mapping[str, NDArray[np.uint8]]
    samples: int

    @classmethod
    def of(cls, states: Mapping[str, ArrayLike]) -> SampleSets:
        """Return the sample sets of states that are known already.

        Args:
            states: Of each layer, which node is on for which sample, [sample, node].

        Raises:
            InputError: There is no layer, layers differ in their samples, or values are not True and False.
        """
        found = {name: states_of(value, f"the states of layer {name!r}") for name, value in states.items()}
        counts = {len(value) for value in found.values()}
        if len(counts) != 1:
            raise InputError(f"states must be of one number of samples, got {sorted(counts)}; pass [sample, node].")
        return cls({name: np.packbits(value.T, axis=1) for name, value in found.items()}, counts.pop())

    @property
    def layers(self) -> tuple[str, ...]:
        """The names of the layers."""
        return tuple(self.packed)

    @property
    def nodes(self) -> dict[str, int]:
        """How many nodes each layer has."""
        return {name: values.shape[-2] for name, values in self.packed.items()}

    def on(self, layer: str) -> NDArray[np.bool_]:
        """Return which node of a layer is on for which sample, [sample, node], or [run, sample, node].

        Raises:
            InputError: There is no such layer.
        """
        if layer not in self.packed:
            raise InputError(f"there is no layer {layer!r}; there are {', '.join(map(repr, self.packed))}.")
        bits = np.unpackbits(self.packed[layer], axis=-1, count=self.samples)
        return np.moveaxis(bits, -1, -2).view(np.bool_)

    def counts(self, masks: Array | None = None) -> dict[str, NDArray[np.int64]]:
        """Return how many samples of each mask [mask, sample] a node's set has, [..., node, mask] by layer.

        Without masks, of all samples: [..., node].
        """
        if masks is None:
            return {name: np.bitwise_count(each).sum(-1, dtype=np.int64) for name, each in self.packed.items()}
        words = np.packbits(masks, axis=1)
        return {
            name: np.stack([np.bitwise_count(each & word).sum(-1, dtype=np.int64) for word in words], axis=-1)
            for name, each in self.packed.items()
        }


def sample_sets(
    model: nn.Module | Sequence[nn.Module] | Networks,
    inputs: ArrayLike | Iterable[Any],
    layers: Modules = None,
    threshold: float | None = None,
    *,
    batch_size: int = 1024,
) -> SampleSets:
    """Return which samples switch which node on, of every gated layer, in one pass over the inputs.

    A node is a unit of a dense layer, on where its pre-activation is above the threshold, or a channel of a
    convolution, on where any of its positions is. A pre-activation of exactly 0 is off, as in the gradient of ReLU.
    Kept are a bit for each node and sample, and the values of one batch. The networks are asked in evaluation mode and
    left as they were.

    Args:
        model: One network; or several of one architecture, whose sets have the run as their first axis.
        inputs: An array [sample, ...], or an iterable of batches in the order of the data set: arrays, (inputs, ...),
            or (index, inputs, ...) with ascending indices. A list of arrays is batches.
        layers: Names or classes of modules; by default ReLU and other gates at zero. Of activation functions the
            inputs are taken, of other modules the answers: a ReLU that a model calls as a function is not seen, but the
            module whose answers it takes can be named.
        threshold: Above which a node is on; 0 by default, but to be given for layers that are no gate at zero.
        batch_size: Samples at a time of an array.

    Raises:
        InputError: No layer is gated, one that is not has no threshold, a loader shuffles, there are no samples, or a
            network does not answer finite numbers.
        InputTypeError: The model is no module.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Linear(2, 3, bias=False), nn.ReLU(), nn.Linear(3, 2))
        >>> _ = model[0].weight.data.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0]]))
        >>> sets = sample_sets(model, [[1.0, 1.0], [-1.0, 2.0], [-2.0, -2.0]])
        >>> sets.on("1").T.tolist()
        [[True, False, False], [True, True, False], [False, False, True]]
    """
    models, is_single = networks_of(model)
    chosen = [gates_of(each, layers, threshold) for each in models]
    packers = [Packer() for _ in models]
    with ExitStack() as stack:
        stack.enter_context(undisturbed(models))
        takers = [
            stack.enter_context(recording(each, gates, _switched(gates.threshold)))
            for each, gates in zip(models, chosen, strict=True)
        ]
        for part in batches(inputs, models[0], batch_size):
            for each, take, packer in zip(models, takers, packers, strict=True):
                check_finite(each(part))
                packer.add(take())
    found = [packer.packed() for packer in packers]
    return SampleSets(found[0] if is_single else stacked(found), packers[0].samples)


def _switched(threshold: float) -> Callable[[str, Tensor], Tensor]:
    def is_on(name: str, values: Tensor) -> Tensor:
        on = values > threshold
        return on.flatten(2).any(-1) if on.ndim > 2 else on

    return is_on
