"""Soft labels of an ensemble."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from reseed.mitigations._checks import check_networks, check_option
from reseed.mitigations._mitigation import Stage
from reseed.mitigations._teaching import AbstractTeaching


@final
@dataclass(frozen=True)
class EnsembleSoftLabels(AbstractTeaching):
    """Distillation of an ensemble: a student of the mean probabilities of several teachers.

        p(x) = mean over teachers m of p_m(x),   q(x) = p(x)^T / sum_c p(x)[c]^T

    Use it when: training may cost many times as much, and inference must cost one network.
    Cost: as many trainings as there are teachers, and one; one network at inference.
    Beware: teachers that fit the training set perfectly teach its labels and nothing else.

    References:
        Datta et al., "Measuring and Mitigating Local Instability in Deep Neural Networks", Findings of ACL 2023;
        Hinton, Vinyals and Dean, "Distilling the Knowledge in a Neural Network", 2015.
    """

    name: ClassVar[str] = "ensemble-soft-labels"

    teachers: int = 12
    """Networks in the ensemble."""
    teacher: Literal["per_run", "shared"] = "shared"
    """Whether all runs of a study share one ensemble, or each run has its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_networks(self, "teachers", 2)
        check_option(self, "teacher", self.teacher in ("per_run", "shared"), "per_run or shared")

    @property
    def stage(self) -> Stage:
        """The teachers, at the end of their trainings."""
        return Stage(teachers=self.teachers, shared=self.teacher == "shared")
