"""Distillation of a snapshot ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from reseed._numbers import is_whole
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import Stage
from reseed.mitigations._teaching import AbstractTeaching


@final
@dataclass(frozen=True)
class SnapshotDistillation(AbstractTeaching):
    """Distillation of a snapshot ensemble: a student of one teacher at the ends of its learning rate's cycles.

        p(x) = mean over cycles m of p_m(x),   q(x) = p(x)^T / sum_c p(x)[c]^T

    The teacher trains as long as a run does, by a cosine schedule that starts anew with every cycle and comes down to
    zero at its end; p_m are its probabilities there. Distilling them into one student is ours.

    Use it when: an ensemble's targets are wanted for the price of two trainings.
    Cost: two trainings and one prediction of the training set a cycle; one network at inference.
    Beware: with many cycles each is short, and its snapshot has not converged.

    References:
        Huang et al., "Snapshot Ensembles: Train 1, Get M for Free", ICLR 2017.
    """

    name: ClassVar[str] = "snapshot-distillation"

    cycles: int = 5
    """Cycles of the teacher's learning rate, each of which ends with a member of the ensemble."""
    teacher: Literal["per_run", "shared"] = "per_run"
    """Whether each run has a teacher of its own, or all runs of a study share one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_option(self, "cycles", is_whole(self.cycles) and self.cycles >= 2, "2 or more")
        check_option(self, "teacher", self.teacher in ("per_run", "shared"), "per_run or shared")

    @property
    def stage(self) -> Stage:
        """One teacher with a cyclic schedule; its weights are not averaged, whatever the student's are."""
        settings = {"average.name": "none", "schedule.cycles": self.cycles, "schedule.name": "cosine"}
        return Stage(shared=self.teacher == "shared", cycle_ends=True, settings=tuple(settings.items()))
