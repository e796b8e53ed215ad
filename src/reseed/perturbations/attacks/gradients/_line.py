"""The way back from a wrong answer towards the input."""

from __future__ import annotations

import torch

from reseed._numbers import check_whole
from reseed.perturbations.attacks.core._budget import column
from reseed.perturbations.attacks.core._hunt import Hunt


def check_bisections(bisections: int) -> None:
    """Accept how often a way is halved.

    Raises:
        InputError: It is no whole number of 0 or more.
    """
    check_whole("bisections", bisections, 0)


def bisected(hunt: Hunt, times: int) -> None:
    """Halve the way between the last right and the first wrong answer on the line from each input to its best point.

    Whoever has no wrong answer rests meanwhile. The answer at the near end is taken for right, that at the far end is
    known to be wrong, so that what is found is wrong, and the nearest that the line was asked for.

    Args:
        hunt: One for the nearest wrong answers.
        times: How often; nothing is asked where it is 0.
    """
    if not times or hunt.is_over:
        return
    hunt.settled(given_up=~hunt.is_found)
    clean, far = hunt.clean, hunt.best
    near = clean
    for _ in range(times):
        if hunt.is_over:
            break
        middle = hunt.budget.project(torch.lerp(near, far, 0.5))
        is_wrong = column(hunt.look(middle).is_wrong, middle)
        near, far = torch.where(is_wrong, near, middle), torch.where(is_wrong, middle, far)
    hunt.rejoin()
