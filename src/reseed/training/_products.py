"""Matrix products of many runs at once, on the CPU by the faster of two libraries."""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor

from reseed._processor import processor

_LARGE = 1 << 22
"""Multiplications in one run's product from which a call for each run pays."""


def is_large(rows: int, inner: int, columns: int) -> bool:
    """Whether one run's product is worth a call of its own: that of [rows, inner] and [inner, columns].

    Examples:
        >>> is_large(64, 64, 32), is_large(256, 384, 128)
        (False, True)
    """
    return rows * inner * columns >= _LARGE and min(rows, inner, columns) > 1


def batched_product(left: Tensor, right: Tensor, out: Tensor | None = None) -> Tensor:
    """Return ``left`` times ``right`` of each run: [run, m, n] and [run, n, p] to [run, m, p].

    torch hands batched products on the CPU to MKL, whose kernels reach half of the speed of processors that are not
    Intel's. There oneDNN reaches more of it, but has no batched form, and a call for each run costs more than small
    products do: it gets the large ones. Which one computes depends on the shapes and the processor alone, so results
    are reproducible.

    Args:
        left: One factor.
        right: The other.
        out: Memory that the result may take, in its own precision.

    Examples:
        >>> batched_product(torch.ones(2, 3, 4), torch.ones(2, 4, 5))[1, 2]
        tensor([4., 4., 4., 4., 4.])
    """
    if out is not None and out.dtype != left.dtype:
        return out.copy_(batched_product(left, right))
    is_single = left.device.type == "cpu" and left.dtype == torch.float32
    if not (is_single and is_large(left.shape[1], left.shape[2], right.shape[2]) and _onednn_pays()):
        return torch.bmm(left, right) if out is None else torch.bmm(left, right, out=out)
    multiply = torch.ops.mkldnn._linear_pointwise
    if out is None:
        out = left.new_empty(len(left), left.shape[1], right.shape[2])
    for one, other, result in zip(left, right, out, strict=True):
        result.copy_(multiply(one, other.t(), None, "none", [], ""))
    return out


@cache
def _onednn_pays() -> bool:
    """Whether oneDNN is there and the faster one for large products."""
    is_there = bool(torch.backends.mkldnn.is_available()) and hasattr(torch.ops.mkldnn, "_linear_pointwise")  # type: ignore[no-untyped-call]
    return is_there and "intel" not in processor().lower()
