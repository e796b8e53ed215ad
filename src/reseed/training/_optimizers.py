"""The optimisers: torch's own, and the kernels below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn

from reseed.training._recipe import OptimizerConfig
from reseed.training._snapshot import fill, numbered

_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # torch's defaults for Adam and AdamW


@final
class TorchOptimizer:
    """SGD, Adam or AdamW of `torch.optim`, or SGD with decoupled weight decay.

    Args:
        config: Which one.
        parameters: What changes.
        fused: Whether to use one kernel for all parameters, which halves the time of a small model's step.
    """

    def __init__(self, config: OptimizerConfig, parameters: Sequence[nn.Parameter], *, fused: bool) -> None:
        decay = config.weight_decay
        self._rate, self._shrinking = config.lr, _Shrinking(config, parameters)
        self._optimizer: torch.optim.Optimizer
        match config.name:
            case "sgd":
                self._optimizer = torch.optim.SGD(
                    parameters, config.lr, config.momentum, weight_decay=decay, fused=fused
                )
            case "sgdw":
                self._optimizer = torch.optim.SGD(parameters, config.lr, config.momentum, fused=fused)
            case "adam":
                self._optimizer = torch.optim.Adam(parameters, config.lr, weight_decay=decay, fused=fused)
            case "adamw":
                self._optimizer = torch.optim.AdamW(parameters, config.lr, weight_decay=decay, fused=fused)

    def step(self, rate: float) -> None:
        """Make a step at a learning rate."""
        if rate != self._rate:
            self._rate = rate
            for group in self._optimizer.param_groups:
                group["lr"] = rate
        self._shrinking.step(rate)
        self._optimizer.step()

    def state(self) -> dict[str, Tensor]:
        """Return what it remembers of the steps made, by name; no copies."""
        remembered: dict[int, dict[str, Any]] = self._optimizer.state_dict()["state"]
        return {
            f"{place}.{name}": value
            for place, each in remembered.items()
            for name, value in each.items()
            if value is not None  # the momentum of SGD without any
        }

    def squares(self) -> list[Tensor]:
        """Return what it remembers of squared gradients, one for each parameter; none before the first step."""
        remembered = self._optimizer.state_dict()["state"]
        return [remembered[place]["exp_avg_sq"] for place in sorted(remembered) if "exp_avg_sq" in remembered[place]]

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned, which stays as it is."""
        remembered: dict[int, dict[str, Tensor]] = {}
        for full, value in state.items():
            place, _, name = full.partition(".")
            remembered.setdefault(int(place), {})[name] = value.clone()
        self._optimizer.load_state_dict({**self._optimizer.state_dict(), "state": remembered})


@final
class FusedOptimizer:
    """The same by torch's fused kernels, called directly; on a CPU or a CUDA device.

    `torch.optim` reaches these kernels through bookkeeping that takes longer than the arithmetic of small networks.

    Args:
        config: Which one.
        parameters: What changes; every one has a gradient when a step is made.
    """

    def __init__(self, config: OptimizerConfig, parameters: Sequence[nn.Parameter]) -> None:
        self._config, self._is_first, self._shrinking = config, True, _Shrinking(config, parameters)
        self._parameters: list[Tensor] = list(parameters)
        has_two = config.name in ("adam", "adamw")
        has_one = not has_two and config.momentum > 0
        self._means = [torch.zeros_like(value) for value in self._parameters] if has_two or has_one else []
        self._squares = [torch.zeros_like(value) for value in self._parameters] if has_two else []
        self._steps = [torch.zeros((), device=value.device) for value in self._parameters] if has_two else []

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Make a step at a learning rate."""
        config = self._config
        gradients = [value.grad for value in self._parameters if value.grad is not None]
        if config.name in ("sgd", "sgdw"):
            self._shrinking.step(rate)
            torch._fused_sgd_(
                self._parameters,
                gradients,
                self._means,
                weight_decay=config.weight_decay if config.name == "sgd" else 0.0,
                momentum=config.momentum,
                lr=rate,
                dampening=0.0,
                nesterov=False,
                maximize=False,
                is_first_step=self._is_first,
            )
            self._is_first = False
            return
        torch._foreach_add_(self._steps, 1.0)
        kernel = torch._fused_adam_ if config.name == "adam" else torch._fused_adamw_
        state: list[list[Tensor]] = [self._means, self._squares, [], self._steps]
        kernel(
            self._parameters,
            gradients,
            *state,
            lr=rate,
            beta1=_BETAS[0],
            beta2=_BETAS[1],
            weight_decay=config.weight_decay,
            eps=_EPSILON,
            amsgrad=False,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        """Return what it remembers of the steps made, by name; no copies."""
        return numbered("", self._remembered)

    def squares(self) -> list[Tensor]:
        """Return what it remembers of squared gradients, one for each parameter; none before the first step."""
        return self._squares if self._steps and float(self._steps[0]) else []

    def resume(self, state: Mapping[str, Tensor]) -> None:
        """Go on from what `state` returned, which stays as it is."""
        fill(self._remembered, state)
        self._is_first = False

    @property
    def _remembered(self) -> list[Tensor]:
        return [*self._means, *self._squares, *self._steps]


class _Shrinking:
    """The decoupled weight decay of ``sgdw``, before the step itself: w <- (1 - lr k) w, as torch's AdamW does it."""

    def __init__(self, config: OptimizerConfig, parameters: Sequence[nn.Parameter]) -> None:
        self._decay = config.weight_decay if config.name == "sgdw" else 0.0
        self._parameters = list(parameters)

    @torch.no_grad()
    def step(self, rate: float) -> None:
        if self._decay > 0:
            moving: list[Tensor] = [value for value in self._parameters if value.grad is not None]
            torch._foreach_mul_(moving, 1.0 - rate * self._decay)
