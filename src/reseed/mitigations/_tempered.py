"""Sharpening and flattening probabilities."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from reseed._errors import InputError


def tempered(probabilities: Tensor, *, exponent: float | None = None, temperature: float | None = None) -> Tensor:
    """Raise probabilities to a power and normalise them.

        q[c] = p[c]^T / sum_j p[j]^T,   T = exponent = 1 / temperature

    T < 1 flattens, T > 1 sharpens, T = 1 changes nothing; a probability of zero stays zero.

    Args:
        probabilities: p, of shape [..., class].
        exponent: T, a positive number.
        temperature: Its inverse, as in distillation: softmax(z / temperature). Exactly one of both must be given.

    Returns:
        Probabilities of the same shape.

    Raises:
        InputError: None or both of them are given, or one that is not positive and finite.

    References:
        Datta et al., "Measuring and Mitigating Local Instability in Deep Neural Networks", Findings of ACL 2023.

    Examples:
        >>> tempered(torch.tensor([0.8, 0.2]), exponent=0.5)
        tensor([0.6667, 0.3333])
    """
    if (exponent is None) == (temperature is None):
        raise InputError(f"pass exponent or temperature, got exponent={exponent!r}, temperature={temperature!r}.")
    name, value = ("exponent", exponent) if exponent is not None else ("temperature", temperature)
    if value is None or not (math.isfinite(value) and value > 0):
        raise InputError(f"{name} must be a positive number, got {value!r}.")
    power = value if name == "exponent" else 1 / value
    return torch.softmax(power * probabilities.log(), dim=-1)
