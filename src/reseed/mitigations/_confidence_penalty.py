"""The confidence penalty."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed.mitigations._checks import check_number
from reseed.mitigations._mitigation import AbstractMitigation, Batch, Penalty


def entropy(logits: Tensor) -> Tensor:
    """Return the entropy of softmax(logits) over classes, in nats, in single precision at least.

        H = -sum_c p[c] log p[c]

    Args:
        logits: Floats of shape [..., class].

    Returns:
        Shape [...], in [0, log K] up to rounding.

    References:
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017.

    Examples:
        >>> entropy(torch.zeros(2))
        tensor(0.6931)
    """
    log_p = logits.to(torch.promote_types(logits.dtype, torch.float32)).log_softmax(-1)
    return -(log_p.exp() * log_p).sum(-1)


@final
@dataclass(frozen=True)
class ConfidencePenalty(AbstractMitigation):
    """The confidence penalty: predictions of low entropy cost something.

        L = CE - beta H(p)

    Use it when: probabilities are over-confident and calibration matters more than stability.
    Cost: one training, one network at inference.
    Beware: it caps the logit gap that training can reach, so that differences between seeds weigh more.

    References:
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017.
    """

    name: ClassVar[str] = "confidence-penalty"

    beta: float = 0.1
    """Strength, zero or more; not free of scale in the number of classes."""

    def __post_init__(self) -> None:
        check_number(self, "beta", self.beta >= 0, "zero or more")

    @property
    def is_active(self) -> bool:
        """Whether the penalty has any weight."""
        return self.beta > 0

    def penalty(self, batch: Batch) -> Penalty:
        """Return -beta H."""
        return partial(_scaled_entropy, factor=-self.beta)


def _scaled_entropy(logits: Tensor, factor: float) -> Tensor:
    return factor * entropy(logits)
