"""A number of each neuron of a network, and what is asked of such."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import numpy as np

from reseed._errors import InputError
from reseed.robustness.neurons._passes import Array


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
