"""What steps several runs at once."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import final

from torch import Tensor, nn

from reseed.models import state_of
from reseed.training._draws import Masks
from reseed.training._loss import Loss


class AbstractStack(nn.Module, ABC):
    """K models as one module: inputs [run, sample, ...] to logits [run, sample, class]."""

    @property
    @abstractmethod
    def trained(self) -> list[nn.Parameter]:
        """What the optimiser changes: the parameters of all runs, the first axis divisible by their number."""

    @abstractmethod
    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class] of inputs [run, sample, ...] in evaluation mode."""

    @abstractmethod
    def dropped(self, inputs: Tensor, step: int) -> Tensor:
        """Return logits [run, sample, class] of inputs [run, sample, ...] with the dropout of a step.

        Layers are in the mode that they are wanted in, see `dropping`.
        """

    @abstractmethod
    def state_of(self, run: int, template: nn.Module) -> Mapping[str, Tensor]:
        """Return parameters and buffers of a run, by the names that they have in a model of its own, the template."""

    @abstractmethod
    def learn(self, inputs: Tensor, loss: Loss, step: int) -> tuple[Tensor, Tensor]:
        """Make a forward and a backward pass in training mode.

        Args:
            inputs: Each run's batch, [run, sample, ...].
            loss: What to descend.
            step: The training step, which dropout depends on.

        Returns:
            Logits [run, sample, class] and losses [run]; the gradients of `trained` are in their ``.grad``.
        """


@final
class AutogradStack(AbstractStack):
    """A stack whose gradient is autograd's.

    Args:
        model: Does the forward pass of all runs.
        masks: The runs' dropout, already in place in the model.
    """

    def __init__(self, model: nn.Module, masks: Masks) -> None:
        super().__init__()
        self.model, self._masks = model, masks

    @property
    def trained(self) -> list[nn.Parameter]:
        """Parameters of all runs."""
        return [parameter for parameter in self.parameters() if parameter.requires_grad]

    def forward(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class]."""
        logits: Tensor = self.model(inputs)
        return logits

    def dropped(self, inputs: Tensor, step: int) -> Tensor:
        """Return logits [run, sample, class] with the dropout of a step."""
        self._masks.begin(step)
        return self.forward(inputs)

    def state_of(self, run: int, template: nn.Module) -> Mapping[str, Tensor]:
        """Return what a run has, see `AbstractStack`."""
        return state_of(self.model, run, template)

    def learn(self, inputs: Tensor, loss: Loss, step: int) -> tuple[Tensor, Tensor]:
        """Make a forward and a backward pass, see `AbstractStack`."""
        self.zero_grad()
        self._masks.begin(step)
        logits = self.model(inputs)
        losses, gradient = loss(logits.detach())
        logits.backward(gradient)
        return logits.detach(), losses
