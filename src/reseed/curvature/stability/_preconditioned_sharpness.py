"""The curvature that an adaptive optimiser sees."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn

from reseed._arrays import ArrayLike
from reseed._errors import InputTypeError
from reseed.curvature.operators._batches import Pairs
from reseed.curvature.operators._function import Chosen, Mode
from reseed.curvature.operators._hessian import hessian
from reseed.curvature.operators._losses import Loss
from reseed.curvature.operators._operator import CurvatureOperator, preconditioned
from reseed.curvature.operators._risk import empirical_risk
from reseed.curvature.spectrum._sharpness import Sharpness, largest
from reseed.curvature.stability._preconditioner import l2_decays, preconditioner
from reseed.curvature.stability._updates import Rule


def preconditioned_sharpness(
    model: nn.Module,
    optimizer: torch.optim.Optimizer,
    inputs: ArrayLike | Pairs,
    targets: ArrayLike | None = None,
    *,
    rule: Rule = "optimizer",
    bias_correction: bool = True,
    first_moment_bias: bool = False,
    loss: Loss = "cross_entropy",
    tolerance: float = 1e-3,
    max_products: int | None = None,
    start: Tensor | None = None,
    parameters: Chosen | None = None,
    mode: Mode | None = None,
    dtype: torch.dtype | None = None,
    batch_size: int | None = None,
    seed: int = 0,
) -> Sharpness:
    """Return the sharpness as an optimiser sees it: the largest eigenvalue of P^-1 H, with P read from its state.

        lambda_1(P^(-1/2) (H + K) P^(-1/2))

    P is that of `preconditioner`, and K the weight decay as an L2 term where it cannot be subtracted from the
    threshold: of adaptive methods, and of groups that differ; else 0. This is the number whose edge
    `stability_threshold` of the same optimiser is. Of SGD with one group it is `sharpness`.

    Adaptive methods go on into regions of ever higher plain sharpness, because P grows with the gradients: only this
    number tells how far from the edge they are.

    Args:
        model: A module whose parameters the optimiser trains.
        optimizer: SGD, Adam, AdamW, RMSprop or Adagrad of torch, after its first step.
        inputs: See `sharpness`, like all that is not named here.
        targets: [sample].
        rule: That of the threshold.
        bias_correction: See `preconditioner`.
        first_moment_bias: See `preconditioner`.
        loss: A name, or a function of outputs and targets.
        tolerance: The relative error that is accepted.
        max_products: After how many Hessian products to give up.
        start: First vectors [run, parameter], such as ``vector`` of a moment before.
        parameters: Which weights; default: all that require gradients.
        mode: ``"train"`` or ``"eval"``; default: the model's own.
        dtype: What to compute in.
        batch_size: How many samples are worked through at once.
        seed: Of the first vector, and of dropout in training mode.

    Returns:
        As `sharpness`, of a single run; ``vector`` is P^(1/2) times the direction in the weights.

    Raises:
        InputError: As of `preconditioner` and `sharpness`.
        InputTypeError: The model is no module, or of the optimiser no preconditioner is known.

    Examples:
        >>> from reseed.curvature import normalised_sharpness, stability_threshold
        >>> model, inputs, labels = nn.Linear(4, 3), torch.rand(20, 4), torch.arange(20) % 3
        >>> adam = torch.optim.Adam(model.parameters(), lr=0.01)
        >>> nn.functional.cross_entropy(model(inputs), labels).backward()
        >>> adam.step()
        >>> found = preconditioned_sharpness(model, adam, inputs, labels)
        >>> 0 < float(normalised_sharpness(found.value, stability_threshold(adam))) < 0.1
        True

    References:
        Cohen et al., *Adaptive Gradient Methods at the Edge of Stability*, arXiv 2207.14484; Gilmer et al., *A Loss
        Curvature Perspective on Training Instability in Deep Learning*, arXiv 2110.04369.
    """
    if not isinstance(model, nn.Module):
        raise InputTypeError(
            f"model must be the module whose parameters the optimizer trains, got a {type(model).__name__}."
        )
    risk = empirical_risk(
        model,
        inputs,
        targets,
        loss=loss,
        parameters=parameters,
        mode=mode,
        dtype=dtype,
        batch_size=batch_size,
        seed=seed,
    )
    own = dict(model.named_parameters())
    chosen = [own[name] for name in risk.shapes]
    scale = preconditioner(
        optimizer, chosen, rule=rule, bias_correction=bias_correction, first_moment_bias=first_moment_bias
    )
    seen = as_seen(hessian(risk), scale, l2_decays(optimizer, chosen, rule))
    return largest(seen, tolerance=tolerance, max_products=max_products, start=start, seed=seed)


def as_seen(bent: CurvatureOperator, scale: Tensor, decays: Tensor | float) -> CurvatureOperator:
    """Return P^(-1/2) (H + K) P^(-1/2).

    Args:
        bent: H.
        scale: P, [run, parameter] or [parameter].
        decays: K, [parameter], or one number for all.
    """
    added = torch.as_tensor(decays, dtype=bent.dtype, device=bent.device)
    whole = dataclasses.replace(bent, multiply=lambda vectors: bent.multiply(vectors) + added * vectors)
    return preconditioned(whole, scale)
