"""By which share a step of gradient descent changes the gradient: MetaInit's quotient."""

from __future__ import annotations

import math

from jaxtyping import Float
from torch import Tensor

from reseed._errors import InputError
from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._risk import EmpiricalRisk


def gradient_quotient(risk: EmpiricalRisk, *, epsilon: float = 1e-5) -> Float[Tensor, " run"]:
    """Return by which share a step of gradient descent changes the gradient, on average over weights (GQ).

        GQ = 1/n sum over weights j of |(g - H g)_j / (g_j + epsilon s_j) - 1|,   s_j = 1 where g_j >= 0, else -1

    It is 0 where the loss is linear, and 1 where a step of rate 1 takes the gradient to 0 or to twice itself. MetaInit
    scales initial weights so that it is small.

    Args:
        risk: See `empirical_risk`.
        epsilon: Keeps apart from 0 what is divided by.

    Returns:
        [run], float64.

    Raises:
        InputError: ``epsilon`` is no finite number above 0; or as of `hessian`.

    Examples:
        Along a parabola h w^2 / 2 it is ``|h|``, wherever that is asked:

        >>> import torch
        >>> from reseed.curvature import empirical_risk
        >>> model, inputs = torch.nn.Linear(1, 1, bias=False), [[1.0]]
        >>> _ = model.weight.data.fill_(0.7)
        >>> risk = empirical_risk(model, inputs, [[0.0]], loss="squared_error", dtype=torch.float64)
        >>> gradient_quotient(risk).round(decimals=3)
        tensor([2.], dtype=torch.float64)

    References:
        Dauphin, Schoenholz, *MetaInit: Initializing learning by learning to initialize*, NeurIPS 2019.
    """
    if not 0 < epsilon < math.inf:
        raise InputError(f"epsilon must be a finite number above 0, got {epsilon!r}.")
    gradient = risk.gradient()
    change = hessian(risk).product(gradient)
    away = gradient + epsilon * (2.0 * (gradient >= 0) - 1.0)
    return ((gradient - change) / away - 1).abs().double().mean(1)
