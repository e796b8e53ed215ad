"""The nearest point of a plane inside a box."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed.perturbations.attacks import Budget

_ROUNDS = 12


def nearest_on_plane(budget: Budget, slope: Tensor, rise: Tensor) -> tuple[Tensor, Tensor]:
    """Return the nearest allowed point at which a linear function has grown by ``rise`` since the clean input.

    That point is clip(x + t d), where d is the gradient w (norm 2) or its sign (inf) and t is the least with
    sum of w (clip(x + t d) - x) = rise. The sum is concave in t and made of straight pieces, so Newton's steps from 0
    come to the root from below, each at a later piece.

    Args:
        budget: The box, and the clean inputs.
        slope: The gradient w, [item, ...].
        rise: [item]; where it is not above 0, no point is looked for.

    Returns:
        The points, [item, ...], and how far they are, [item]: infinite where no point of the box will do.
    """
    clean = budget.clean.flatten(1)
    lower, upper = budget.lower.flatten(1) - clean, budget.upper.flatten(1) - clean
    flat = budget.masked(slope).flatten(1)
    largest = flat.abs().amax(1, keepdim=True).clamp_min(torch.finfo(flat.dtype).tiny)
    flat, rise = flat / largest, (rise / largest[:, 0]).to(flat.dtype)  # squares of tiny numbers are 0
    towards = flat.sign() if budget.norm == "inf" else flat
    gain = flat * towards
    length = torch.zeros_like(rise)
    moved = torch.zeros_like(flat)
    is_free = ((towards > 0) & (upper > 0)) | ((towards < 0) & (lower < 0))
    for _ in range(_ROUNDS):
        growth = (gain * is_free).sum(1)
        missing = rise - (flat * moved).sum(1)
        is_done = missing <= 1e-6 * rise
        length = torch.where(is_done, length, length + missing / growth)
        moved = torch.minimum(torch.maximum(length.nan_to_num(0, 0, 0)[:, None] * towards, lower), upper)
        is_free = (moved > lower) & (moved < upper) & (towards != 0)
        if bool((is_done | ~length.isfinite()).all()):
            break
    is_there = length.isfinite() & (rise > 0) & ((flat * moved).sum(1) >= 0.99 * rise)
    far = torch.linalg.vector_norm(moved.double(), float(budget.norm), dim=1)
    return (clean + moved).view_as(slope), far.masked_fill(~is_there, torch.inf)
