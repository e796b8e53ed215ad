"""Cross-entropy that charges for confidence."""

from __future__ import annotations

import math
from typing import Any, final

import torch
from torch import Tensor, nn

from reseed._errors import InputError
from reseed.mitigations._entropy import entropy
from reseed.mitigations._rows import Reduction, take_rows

_ROUNDING = 1e-6


def confidence_penalty_loss(
    logits: Tensor,
    target: Tensor,
    beta: float,
    threshold: float | None = None,
    weight: Tensor | None = None,
    ignore_index: int = -100,
    reduction: Reduction = "mean",
    class_mask: Tensor | None = None,
    normalize: bool = False,
    check_finite: bool = False,
    dim: int = -1,
) -> Tensor:
    """Return cross-entropy less what entropy is worth, in nats.

        L = CE - beta H(p)                        without a threshold
        L = CE + beta max(0, threshold - H(p))    with one: only confident predictions pay

    It may be negative, down to -beta log K for K classes. Positions with the label ``ignore_index`` are dropped from
    both terms; where none is left the loss is zero.

    Args:
        logits: Floats of shape [..., class], or with the classes along ``dim``; p is their softmax.
        target: Class indices [...], or probabilities of the logits' shape.
        beta: Strength, zero or more; zero is plain cross-entropy. Not free of scale in K, see ``normalize``.
        threshold: Entropy in (0, log K] below which a prediction pays; default: every prediction does.
        weight: Each class's weight, [class]. A position's whole loss is weighted by its label's, and the mean divided
            by the weights' sum; by the mean weight under soft targets.
        ignore_index: The label of positions that do not count, such as padding.
        reduction: ``mean`` over the positions that count, ``sum``, or ``none`` for the shape [...].
        class_mask: Which classes can be predicted at all, see `entropy`.
        normalize: Measure entropy, and the threshold, as shares of log K.
        check_finite: Refuse logits that are not finite.
        dim: The axis of the classes; 1 for torch's [sample, class, ...].

    Returns:
        A number, or [...], in single precision at least.

    Raises:
        InputError: A value is out of range, or shapes do not fit.
        InputTypeError: Logits are whole numbers, or another argument has the wrong type.

    References:
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017 (which prints the threshold's term with the other sign, against its own text).

    Examples:
        >>> confidence_penalty_loss(torch.zeros(1, 2), torch.tensor([0]), beta=1.0)
        tensor(0.)
        >>> confidence_penalty_loss(torch.zeros(2, 2), torch.tensor([0, -100]), beta=0.5, reduction="none")
        tensor([0.3466, 0.0000])
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
    check_penalty(beta, threshold, rows.logits.shape[1], normalize)
    losses = rows.cross_entropy()
    if beta > 0:
        losses = losses + entropy_penalty(rows.logits, beta, threshold, normalize, rows.valid)
    return rows.reduced(losses, reduction)


def entropy_penalty(
    logits: Tensor,
    beta: float,
    threshold: float | None = None,
    normalize: bool = False,
    mask: Tensor | None = None,
) -> Tensor:
    """Return what `confidence_penalty_loss` adds to each row's cross-entropy, [...], of logits [..., class]."""
    spread = entropy(logits, mask=mask)
    if normalize:
        if mask is None:
            spread = spread / math.log(logits.shape[-1])
        else:  # a row with a single class has no entropy to compare with
            spread = spread / mask.sum(-1).clamp(min=2).to(spread.dtype).log()
    return -beta * spread if threshold is None else beta * torch.relu(threshold - spread)


def check_penalty(beta: float, threshold: float | None, num_classes: int, normalize: bool) -> None:
    """Accept a strength and a threshold.

    Raises:
        InputError: One is out of range.
    """
    if not 0 <= beta < math.inf:
        raise InputError(f"beta must be zero or more, got {beta!r}; a negative one would reward confidence.")
    most, name = (1.0, "1, since entropy is normalised") if normalize else (math.log(num_classes), "log K")
    if threshold is not None and not 0 < threshold <= most * (1 + _ROUNDING):
        raise InputError(
            f"threshold must be in (0, {name}] ({most:.6g} for {num_classes} classes), got {threshold!r}; leave it out "
            "to have every prediction pay."
        )


@final
class ConfidencePenaltyLoss(nn.Module):
    """`confidence_penalty_loss` as a module.

    Set ``beta`` between steps to change the strength, for example to what a `BetaSchedule` says.

    Args:
        beta: See `confidence_penalty_loss`, as for all that follow.
        threshold: Likewise.
        weight: Likewise; moves with the module.
        ignore_index: Likewise.
        reduction: Likewise.
        class_mask: Likewise; moves with the module.
        normalize: Likewise.
        check_finite: Likewise.
        dim: Likewise.

    Raises:
        InputError: beta is out of range; what depends on the number of classes is refused when the module is called.

    Examples:
        >>> ConfidencePenaltyLoss(beta=0.5)(torch.zeros(1, 2), torch.tensor([0]))
        tensor(0.3466)
    """

    weight: Tensor | None
    class_mask: Tensor | None

    def __init__(
        self,
        beta: float = 0.1,
        threshold: float | None = None,
        weight: Tensor | None = None,
        ignore_index: int = -100,
        reduction: Reduction = "mean",
        class_mask: Tensor | None = None,
        normalize: bool = False,
        check_finite: bool = False,
        dim: int = -1,
    ) -> None:
        super().__init__()
        check_penalty(beta, None, 2, normalize)
        self.beta, self.threshold = beta, threshold
        self._options: dict[str, Any] = {
            "ignore_index": ignore_index,
            "reduction": reduction,
            "normalize": normalize,
            "check_finite": check_finite,
            "dim": dim,
        }
        self.register_buffer("weight", weight, persistent=False)
        self.register_buffer("class_mask", class_mask, persistent=False)

    def forward(self, logits: Tensor, target: Tensor) -> Tensor:
        """Return the loss of logits and targets, see `confidence_penalty_loss`."""
        return confidence_penalty_loss(
            logits,
            target,
            self.beta,
            self.threshold,
            weight=self.weight,
            class_mask=self.class_mask,
            **self._options,
        )

    def extra_repr(self) -> str:
        """Return what is not the default's."""
        return f"beta={self.beta}, threshold={self.threshold}"
