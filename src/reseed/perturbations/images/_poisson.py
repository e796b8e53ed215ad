"""Poisson counts as a function of a mean and a standard normal draw."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_SMALL = 7.0
_MOST = 40  # far beyond the largest count of mean 7 that a draw of 24 bits can ask for


def poisson(means: Tensor, normals: Tensor) -> Tensor:
    """Return counts whose rank among those of their mean is the rank of a normal draw.

    Above a mean of 7 the quantile is the asymptotic one of Giles (2016, algorithm 955), rounded down; up to 7 it is
    found by adding up probabilities.

    Args:
        means: At least 0, any shape.
        normals: Standard normal, same shape; written to.

    Returns:
        Whole numbers in the dtype of ``means``.

    Examples:
        >>> poisson(torch.tensor([0.0, 2.0, 100.0]), torch.tensor([3.0, 0.0, 1.0]))
        tensor([  0.,   2., 110.])
    """
    small = means < _SMALL
    few, ranks = means[small], normals[small]
    roots = means.clamp(min=_SMALL).sqrt_()
    squares = normals * normals
    # mean + root * n + (1/3 + n^2/6) - (n/36 + n^3/72) / root
    counts = (squares / -72).sub_(1 / 36).mul_(normals).div_(roots)
    counts = counts.add_(squares.div_(6)).add_(1 / 3).add_(normals.mul_(roots)).add_(means).floor_()
    if len(few):
        counts[small] = _counted(few, ranks)
    return counts.clamp_(min=0)


def _counted(means: Tensor, normals: Tensor) -> Tensor:
    """Return the smallest count whose cumulative probability reaches the rank."""
    uniform = torch.special.erfc(normals.double() / -math.sqrt(2)).mul_(0.5)
    chance = (-means.double()).exp_()
    reached, counts = chance.clone(), torch.zeros_like(means)
    for count in range(1, _MOST):
        beyond = uniform > reached
        if not beyond.any():
            break
        counts += beyond
        chance.mul_(means).div_(count)
        reached += chance
    return counts
