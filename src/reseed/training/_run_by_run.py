"""Networks of K runs that step together, one run's forward and backward pass after the other.

Convolutions of one run fill the cores of a CPU by themselves, and a run's activations just fit its cache: a program
that works through all runs layer by layer waits for memory instead. What is gained is the layout: with channels last,
torch's convolution, batch norm and pooling on a CPU take about half the time; and one optimiser step serves all runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from reseed.training._draws import DropoutDraws
from reseed.training._loss import Loss
from reseed.training._stack import AbstractStack


@final
class RunByRun(AbstractStack):
    """K models whose parameters are held together, and that compute one after the other.

    Args:
        models: The runs' models, images in; their parameters become views of those held here.
        draws: Each run's dropout, already in place in its model.
    """

    def __init__(self, models: Sequence[nn.Module], draws: Sequence[DropoutDraws]) -> None:
        super().__init__()
        self._draws, self._models = tuple(draws), nn.ModuleList(models)
        self._trained: list[nn.Parameter] = []
        self._gradients: list[Tensor] = []
        for name, _ in models[0].named_parameters():
            whole = nn.Parameter(torch.stack([model.get_parameter(name).detach() for model in models]))
            whole.grad = gradient = torch.zeros_like(whole)
            self._trained.append(whole)
            self._gradients.append(gradient)
            for run, model in enumerate(models):
                part = model.get_parameter(name)
                part.data, part.grad = whole.data[run], gradient[run]

    @property
    def trained(self) -> list[nn.Parameter]:
        """Parameters of all runs, [run, ...]; those of a run's model are views of them."""
        return self._trained

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class] of inputs [run, sample, channel, height, width]."""
        return torch.stack([model(_channels_last(own)) for model, own in zip(self._models, inputs, strict=True)])

    def learn(self, inputs: Tensor, loss: Loss, step: int) -> tuple[Tensor, Tensor]:
        """Make a forward and a backward pass, see `AbstractStack`."""
        torch._foreach_zero_(self._gradients)
        found, losses = [], []
        for run, (model, draws, own) in enumerate(zip(self._models, self._draws, inputs, strict=True)):
            draws.begin(step)
            logits = model(_channels_last(own))
            each, gradient = loss(logits.detach()[None], slice(run, run + 1))
            logits.backward(gradient[0])
            found.append(logits.detach())
            losses.append(each)
        return torch.stack(found), torch.cat(losses)


def _channels_last(images: Tensor) -> Tensor:
    return images.to(memory_format=torch.channels_last)  # unlike `contiguous`, also for a single channel
