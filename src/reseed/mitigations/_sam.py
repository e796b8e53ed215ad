"""Sharpness-aware minimisation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation

_TINY = 1e-12


@final
@dataclass(frozen=True)
class Sam(AbstractMitigation):
    """Sharpness-aware minimisation: step down the gradient of the worst point nearby.

        e = rho g / |g|,        gradient at w + e                     (SAM)
        e = rho w^2 g / |w g|,  elementwise products                  (adaptive: ASAM)

    Use it when: training may cost twice as much, and networks are trained in full: of heads on frozen features it was
    not found to change more than chance does.
    Cost: two forward and backward passes a step; one network at inference.
    Beware: batch-norm statistics are those of the first pass alone.

    References:
        Foret et al., "Sharpness-Aware Minimization for Efficiently Improving Generalization", ICLR 2021;
        Kwon et al., "ASAM: Adaptive Sharpness-Aware Minimization", ICML 2021.
    """

    name: ClassVar[str] = "sam"

    rho: float = 0.05
    """Radius; zero is the control."""
    adaptive: bool = False
    """Measure the radius relative to each weight (ASAM)."""

    def __post_init__(self) -> None:
        check_option(self, "rho", 0 <= self.rho < math.inf, "zero or more")

    @property
    def is_active(self) -> bool:
        """Whether there is a radius."""
        return self.rho > 0

    @property
    def passes(self) -> int:
        """Two."""
        return 2

    def ascent(self, parameters: Sequence[Tensor], gradients: Sequence[Tensor], runs: int) -> list[Tensor]:
        """Return e, by parameter; each run has its own norm."""
        pairs = [
            (gradient.reshape(runs, -1), parameter.detach().reshape(runs, -1).abs() if self.adaptive else None)
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
        scaled = [gradient if size is None else size * gradient for gradient, size in pairs]
        norm = torch.stack([part.norm(dim=1) for part in scaled]).norm(dim=0)
        factor = (self.rho / (norm + _TINY))[:, None]
        moves = [
            factor * (part if size is None else size * part) for part, (_, size) in zip(scaled, pairs, strict=True)
        ]
        return [move.view_as(gradient) for move, gradient in zip(moves, gradients, strict=True)]
