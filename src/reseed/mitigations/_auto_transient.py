"""Where a validation loss becomes flat."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reseed._errors import InputError


def auto_transient(val_losses: Sequence[float], patience: int = 5, rel_tol: float = 0.01) -> int:
    """Return the index of the loss after which a validation curve is flat.

        the first t with   min(L[t + 1], ..., L[t + patience]) >= m[t] - rel_tol |m[t]|,   m[t] = min(L[0], ..., L[t])

    Nothing within patience improves on the best loss so far by more than the tolerance. A curve that goes on improving
    to its end has no such t: the index of the last loss is returned. This rule is ours.

    Args:
        val_losses: L, in the order of training, at even distances.
        patience: Losses in which nothing may improve, 1 or more.
        rel_tol: Relative improvement that counts as none, zero or more.

    Returns:
        An index into ``val_losses``.

    Raises:
        InputError: There are no losses, one is not finite, or an argument is out of range.

    Examples:
        >>> auto_transient([2.0, 1.0, 0.5, 0.5, 0.51, 0.5], patience=2)
        2
    """
    losses = [float(loss) for loss in val_losses]
    if not losses:
        raise InputError("val_losses is empty; it needs at least one loss.")
    if bad := [place for place, loss in enumerate(losses) if not math.isfinite(loss)]:
        raise InputError(f"val_losses must be finite, got {losses[bad[0]]!r} at index {bad[0]}.")
    if patience < 1:
        raise InputError(f"patience must be 1 or more, got {patience!r}.")
    if not rel_tol >= 0:
        raise InputError(f"rel_tol must be zero or more, got {rel_tol!r}.")
    best = math.inf
    for place in range(len(losses) - patience):
        best = min(best, losses[place])
        if min(losses[place + 1 : place + 1 + patience]) >= best - rel_tol * abs(best):
            return place
    return len(losses) - 1
