"""How much gradients of single samples differ, and how much of it lies where the loss bends."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import final

import torch
from jaxtyping import Float
from torch import Tensor

from reseed._arrays import undefined
from reseed._draws import draw_bits, draw_key
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.curvature.gradients._of_samples import sample_gradients
from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._risk import EmpiricalRisk


@final
@dataclass(frozen=True, eq=False)
class GradientNoise:
    """The noise of the gradients of single samples, of each run.

    Attributes:
        gradient_norm: ``|g|``, of the mean gradient, [run].
        trace: tr(C), the mean squared distance of a sample's gradient from the mean, [run].
        noise_scale: ``tr(C) / |g|^2``, [run].
        curvature_trace: An estimate of Tr(C H), [run].
        curvature_trace_error: Its standard error, [run]; NaN of a single probe.
        examples: How many samples.
    """

    gradient_norm: Float[Tensor, " run"]
    trace: Float[Tensor, " run"]
    noise_scale: Float[Tensor, " run"]
    curvature_trace: Float[Tensor, " run"]
    curvature_trace_error: Float[Tensor, " run"]
    examples: int


def gradient_noise(risk: EmpiricalRisk, *, probes: int = 16, seed: int = 0) -> GradientNoise:
    """Return how much the gradients of single samples differ, and how much of that lies where the loss bends.

        C = mean over samples i of (g_i - g) (g_i - g)',   noise scale = tr(C) / |g|^2

    A batch of as many samples as the noise scale has a gradient of which half the squared length is noise: below it a
    larger batch saves steps, above it hardly. Tr(C H) is what noise adds to the loss: a step of lr on a batch of B
    samples adds lr^2 Tr(C H) / (2 B) in the mean. With signs s_i drawn at random it is estimated without bias by u'H u,

        u = N^(-1/2) sum over samples i of s_i (g_i - g)

    Args:
        risk: See `empirical_risk`; a loss that is a function is asked about each sample as a batch of one.
        probes: How many u are drawn; each costs a backward pass and a Hessian product.
        seed: Of the signs, which are the same for every run.

    Returns:
        Numbers of each run, float64. The noise scale is NaN, with a warning, where the mean gradient is 0.

    Raises:
        InputError: There are fewer than two samples, or no probes, or a batch norm is in training mode; or as of
            `hessian`.

    Examples:
        >>> from reseed.curvature import empirical_risk
        >>> model = torch.nn.Linear(1, 1, bias=False)
        >>> _ = model.weight.data.zero_()
        >>> risk = empirical_risk(model, [[1.0], [1.0]], [[1.0], [3.0]], loss="squared_error")
        >>> found = gradient_noise(risk)  # the gradients are -2 and -6
        >>> [round(float(each), 3) for each in (found.trace, found.noise_scale, found.curvature_trace)]
        [4.0, 0.25, 8.0]

    References:
        McCandlish et al., *An Empirical Model of Large-Batch Training*, arXiv 1812.06162; Gilmer et al., *A Loss
        Curvature Perspective on Training Instability in Deep Learning*, arXiv 2110.04369.
    """
    check_whole("probes", probes)
    check_whole("seed", seed, 0)
    if risk.examples < 2:
        raise InputError("inputs hold one sample, whose gradient has nothing to differ from; pass two or more.")
    mean = risk.gradient().double()
    apart = torch.zeros(risk.runs, dtype=torch.float64)
    sums = torch.zeros(probes, risk.runs, risk.size, dtype=torch.float64, device=risk.weights.device)
    signs = [_signs(seed, probe, risk) for probe in range(probes)]
    for run, samples, _, gradients in sample_gradients(risk, twice=False):
        differences = gradients.double() - mean[run]
        apart[run] += float(differences.square().sum())
        for probe, each in enumerate(signs):
            sums[probe, run] += each[samples] @ differences
    operator = hessian(risk)
    scale = 1 / math.sqrt(risk.examples)
    found = torch.stack([_quadratic(operator.product, scale * each, risk.weights.dtype) for each in sums])
    trace, norm = apart / risk.examples, mean.norm(dim=1).cpu()
    if not bool(norm.all()):
        undefined("the mean gradient is 0, so that the noise scale has no value there; it is NaN.")
    error = found.std(0) / math.sqrt(probes) if probes > 1 else torch.full_like(trace, math.nan)
    return GradientNoise(
        gradient_norm=norm,
        trace=trace,
        noise_scale=torch.where(norm > 0, trace / norm.square(), math.nan),
        curvature_trace=found.mean(0),
        curvature_trace_error=error,
        examples=risk.examples,
    )


def _signs(seed: int, probe: int, risk: EmpiricalRisk) -> Tensor:
    bits = draw_bits(draw_key(seed & 0xFFFFFFFF, probe, 0), (risk.examples,), risk.weights.device)
    return torch.where(bits >= 0, 1.0, -1.0).double()


def _quadratic(product: Callable[[Tensor], Tensor], vectors: Tensor, dtype: torch.dtype) -> Float[Tensor, " run"]:
    return (vectors * product(vectors.to(dtype)).double()).sum(1).cpu()
