"""Cross-entropy with soft targets."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed._errors import InputError
from reseed._simplex import check_simplex


def soft_cross_entropy(logits: Tensor, targets: Tensor, *, check: bool = True) -> Tensor:
    """Return each sample's cross-entropy with a target distribution, in nats.

        L = -sum_c q[c] log softmax(z)[c]

    Args:
        logits: z, floats of shape [..., sample, class].
        targets: q, of the same shape: no negative numbers, each row summing to one within 1e-4.
        check: Whether to look at the values: targets must be distributions, and logits may be minus infinity where
            targets are zero.

    Returns:
        Losses [..., sample], in single precision at least.

    Raises:
        InputError: Shapes differ, or targets are no distributions.

    Examples:
        >>> soft_cross_entropy(torch.zeros(1, 2), torch.tensor([[0.5, 0.5]]))
        tensor([0.6931])
    """
    if logits.shape != targets.shape:
        raise InputError(
            f"targets have shape {tuple(targets.shape)} but logits {tuple(logits.shape)}; both are [sample, class]."
        )
    if check:
        check_simplex(targets.detach().cpu().numpy(), "targets")
        return possible_cross_entropy(logits, targets)
    q, log_p = _classes_first(logits, targets)
    return -(q * log_p).sum(-2)


def possible_cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Return `soft_cross_entropy` of distributions, where logits may be minus infinity: 0 log 0 = 0."""
    q, log_p = _classes_first(logits, targets)
    return -(q * log_p.masked_fill(q == 0, 0.0)).sum(-2)


def _classes_first(logits: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
    """Return targets and log-probabilities [..., class, sample], in single precision at least."""
    precision = torch.promote_types(logits.dtype, torch.float32)
    # Classes in front of samples: torch's softmax over a short last axis is many times slower than over another.
    log_p = logits.transpose(-1, -2).to(precision).log_softmax(-2)
    return targets.transpose(-1, -2).to(precision), log_p
