"""Fully connected networks of K runs as one program, with their gradient written out.

Activations are kept as [run, feature, sample]: samples are many and classes few, so that matrix products and softmax
run along the long axis. Writing the gradient out spares autograd's graph, which for small networks costs as much as
the arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeGuard, final

import torch
from torch import Tensor, nn

from reseed.models import CenterCrop, PerImageWhitening
from reseed.training._draws import Masks
from reseed.training._loss import Loss
from reseed.training._products import batched_product
from reseed.training._stack import AbstractStack

_LETTERS = {
    CenterCrop: "i",
    PerImageWhitening: "i",
    nn.Flatten: "f",
    nn.Linear: "l",
    nn.ReLU: "r",
    nn.Dropout: "d",
}


def is_mlp(model: nn.Module) -> TypeGuard[nn.Sequential]:
    """Whether a model is what `StackedMlp` can stack: flatten, then linear layers with ReLU and dropout between.

    Layers that crop and whiten images may come first.
    """
    if type(model) is not nn.Sequential:
        return False
    layers = "".join(_LETTERS.get(type(layer), "?") for layer in model)
    has_biases = all(layer.bias is not None for layer in model if isinstance(layer, nn.Linear))
    return re.fullmatch("i*f(lrd?)*l", layers) is not None and has_biases


@dataclass(frozen=True)
class _Hidden:
    """What a hidden layer did to a batch."""

    output: Tensor
    mask: Tensor | None


@final
class StackedMlp(AbstractStack):
    """Fully connected networks of K runs.

    Args:
        models: The runs' models; see `is_mlp`.
        masks: The runs' dropout.
    """

    def __init__(self, models: Sequence[nn.Sequential], masks: Masks) -> None:
        super().__init__()
        self._masks = masks
        self._before = [layer for layer in models[0] if isinstance(layer, CenterCrop | PerImageWhitening)]
        self._dropout: list[float] = []
        self._weights: list[nn.Parameter] = []  # plain lists: torch's take their time, which small networks feel
        self._biases: list[nn.Parameter] = []
        for layer in models[0]:
            if isinstance(layer, nn.Linear):
                self._dropout.append(0.0)
            elif isinstance(layer, nn.Dropout):
                self._dropout[-1] = layer.p
        linear = [[layer for layer in model if isinstance(layer, nn.Linear)] for model in models]
        for layers in zip(*linear, strict=True):
            self._weights.append(nn.Parameter(torch.stack([layer.weight.detach() for layer in layers])))
            self._biases.append(nn.Parameter(torch.stack([layer.bias.detach() for layer in layers])[..., None]))

    @property
    def trained(self) -> list[nn.Parameter]:
        """Parameters of all runs, [run, ...]."""
        return [*self._weights, *self._biases]

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class] of inputs [run, sample, ...], without dropout."""
        return self._predicted(inputs, drops=False)

    def state_of(self, run: int, template: nn.Module) -> Mapping[str, Tensor]:
        """Return what a run has, see `AbstractStack`."""
        places = [place for place, layer in template.named_modules() if isinstance(layer, nn.Linear)]
        state = {f"{place}.weight": weight[run] for place, weight in zip(places, self._weights, strict=True)}
        return state | {f"{place}.bias": bias[run, :, 0] for place, bias in zip(places, self._biases, strict=True)}

    def dropped(self, inputs: Tensor, step: int) -> Tensor:
        """Return logits [run, sample, class] with the dropout of a step."""
        self._masks.begin(step)
        return self._predicted(inputs, drops=True)

    def _features(self, inputs: Tensor) -> Tensor:
        """Return what the first layer takes, [run, feature, sample]."""
        for layer in self._before:
            inputs = layer(inputs)
        return inputs.flatten(2).transpose(1, 2)

    def _predicted(self, inputs: Tensor, *, drops: bool) -> Tensor:
        found = self._features(inputs)
        for place, (weight, bias) in enumerate(zip(self._weights, self._biases, strict=True)):
            found = batched_product(weight, found).add_(bias)
            if place < len(self._weights) - 1:
                found.relu_()
                if drops and (p := self._dropout[place]) > 0:
                    features, samples = found.shape[1:]
                    found *= self._masks.next(p, (samples, features), found.device).transpose(1, 2)
        return found.transpose(1, 2)

    @torch.no_grad()
    def learn(self, inputs: Tensor, loss: Loss, step: int) -> tuple[Tensor, Tensor]:
        """Make a forward and a backward pass, see `AbstractStack`."""
        self._masks.begin(step)
        # Autocast acts on torch's layers, which are not used here: what it does to them is done by hand.
        device, own = inputs.device.type, self._weights[0].dtype
        precision = torch.get_autocast_dtype(device) if torch.is_autocast_enabled(device) else own
        weights = [weight.to(precision) for weight in self._weights]
        biases = [bias.to(precision) for bias in self._biases]
        last = len(weights) - 1
        found = self._features(inputs).to(precision)
        hidden = [_Hidden(found, None)]
        for place in range(last):
            found = batched_product(weights[place], found).add_(biases[place]).relu_()
            mask = None
            if (p := self._dropout[place]) > 0:
                features, samples = found.shape[1:]
                mask = self._masks.next(p, (samples, features), found.device).transpose(1, 2).to(precision)
                found *= mask
            hidden.append(_Hidden(found, mask))
        logits = batched_product(weights[last], found).add_(biases[last]).transpose(1, 2)
        losses, gradient = loss(logits)
        gradient = gradient.transpose(1, 2)
        for place in range(last, -1, -1):
            below = hidden[place]
            weight, bias = self._weights[place], self._biases[place]
            weight.grad = batched_product(gradient, below.output.transpose(1, 2), out=_memory(weight))
            bias.grad = torch.sum(gradient, 2, keepdim=True, dtype=own, out=_memory(bias))
            if place:
                gradient = batched_product(weights[place].transpose(1, 2), gradient)
                if below.mask is not None:
                    gradient *= below.mask
                # A unit that dropout kept is above zero exactly where the ReLU let it pass.
                torch.ops.aten.threshold_backward.grad_input(gradient, below.output, 0.0, grad_input=gradient)
        return logits, losses


def _memory(parameter: nn.Parameter) -> Tensor:
    """Return where a parameter's gradient may go: where the last one is."""
    return torch.empty_like(parameter) if parameter.grad is None else parameter.grad
