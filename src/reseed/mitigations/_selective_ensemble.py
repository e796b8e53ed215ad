"""Ensembles that abstain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed._errors import RecipeError
from reseed.mitigations._checks import check_option
from reseed.mitigations._ensemble import AbstractEnsemble


@final
@dataclass(frozen=True)
class SelectiveEnsembling(AbstractEnsemble):
    """A selective ensemble: it gives no answer where its members' majority may be chance.

        answer A where P(|X - n / 2| >= |n_A - n / 2|) <= alpha,   X ~ Binomial(n, 1/2),   n = n_A + n_B

    n_A and n_B count a sample's two most frequent labels among the members. Predictions are the mean probabilities of
    the members, as in `PredictionEnsemble`; a run also abstains where their label is not A, so that whatever it answers
    is the members' clear majority. Recorded as ``abstains``.

    Use it when: no answer is better than one that depends on the seed, and inference may cost several times as much.
    Cost: as many trainings, and as many networks at inference, as there are members.
    Beware: with few members even large majorities do not pass: of six at level 0.05 only a unanimous one.

    References:
        Black, Leino and Fredrikson, "Selective Ensembles for Consistent Predictions", ICLR 2022.
    """

    name: ClassVar[str] = "selective-ensemble"
    may_abstain: ClassVar[bool] = True

    members: int = 10
    """Networks in the ensemble; one is the control."""
    alpha: float = 0.05
    """Level of the test, in (0, 1)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_option(self, "alpha", 0 < self.alpha < 1, "a number in (0, 1)")
        if self.members > 1 and _p_value(self.members, self.members) > self.alpha:
            least = next(size for size in range(2, 10**6) if _p_value(size, size) <= self.alpha)
            raise RecipeError(
                f"mitigation {self.name}: {self.members} members cannot reach p <= {self.alpha} even where all agree; "
                f"set members to {least} or more."
            )

    def abstains(self, answers: Tensor, members: Tensor) -> Tensor:
        """Return where the majority is not clear, or another one than the answer, [run, sample]."""
        classes = 1 + int(max(members.max(), answers.max()))
        counts = torch.zeros(len(members), classes, members.shape[2], dtype=torch.long)
        counts.scatter_add_(1, members, torch.ones_like(members))
        first = counts.gather(1, answers[:, None])[:, 0]
        second = counts.scatter(1, answers[:, None], 0).amax(1)
        return ~_clear(self.members, self.alpha)[first, second]


@lru_cache
def _clear(members: int, alpha: float) -> Tensor:
    """Return whether n_A votes against n_B are clear, [n_A, n_B]."""
    sizes = range(members + 1)
    return torch.tensor([[a > b and _p_value(a, a + b) <= alpha for b in sizes] for a in sizes])


def _p_value(votes: int, total: int) -> float:
    """Return the two-sided binomial p-value of a majority of ``votes`` of ``total``: twice its upper tail."""
    tail = sum(math.comb(total, count) for count in range(votes, total + 1))
    return float(min(1.0, 2 * tail / 2**total))
