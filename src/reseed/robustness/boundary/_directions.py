"""Random directions at right angles to each other."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed._draws import draw_key, item_normal


def orthonormal_directions(count: int, dimensions: int, seed: int) -> Tensor:
    """Return random directions of length 1 at right angles, [direction, dimension], float64.

    They are the Q of the QR decomposition of Gaussian numbers, with a positive diagonal of R: uniform among all such
    sets (Mezzadri 2007). Fewer of them are the first ones of more.

    Args:
        count: How many, at most ``dimensions``.
        dimensions: Of the space.
        seed: Of the draws.

    Examples:
        >>> some = orthonormal_directions(3, 5, seed=0)
        >>> torch.allclose(some @ some.T, torch.eye(3, dtype=torch.float64))
        True
    """
    drawn = item_normal(draw_key(seed & 0xFFFFFFFF, 0, 0), torch.arange(count), (dimensions,)).double()
    basis, upper = torch.linalg.qr(drawn.T)
    turned: Tensor = basis * upper.diagonal().sign()
    return turned.T.contiguous()
