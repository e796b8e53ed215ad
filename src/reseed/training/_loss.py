"""The loss of several runs, with its gradient written out."""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor


class Loss(Protocol):
    """The loss of a batch and its gradient."""

    def __call__(self, logits: Tensor) -> tuple[Tensor, Tensor]:
        """Turn logits [run, sample, class] into losses [run] and a gradient like the logits."""


def cross_entropy(logits: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return each run's mean cross-entropy in nats, and its gradient.

        L = -mean_s log p_s[y_s],   dL/dz_s[c] = (p_s[c] - [c = y_s]) / samples,   p_s = softmax(z_s)

    Args:
        logits: Shape [run, sample, class].
        labels: Shape [run, sample].

    Returns:
        Losses [run], in single precision at least, and the gradient, [run, sample, class].

    Examples:
        >>> losses, gradient = cross_entropy(torch.zeros(1, 1, 2), torch.zeros(1, 1, dtype=torch.int64))
        >>> losses, gradient
        (tensor([0.6931]), tensor([[[-0.5000,  0.5000]]]))
    """
    # Classes in front of samples: torch's softmax over a short last axis is many times slower than over another.
    precision = torch.promote_types(logits.dtype, torch.float32)
    log_p, wanted = logits.transpose(1, 2).to(precision).log_softmax(1), labels[:, None]
    losses = log_p.gather(1, wanted).mean((1, 2)).neg_()
    gradient = log_p.exp_()
    gradient.scatter_add_(1, wanted, gradient.new_full((1, 1, 1), -1.0).expand_as(wanted))
    return losses, gradient.div_(labels.shape[1]).transpose(1, 2).to(logits.dtype)
