"""How the loss of each sample bends along its own gradient."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from reseed.curvature.gradients._of_samples import sample_gradients
from reseed.curvature.operators._risk import EmpiricalRisk


@final
@dataclass(frozen=True, eq=False)
class SampleCurvature:
    """The gradient of each sample's loss, and how the loss bends along it.

    Attributes:
        gradient_norm: ``|g_i|``, [run, sample].
        gradient_curvature: g_i' H_i g_i, [run, sample].
    """

    gradient_norm: Float[Tensor, "run sample"]
    gradient_curvature: Float[Tensor, "run sample"]

    @property
    def curvature(self) -> Float[Tensor, "run sample"]:
        """The curvature along the gradient's direction, ``g_i' H_i g_i / |g_i|^2``; NaN where there is none."""
        squares = self.gradient_norm.square()
        return torch.where(squares > 0, self.gradient_curvature / squares, math.nan)


def sample_curvature(risk: EmpiricalRisk) -> SampleCurvature:
    """Return how large the gradient of each sample's loss is, and how this loss bends along it.

        |g_i|,   g_i' H_i g_i,   with g_i and H_i the gradient and the Hessian of the loss of sample i in the weights

    They tell how much a step on one sample would change its own loss: by a step of lr along g_i it falls by
    ``lr |g_i|^2 - lr^2 g_i' H_i g_i / 2``. A network that is sure and right has next to no gradient there, and rounding
    decides the curvature: look at both.

    Args:
        risk: See `empirical_risk`; a loss that is a function is asked about each sample as a batch of one.

    Returns:
        Numbers of every run and sample, float64. The gradients of few samples are in memory at once.

    Raises:
        InputError: A batch norm is in training mode; or as of `hessian`.

    Examples:
        A linear network without bias that answers 0 for an input of length 2, with the squared error:

        >>> from reseed.curvature import empirical_risk
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> _ = model.weight.data.zero_()
        >>> found = sample_curvature(empirical_risk(model, [[2.0]], [[3.0]], loss="squared_error"))
        >>> found.gradient_norm, found.curvature  # 2 x |residual| and 2 x^2
        (tensor([[12.]], dtype=torch.float64), tensor([[8.]], dtype=torch.float64))

    References:
        Gilmer et al., *A Loss Curvature Perspective on Training Instability in Deep Learning*, arXiv 2110.04369.
    """
    norms, along = (torch.zeros(risk.runs, risk.examples, dtype=torch.float64) for _ in range(2))
    for run, samples, weights, gradients in sample_gradients(risk, twice=True):
        fixed = gradients.detach()
        norms[run, samples] = fixed.double().norm(dim=1)
        if not gradients.requires_grad:  # the losses are linear in the weights
            continue
        (products,) = torch.autograd.grad(gradients, weights, fixed, allow_unused=True, materialize_grads=True)
        along[run, samples] = (products * fixed).double().sum(1)
    return SampleCurvature(norms, along)
