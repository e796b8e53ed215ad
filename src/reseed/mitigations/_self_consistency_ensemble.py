"""Ensembles that abstain where their members contradict each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed.mitigations._checks import check_option
from reseed.mitigations._ensemble import AbstractEnsemble


@final
@dataclass(frozen=True)
class SelfConsistencyEnsembling(AbstractEnsemble):
    """An ensemble that gives no answer where too few pairs of its members agree.

        answer where (number of pairs of members that agree) / (number of pairs) >= threshold

    Predictions are the mean probabilities of the members, as in `PredictionEnsemble`. Recorded as ``abstains``.

    Use it when: no answer is better than one that depends on the seed, and inference may cost several times as much.
    Cost: as many trainings, and as many networks at inference, as there are members.
    Beware: unlike the test of `SelectiveEnsembling`, the threshold says nothing of how often two ensembles disagree.

    References:
        Cooper et al., "Arbitrariness and Social Prediction: The Confounding Role of Variance in Fair Classification",
        AAAI 2024.
    """

    name: ClassVar[str] = "self-consistency-ensemble"
    may_abstain: ClassVar[bool] = True

    members: int = 10
    """Networks in the ensemble; one is the control."""
    threshold: float = 0.75
    """Least share of the pairs of members that must agree, in [0, 1]."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_option(self, "threshold", 0 <= self.threshold <= 1, "a share in [0, 1]")

    def abstains(self, answers: Tensor, members: Tensor) -> Tensor:
        """Return where fewer pairs of members agree, [run, sample]."""
        agree = torch.zeros(len(members), members.shape[2], dtype=torch.long)
        for own in range(1, self.members):
            agree += (members[:, :own] == members[:, own : own + 1]).sum(1)
        # Whole numbers of pairs against a share of them, so that rounding does not decide at the threshold.
        pairs = self.members * (self.members - 1) // 2
        return agree < self.threshold * pairs - 1e-9 * pairs
