"""Runs on images that step by themselves, on a CPU.

Convolutions of one run fill a core by themselves, and its activations just fit the cache: a program that works through
all runs layer by layer waits for memory instead. What is gained is the layout: with channels last, torch's convolution,
batch norm and pooling on a CPU take about half the time.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import final

import torch
from torch import Tensor, nn

from reseed.training._draws import DropoutDraws
from reseed.training._loss import Loss
from reseed.training._stack import AbstractStack


@final
class ChannelsLast(AbstractStack):
    """A single run's network on images.

    Args:
        model: Images in.
        word: The run's dropout word.
    """

    def __init__(self, model: nn.Module, word: int) -> None:
        super().__init__()
        self._model, self._draws = model, DropoutDraws(word)
        self._draws.replace_modules(model)

    @property
    def trained(self) -> list[nn.Parameter]:
        """The run's parameters."""
        return list(self._model.parameters())

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [1, sample, class] of inputs [1, sample, channel, height, width]."""
        logits: Tensor = self._model(_channels_last(inputs[0]))
        return logits[None]

    def dropped(self, inputs: Tensor, step: int) -> Tensor:
        """Return logits [1, sample, class] with the dropout of a step."""
        self._draws.begin(step)
        return self.forward(inputs)

    def state_of(self, run: int, template: nn.Module) -> Mapping[str, Tensor]:
        """Return what the run has, see `AbstractStack`."""
        return {**dict(self._model.named_parameters()), **dict(self._model.named_buffers())}

    def learn(self, inputs: Tensor, loss: Loss, step: int) -> tuple[Tensor, Tensor]:
        """Make a forward and a backward pass, see `AbstractStack`."""
        self.zero_grad()
        self._draws.begin(step)
        logits = self(inputs)
        losses, gradient = loss(logits.detach())
        logits.backward(gradient)
        return logits.detach(), losses


def _channels_last(images: Tensor) -> Tensor:
    return images.to(memory_format=torch.channels_last)  # unlike `contiguous`, also for a single channel
