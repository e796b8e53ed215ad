"""Methods whose students learn from teachers' probabilities."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from torch import Tensor

from reseed.mitigations._checks import check_number
from reseed.mitigations._mitigation import AbstractMitigation, Batch, Stage
from reseed.mitigations._tempered import tempered


@dataclass(frozen=True)
class AbstractTeaching(AbstractMitigation):
    """Soft targets made of teachers' tempered probabilities q(x), mixed with the label.

    (1 - hard_weight) q(x) + hard_weight q0
    """

    place: ClassVar[int] = 0

    exponent: float = 1.0
    """Power to which the teachers' probabilities are raised: below 1 flattens, above 1 sharpens."""
    hard_weight: float = 0.0
    """Weight of the label itself; 1 turns the method off."""

    def __post_init__(self) -> None:
        check_number(self, "exponent", self.exponent > 0, "a positive number")
        check_number(self, "hard_weight", 0 <= self.hard_weight <= 1, "a share in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether teachers have any weight."""
        return self.hard_weight < 1

    def learn(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return tempered probabilities [run, sample, class]."""
        return tempered(output, exponent=self.exponent)

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return the mixture, [run, sample, class]."""
        if self.hard_weight == 0:
            return batch.taught
        return (1 - self.hard_weight) * batch.taught + self.hard_weight * batch.soft(targets)


@final
@dataclass(frozen=True)
class Tgtss(AbstractTeaching):
    """Temporal guided temperature-scaled smoothing: a student of its teacher's averaged training.

        p(x) = mean over steps t > t0 of p_t(x),   q(x) = p(x)^T / sum_c p(x)[c]^T

    A teacher trains on hard labels; after every step beyond the transient it predicts the training set, and the mean
    of these probabilities, raised to a power, are the targets of a student with the same recipe and other seeds.
    Only the student is used.

    Use it when: two trainings are affordable and inference must cost one network.
    Cost: two trainings and the teacher's predictions of the training set; one network at inference.
    Beware: an exponent below 1 harms students that have not converged: keep it near 1 for short trainings.

    References:
        Datta et al., "Measuring and Mitigating Local Instability in Deep Neural Networks", Findings of ACL 2023.
    """

    name: ClassVar[str] = "tgtss"

    transient: float = 0.6
    """Share of the teacher's steps before predictions count."""
    every: int = 10
    """Steps between predictions; 1 predicts the training set after every step."""
    source: Literal["full", "in_batch"] = "full"
    """full: predict the whole training set, in evaluation mode; in_batch: keep training's own predictions, for free."""
    teacher: Literal["per_run", "shared"] = "per_run"
    """Whether each run has a teacher of its own, or all runs of a study share one."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_number(self, "transient", 0 <= self.transient < 1, "a share in [0, 1)")
        check_number(self, "every", self.every >= 1, "1 or more")
        check_number(self, "source", self.source in ("full", "in_batch"), "full or in_batch")
        check_number(self, "teacher", self.teacher in ("per_run", "shared"), "per_run or shared")

    @property
    def stage(self) -> Stage:
        """One teacher, averaged over time; its weights are not averaged, whatever the student's are."""
        return Stage(
            shared=self.teacher == "shared",
            transient=self.transient,
            every=self.every,
            source=self.source,
            settings=(("average.name", "none"),),
        )


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
        check_number(self, "teachers", self.teachers >= 2, "2 or more")
        check_number(self, "teacher", self.teacher in ("per_run", "shared"), "per_run or shared")

    @property
    def stage(self) -> Stage:
        """The teachers, at the end of their trainings."""
        return Stage(teachers=self.teachers, shared=self.teacher == "shared")
