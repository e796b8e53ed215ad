"""Distillation of an ensemble that branches late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from reseed.mitigations._checks import check_networks, check_option
from reseed.mitigations._mitigation import Stage
from reseed.mitigations._teaching import AbstractTeaching


@final
@dataclass(frozen=True)
class LateBranching(AbstractTeaching):
    """Distillation of an ensemble that branches late: a student of several ends of one teacher's training.

        p(x) = mean over branches m of p_m(x),   q(x) = p(x)^T / sum_c p(x)[c]^T

    One trunk trains to a share of the steps. From there each branch goes on with the trunk's weights, optimiser state
    and place in the schedule, and with batch order, dropout and augmentation of its own; p_m are its probabilities at
    the end. Distilling them into one student is ours.

    Use it when: an ensemble's targets are wanted for the price of a few trainings.
    Cost: the trunk once, the rest of the steps for every branch, and one training; one network at inference. Trunks
    and branches train one after another under every engine.
    Beware: late branches agree more than networks that share nothing, so their mean says less about other seeds.

    References:
        Pecher et al., delayed ensemble and noisy interpolation, arXiv 2406.12471.
    """

    name: ClassVar[str] = "late-branching"

    branches: int = 5
    """Ends of the training whose probabilities are averaged."""
    at: float = 0.8
    """Share of the steps that all branches have in common, in (0, 1)."""
    teacher: Literal["per_run", "shared"] = "shared"
    """Whether all runs of a study share one trunk and its branches, or each run has its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_networks(self, "branches", 2)
        check_option(self, "at", 0 < self.at < 1, "a share in (0, 1)")
        check_option(self, "teacher", self.teacher in ("per_run", "shared"), "per_run or shared")

    @property
    def stage(self) -> Stage:
        """The branches, at the end of their trainings; their weights are not averaged, whatever the student's are."""
        return Stage(
            teachers=self.branches,
            shared=self.teacher == "shared",
            branch_at=self.at,
            settings=(("average.name", "none"),),
        )
