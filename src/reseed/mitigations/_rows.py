"""What losses do before and after their arithmetic: take logits and targets in, drop what is ignored, reduce."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from reseed._errors import InputError, InputTypeError
from reseed._simplex import check_simplex
from reseed.mitigations._entropy import check_logits, class_mask
from reseed.mitigations._priors import check_labels
from reseed.mitigations._soft_cross_entropy import possible_cross_entropy

Reduction = Literal["none", "mean", "sum"]


@dataclass(frozen=True, eq=False)
class Rows:
    """The positions that count.

    Ignored ones are not there at all: whatever their logits hold, NaN included, changes neither value nor gradient.

    Attributes:
        logits: [row, class], in single precision at least; -inf where a class cannot be.
        target: Labels [row] or soft targets [row, class].
        valid: Which classes can be, [row, class]; None for all.
        weights: Each row's weight, [row]; None for one.
        kept: Which of all positions they are, booleans [position].
        shape: The positions' shape.
    """

    logits: Tensor
    target: Tensor
    valid: Tensor | None
    weights: Tensor | None
    kept: Tensor
    shape: torch.Size

    @property
    def soft(self) -> Tensor:
        """Soft targets [row, class]; one-hot labels where labels were given."""
        if self.target.is_floating_point():
            return self.target
        return nn.functional.one_hot(self.target, self.logits.shape[1]).to(self.logits.dtype)

    def cross_entropy(self) -> Tensor:
        """Return each row's cross-entropy with its target, in nats, [row]."""
        if self.target.is_floating_point():
            return possible_cross_entropy(self.logits, self.target)
        return nn.functional.cross_entropy(self.logits, self.target, reduction="none")

    def reduced(self, losses: Tensor, reduction: Reduction) -> Tensor:
        """Return losses [row] as one number, or in the positions' shape with zero where a position is ignored.

        The mean is that of the rows, by their weights; zero where there are none.
        """
        weighted = losses if self.weights is None else self.weights * losses
        if reduction == "none":
            return weighted.new_zeros(len(self.kept)).masked_scatter(self.kept, weighted).view(self.shape)
        total = weighted.sum()
        if reduction == "sum":
            return total
        if self.weights is None:
            return total / max(1, len(losses))
        mass = self.weights.sum()
        return total / torch.where(mass > 0, mass, torch.ones_like(mass))


def take_rows(
    logits: Tensor,
    target: Tensor,
    *,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    mask: Tensor | None,
    check_finite: bool,
    dim: int,
) -> Rows:
    """Return the positions that count; arguments are those of `confidence_penalty_loss`.

    Raises:
        InputError: Shapes, labels, weights or distributions do not fit.
        InputTypeError: A type does not.
    """
    if reduction not in ("none", "mean", "sum"):
        raise InputError(f"reduction must be 'none', 'mean' or 'sum', got {reduction!r}.")
    check_logits(logits, dim)
    is_soft = target.is_floating_point()
    expected = logits.shape if is_soft else logits.movedim(dim, -1).shape[:-1]
    if target.shape != expected:
        raise InputError(
            f"target has shape {tuple(target.shape)} but logits {tuple(logits.shape)} with classes along dim={dim}; "
            f"pass class indices of shape {tuple(logits.movedim(dim, -1).shape[:-1])}, or probabilities like logits."
        )
    if target.dtype == torch.bool or target.is_complex():
        raise InputTypeError(f"target must hold class indices or probabilities, got {target.dtype}.")
    moved = logits.movedim(dim, -1)
    classes, shape = moved.shape[-1], moved.shape[:-1]
    flat = target.movedim(dim, -1).reshape(-1, classes) if is_soft else target.reshape(-1).long()
    kept = torch.ones(len(flat), dtype=torch.bool, device=flat.device) if is_soft else flat != ignore_index
    rows, own = moved.reshape(-1, classes)[kept], flat[kept]
    if is_soft:
        check_simplex(own.detach().cpu().double().numpy(), "target")
        own = own.to(torch.promote_types(rows.dtype, torch.float32))
    else:
        check_labels(own, classes, "target", ignore_index)
    rows = rows.to(torch.promote_types(rows.dtype, torch.float32))
    if check_finite and not bool(torch.isfinite(rows).all()):
        raise InputError("logits hold numbers that are not finite at positions that count; lower the learning rate.")
    valid = None
    if mask is not None:
        valid = class_mask(mask, moved, dim).expand(moved.shape).reshape(-1, classes)[kept]
        rows = rows.masked_fill(~valid, -torch.inf)
        _check_possible(own, valid)
    return Rows(rows, own, valid, _weights(weight, own, rows), kept, shape)


def _check_possible(target: Tensor, valid: Tensor) -> None:
    hidden = (target * ~valid).sum(-1) > 0 if target.is_floating_point() else ~valid.gather(1, target[:, None])[:, 0]
    if bool(hidden.any()):
        raise InputError(
            f"target names a class that class_mask rules out, first at row {int(hidden.nonzero()[0])} of those that "
            "count; allow the class, or mark the position with ignore_index."
        )


def _weights(weight: Tensor | None, target: Tensor, rows: Tensor) -> Tensor | None:
    if weight is None:
        return None
    if weight.shape != rows.shape[-1:]:
        raise InputError(f"weight has shape {tuple(weight.shape)}; pass one for each of {rows.shape[-1]} classes.")
    if not bool((weight >= 0).all()):
        raise InputError(f"weight must hold numbers of zero or more, got {float(weight.min())}.")
    weight = weight.to(rows.device, rows.dtype)
    return target @ weight if target.is_floating_point() else weight[target]
