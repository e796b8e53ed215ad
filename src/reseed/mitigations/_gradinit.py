"""Scales of initial weights from which the first step of training ends at a small loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from reseed._errors import ModelError, TrainingError
from reseed._numbers import is_whole
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation, Beginning

_PASSES = 4
"""What a sample of a step comes to at most, in passes forward and backward: a gradient through a gradient is three
times the work of one, and the loss after the step is one more."""


@final
@dataclass(frozen=True)
class GradInit(AbstractMitigation):
    """GradInit: the scale of each initial tensor is learned so that the first step of training ends at a small loss.

        |g| <= bound:   a descends L'(a w - eta A(g)),   g the gradient of L at the weights a w
        |g| > bound:    a descends |g|

    a has one number for each drawn tensor w, biases too. It begins at 1, is learned by Adam and stays at ``least`` or
    above. eta is the recipe's peak learning rate. A is the first step of the recipe's optimiser: g for SGD, whose norm
    is l2; the signs of g for Adam, whose norm is l1 over the square root of the number of weights. L is the
    cross-entropy of a batch of the run's own training samples, L' that of another with which it has half of its samples
    in common; every step has others. Samples are drawn from what the weights are drawn from. The network answers in
    evaluation mode, where dropout is off, but for batch norm, which normalises each batch by itself.

    Use it when: a network without normalisation begins with weights of a scale that does not suit its depth, its data
    or its learning rate, and the right one is not known.
    Cost: one training, one network at inference; before it ``steps`` batches, each of which comes to at most four
    passes forward and backward, and is counted so.
    Beware: it looks one step ahead, at the peak rate whatever the schedule, without momentum, weight decay, clipping
    and what other methods do to the loss. Where gradients are within the bound, weights may grow. Batches are small:
    scales still move when it ends. All of them can come to more than a short training itself, which might rather be a
    longer one. It takes layers that can be differentiated twice. Teachers begin without it.

    References:
        Zhu, Ni, Xu, Kong, Huang and Goldstein, "GradInit: Learning to Initialize Neural Networks for Stable and
        Efficient Training", NeurIPS 2021.

    Examples:
        >>> GradInit(steps=10).samples_before  # ten batches of 32, each four times
        1280
    """

    name: ClassVar[str] = "gradinit"
    prepares: ClassVar[bool] = True

    steps: int = 100
    """Steps in which scales are learned; 0 is the control."""
    batch: int = 32
    """Samples of a gradient, half of which are also among those of the loss after its step."""
    lr: float = 0.05
    """Learning rate of the scales."""
    bound: float = 1.0
    """Largest norm of the gradient."""
    least: float = 0.01
    """Smallest scale."""

    def __post_init__(self) -> None:
        check_option(self, "steps", is_whole(self.steps) and self.steps >= 0, "a whole number, zero or more")
        check_option(self, "batch", is_whole(self.batch) and self.batch >= 2, "a whole number, 2 or more")
        check_option(self, "lr", 0 < self.lr < float("inf"), "a positive number")
        check_option(self, "bound", self.bound > 0, "a positive number")
        check_option(self, "least", 0 < self.least <= 1, "a number in (0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether scales are learned."""
        return self.steps > 0

    @property
    def samples_before(self) -> int:
        """Samples of all steps, as often as their gradients come to at most."""
        return self.steps * self.batch * _PASSES

    def prepare(self, network: nn.Module, beginning: Beginning) -> None:
        """Learn the scales.

        Raises:
            ModelError: The network cannot be differentiated twice.
            TrainingError: The loss after a step is not finite, or the gradient is not.
        """
        for layer in network.modules():
            if isinstance(layer, _BatchNorm):
                layer.train()
        drawn = {name: network.get_parameter(name) for name in beginning.drawn}
        scales = torch.ones(len(drawn), dtype=torch.float64, requires_grad=True)
        # Losses and norms are of different sizes, so that Adam remembers their slopes apart.
        descents = {is_within: torch.optim.Adam([scales], self.lr) for is_within in (True, False)}
        for step in range(self.steps):
            scales.grad = None
            is_within = self._differentiate(network, drawn, scales, beginning, step)
            descents[is_within].step()
            with torch.no_grad():
                scales.clamp_(min=self.least)
        with torch.no_grad():
            for scale, parameter in zip(scales, drawn.values(), strict=True):
                parameter.mul_(scale)

    def _differentiate(
        self, network: nn.Module, drawn: Mapping[str, Tensor], scales: Tensor, beginning: Beginning, step: int
    ) -> bool:
        """Give the scales the derivative of what is to fall, and return whether the gradient is within its bound."""
        inputs, labels = beginning.draw(step, self.batch + self.batch // 2)
        weights: dict[str, Any] = {
            name: one.detach().requires_grad_() for name, one in network.named_parameters() if one.requires_grad
        }
        weights |= {name: scale * one.detach() for scale, (name, one) in zip(scales, drawn.items(), strict=True)}

        def loss(values: dict[str, Any], first: int) -> Tensor:
            rows = slice(first, first + self.batch)
            return nn.functional.cross_entropy(functional_call(network, values, (inputs[rows],)), labels[rows])

        try:
            gradient = torch.autograd.grad(
                loss(weights, 0), list(weights.values()), create_graph=True, materialize_grads=True
            )
            goal = _norm(gradient, beginning.optimizer)
            is_within = bool(goal <= self.bound)
            if is_within:
                moves = zip(weights.items(), _first_step(gradient, beginning.optimizer), strict=True)
                goal = loss({name: one - beginning.lr * move for (name, one), move in moves}, self.batch // 2)
            # By all that it depends on: asked for the scales alone, torch passes over what has no second derivative.
            goal.backward()  # type: ignore[no-untyped-call]
        except (RuntimeError, TypeError, ValueError) as error:  # foreign code, and kernels without further derivatives
            raise ModelError(
                f"mitigation gradinit cannot differentiate model {beginning.model!r} twice: "
                f"{type(error).__name__}: {str(error).rstrip('.')}. Choose init-scale or warmup in its place."
            ) from error
        if not bool(torch.isfinite(goal)):
            raise TrainingError(
                f"mitigation gradinit: the {'loss after a step' if is_within else 'gradient'} of model "
                f"{beginning.model!r} is not finite at its step {step + 1}; make initial weights smaller (init_scale), "
                f"or its steps (lr, {self.lr})."
            )
        return is_within


def _norm(gradient: Sequence[Tensor], optimizer: str) -> Tensor:
    """Return the norm in which the first step of an optimiser is steepest."""
    flat = torch.cat([part.flatten() for part in gradient])
    return flat.abs().sum() / len(flat) ** 0.5 if _takes_signs(optimizer) else flat.square().sum().sqrt()


def _first_step(gradient: Sequence[Tensor], optimizer: str) -> Sequence[Tensor]:
    """Return the first step of an optimiser at a learning rate of 1."""
    return [part.detach().sign() for part in gradient] if _takes_signs(optimizer) else gradient


def _takes_signs(optimizer: str) -> bool:
    return optimizer.startswith("adam")
