"""Norms of initial weights at which gradients change little along themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, cast, final

import torch
from torch import Tensor, nn
from torch.func import functional_call

from reseed._draws import draw_key, item_normal, item_uniform
from reseed._errors import ModelError, TrainingError
from reseed._numbers import is_whole
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation, Beginning

_INPUTS, _LABELS = 0x6D657461, 0x6D657462
_EPS = 1e-5
_PASSES = 9
"""What a sample of a step comes to, in passes forward and backward: of three gradients, each through the one before,
the second and the third are three times the work of what they go back through."""


@final
@dataclass(frozen=True)
class MetaInit(AbstractMitigation):
    """MetaInit: the norm of each initial weight tensor is learned, on noise, before training.

        GQ = 1/n sum_i |(g - H g)_i / (g_i + eps s_i) - 1|,   g the gradient, H the Hessian, s_i the sign of g_i
        v <- momentum v - lr sign(dGQ / d|w|),   |w| <- |w| + v   for each drawn tensor w of two or more axes

    The gradient quotient GQ says how much a step down the gradient changes the gradient: for ``L = h |x|^2 / 2`` it is
    ``|h|``, for a loss that is linear it is 0. The loss is the cross-entropy of a batch of inputs from N(0, 1), of the
    shape of the training's, with random labels, others in each step. No sample of the training set is seen. Noise is
    drawn from what the weights are drawn from, so that every run has its own, and the direction of each tensor stays as
    it is drawn. The network answers in evaluation mode, where dropout is off and a fresh batch norm lets everything
    pass.

    Use it when: a network without normalisation begins with weights of a scale that does not suit its depth, and the
    right one is not known.
    Cost: one training, one network at inference; before it ``steps`` gradients of a gradient along a gradient, each of
    which comes to nine passes over a small batch.
    Beware: it mostly makes weights smaller, with which a short training may not get as far. What it learns is the scale
    for noise, not for the data. Batches are small: norms still move when it ends. It takes numbers as inputs, not token
    ids, and layers that can be differentiated three times. Teachers begin without it.

    References:
        Dauphin and Schoenholz, "MetaInit: Initializing learning by learning to initialize", NeurIPS 2019.

    Examples:
        >>> MetaInit(steps=10).samples_before  # ten batches of eight, three gradients deep
        720
    """

    name: ClassVar[str] = "metainit"
    prepares: ClassVar[bool] = True
    makes_inputs: ClassVar[bool] = True

    steps: int = 50
    """Steps in which norms are learned; 0 is the control."""
    batch: int = 8
    """Samples of noise in a step."""
    lr: float = 0.1
    """How far a step moves each norm, up or down."""
    momentum: float = 0.5
    """Share of the last move that each step keeps."""
    zero_biases: bool = True
    """Whether biases begin at 0, as in the paper; else as they are drawn."""

    def __post_init__(self) -> None:
        check_option(self, "steps", is_whole(self.steps) and self.steps >= 0, "a whole number, zero or more")
        check_option(self, "batch", is_whole(self.batch) and self.batch >= 1, "a whole number, 1 or more")
        check_option(self, "lr", 0 < self.lr < float("inf"), "a positive number")
        check_option(self, "momentum", 0 <= self.momentum < 1, "a number in [0, 1)")

    @property
    def is_active(self) -> bool:
        """Whether norms are learned."""
        return self.steps > 0

    @property
    def samples_before(self) -> int:
        """Samples of all steps, as often as their gradients of gradients come to."""
        return self.steps * self.batch * _PASSES

    def prepare(self, network: nn.Module, beginning: Beginning) -> None:
        """Learn the norms.

        Raises:
            ModelError: The network cannot be differentiated so often.
            TrainingError: The quotient is not finite.
        """
        drawn = {name: network.get_parameter(name) for name in beginning.drawn}
        with torch.no_grad():
            for parameter in drawn.values():
                if self.zero_biases and parameter.ndim < 2:
                    parameter.zero_()
        # A tensor that is 0 has no direction, and stays.
        weights = {name: one.detach() for name, one in drawn.items() if one.ndim >= 2 and bool(one.any())}
        norms = torch.stack([one.norm() for one in weights.values()])
        directions = [one / norm for one, norm in zip(weights.values(), norms, strict=True)]
        velocity = torch.zeros_like(norms)
        for step in range(self.steps):
            norms.requires_grad_()
            learned = dict(zip(weights, map(torch.mul, norms, directions), strict=True))
            slope = self._slope(network, learned, norms, beginning, step)
            velocity = self.momentum * velocity - self.lr * slope.sign()
            norms = norms.detach() + velocity
        with torch.no_grad():
            for name, norm, direction in zip(weights, norms, directions, strict=True):
                drawn[name].copy_(norm * direction)

    def _slope(
        self, network: nn.Module, learned: Mapping[str, Tensor], norms: Tensor, beginning: Beginning, step: int
    ) -> Tensor:
        """Return the derivative of the quotient by each norm, on the noise of a step."""
        items = torch.arange(self.batch)
        inputs = item_normal(draw_key(beginning.word, step, _INPUTS), items, beginning.input_shape).double()
        chosen = item_uniform(draw_key(beginning.word, step, _LABELS), items, ())
        labels = (chosen * beginning.num_classes).long()
        values: dict[str, Any] = {
            name: learned.get(name, one) for name, one in network.named_parameters() if one.requires_grad
        }
        try:
            loss = nn.functional.cross_entropy(functional_call(network, values, (inputs,)), labels)
            quotient = _gradient_quotient(loss, list(values.values()))
            # By all that it depends on: asked for the norms alone, torch passes over what has no further derivative.
            quotient.backward()  # type: ignore[no-untyped-call]
        except (RuntimeError, TypeError, ValueError) as error:  # foreign code, and kernels without further derivatives
            raise ModelError(
                f"mitigation metainit cannot differentiate model {beginning.model!r} three times: "
                f"{type(error).__name__}: {str(error).rstrip('.')}. Choose init-scale or warmup in its place."
            ) from error
        if not bool(torch.isfinite(quotient)):
            raise TrainingError(
                f"mitigation metainit: the gradient quotient of model {beginning.model!r} is not finite at its step "
                f"{step + 1}; make initial weights smaller (init_scale), or its steps (lr, {self.lr})."
            )
        return cast(Tensor, norms.grad)


def _gradient_quotient(loss: Tensor, parameters: Sequence[Tensor]) -> Tensor:
    """Return how much a step down the gradient changes the gradient, relative to it; it can be differentiated.

    Parameters that the loss does not depend on count with a gradient of 0.
    """
    first = torch.autograd.grad(loss, parameters, create_graph=True, materialize_grads=True)
    gradient = torch.cat([part.flatten() for part in first])
    energy = gradient.square().sum() / 2  # whose gradient is H g
    second = torch.autograd.grad(energy, parameters, create_graph=True, materialize_grads=True)
    product = torch.cat([part.flatten() for part in second])
    signs = torch.where(gradient >= 0, 1.0, -1.0)
    return ((gradient - product) / (gradient + _EPS * signs) - 1).abs().mean()
