"""Cross-entropy with labels that share some of their mass with other classes."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from reseed._errors import InputError
from reseed.mitigations._priors import prior_of
from reseed.mitigations._rows import Reduction, take_rows
from reseed.mitigations._soft_cross_entropy import possible_cross_entropy


def label_smoothing_loss(
    logits: Tensor,
    target: Tensor,
    epsilon: float,
    prior: Any = None,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    class_mask: Tensor | None = None,
    check_finite: bool = False,
    dim: int = -1,
) -> Tensor:
    """Return the cross-entropy with smoothed labels, in nats.

        q = (1 - epsilon) q0 + epsilon r,   L = -sum_c q[c] log p[c]

    q0 is the one-hot label or the soft target, r the prior. With r uniform over K classes the true class gets
    1 - epsilon + epsilon / K, as in `torch.nn.CrossEntropyLoss`. Positions with the label ``ignore_index`` are dropped
    altogether; where none is left the loss is zero.

    Args:
        logits: Floats of shape [..., class], or with the classes along ``dim``; p is their softmax.
        target: Class indices [...], or probabilities of the logits' shape.
        epsilon: Mass that the prior gets, in [0, 1).
        prior: r, probabilities [class], for example of `class_prior`; default: uniform.
        weight: Each class's weight, [class]. A position's whole loss is weighted by its label's, so that weights leave
            q as it is; `torch.nn.CrossEntropyLoss` weights each class's share of q instead.
        ignore_index: The label of positions that do not count, such as padding.
        reduction: ``mean`` over the positions that count, ``sum``, or ``none`` for the shape [...].
        class_mask: Which classes can be predicted at all, see `entropy`; r is divided by its sum over them.
        check_finite: Refuse logits that are not finite.
        dim: The axis of the classes; 1 for torch's [sample, class, ...].

    Returns:
        A number, or [...], in single precision at least.

    Raises:
        InputError: A value is out of range, shapes do not fit, or the prior is no distribution.
        InputTypeError: Logits are whole numbers, or another argument has the wrong type.

    References:
        Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016;
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017 (class frequencies as the prior).

    Examples:
        >>> label_smoothing_loss(torch.tensor([[2.0, 0.0]]), torch.tensor([0]), epsilon=0.5)
        tensor(0.6269)
    """
    rows = take_rows(
        logits,
        target,
        weight=weight,
        ignore_index=ignore_index,
        reduction=reduction,
        mask=class_mask,
        check_finite=check_finite,
        dim=dim,
    )
    if not 0 <= epsilon < 1:
        raise InputError(f"epsilon must be in [0, 1), got {epsilon!r}.")
    wanted = None if prior is None else torch.as_tensor(prior)
    if wanted is not None and wanted.ndim != 1:
        raise InputError(f"prior has shape {tuple(wanted.shape)}; pass one probability for each class.")
    spread = prior_of(wanted, rows.logits, rows.valid)
    if epsilon == 0:
        return rows.reduced(rows.cross_entropy(), reduction)
    return rows.reduced(possible_cross_entropy(rows.logits, smoothed(rows.soft, epsilon, spread)), reduction)


def smoothed(targets: Tensor, epsilon: float, prior: Tensor | None = None) -> Tensor:
    """Return targets [..., class] of which a share went to a prior that broadcasts to them; default: uniform."""
    if prior is None:
        return (1 - epsilon) * targets + epsilon / targets.shape[-1]
    return (1 - epsilon) * targets + epsilon * prior.to(targets.device, targets.dtype)
