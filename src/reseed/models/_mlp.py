"""Multi-layer perceptron."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from reseed.data import Splits
from reseed.models._architecture import AbstractArchitecture, Prepared, tensor_inputs, tensor_prepared
from reseed.models._input_layers import input_layers


def mlp(features: int, hidden: Sequence[int], num_classes: int, dropout: float) -> nn.Sequential:
    """Return linear layers with ReLU, dropout after each hidden layer, torch's default initialisation."""
    layers: list[nn.Module] = [nn.Flatten()]
    for width in hidden:
        layers += [nn.Linear(features, width), nn.ReLU()]
        if dropout:
            layers.append(nn.Dropout(dropout))
        features = width
    return nn.Sequential(*layers, nn.Linear(features, num_classes))


@dataclass(frozen=True)
class Mlp(AbstractArchitecture):
    """`mlp`: flattens its input, then linear layers with ReLU."""

    def prepare(self, splits: Splits, cache: Path | None, announce: Callable[[str], None]) -> Prepared:
        """Use the inputs as they are."""
        train, evaluation = (tensor_inputs(part, "mlp") for part in (splits.train, splits.evaluation))
        return tensor_prepared(train, evaluation, splits.train)

    def build(self, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
        """Build the layers that the config names."""
        first, shape = input_layers(self.config, input_shape)
        return nn.Sequential(*first, *mlp(math.prod(shape), self.config.hidden, num_classes, self.config.dropout))
