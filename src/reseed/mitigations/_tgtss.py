"""Temporal guided temperature-scaled smoothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

from reseed._numbers import is_whole
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import Stage
from reseed.mitigations._teaching import AbstractTeaching


@final
@dataclass(frozen=True)
class Tgtss(AbstractTeaching):
    """Temporal guided temperature-scaled smoothing: a student of its teacher's averaged training.

        p(x) = mean over steps t > t0 of p_t(x),   q(x) = p(x)^T / sum_c p(x)[c]^T

    A teacher trains on hard labels; after every step beyond the transient it predicts the training set, and the mean
    of these probabilities, raised to a power, are the targets of a student with the same recipe and other seeds.
    Only the student is used.

    The transient t0 is given, or found where a validation loss becomes flat: before the study's runs, one pilot trains
    by the same recipe on 90 % of the training set, its loss on the other 10 % is taken fifty times, and
    `auto_transient` says from which share of the steps on nothing improves by more than 1 % within five takes. All
    teachers of a study use that share.

    Use it when: two trainings are affordable and inference must cost one network.
    Cost: two trainings and the teacher's predictions of the training set; one network at inference. A transient that
    is found costs each study another training.
    Beware: on CLINC150 (150 intents) every student lost accuracy, 0.2 to 0.6 points, up to 1.4 where the rate decays,
    whatever teacher, exponent and source; on fewer classes only one with smaller initial weights or a decaying rate
    did. An exponent below 1 harms students that have not converged: keep it near 1 for short trainings.

    References:
        Datta et al., "Measuring and Mitigating Local Instability in Deep Neural Networks", Findings of ACL 2023.
    """

    name: ClassVar[str] = "tgtss"

    transient: float = 0.6
    """Share of the teacher's steps before predictions count."""
    every: int = 10
    """Steps between predictions; 1 predicts the training set after every step. The source in_batch takes every step."""
    source: Literal["full", "in_batch"] = "full"
    """full: predict the whole training set, in evaluation mode; in_batch: keep training's own predictions, for free."""
    teacher: Literal["per_run", "shared"] = "per_run"
    """Whether each run has a teacher of its own, or all runs of a study share one."""

    find_transient: bool = False
    """Whether a pilot training finds the transient; the one that is given does not matter then."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_option(self, "transient", 0 <= self.transient < 1, "a share in [0, 1)")
        check_option(self, "every", is_whole(self.every) and self.every >= 1, "1 or more")
        check_option(self, "source", self.source in ("full", "in_batch"), "full or in_batch")
        check_option(self, "teacher", self.teacher in ("per_run", "shared"), "per_run or shared")

    @property
    def stage(self) -> Stage:
        """One teacher, averaged over time; its weights are not averaged, whatever the student's are."""
        return Stage(
            shared=self.teacher == "shared",
            transient=self.transient,
            every=self.every,
            source=self.source,
            find_transient=self.find_transient,
            settings=(("average.name", "none"),),
        )
