"""One step of a training, as it was made."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor


class Step(NamedTuple):
    """One optimisation step that has just been made."""

    number: int
    """Steps made so far, this one included."""
    rows: Tensor
    """Rows of the training set in the batch, [sample], or [run, sample] of several runs."""
    inputs: Tensor
    """What the model saw, after augmentation, [sample, ...], or [run, sample, ...]."""
    logits: Tensor
    """[sample, class], or [run, sample, class], before the update."""
    loss: Tensor
    """Mean loss of the batch in nats, before the update; a number, or [run]."""
    gradient_norm: Tensor | None = None
    """Global L2 norm of the gradient before clipping, [run], where the training monitors."""
