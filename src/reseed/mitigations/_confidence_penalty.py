"""The confidence penalty as a method of a recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Literal, final

from reseed.mitigations._beta_schedule import COURSES, BetaSchedule
from reseed.mitigations._checks import check_option
from reseed.mitigations._confidence_penalty_loss import entropy_penalty
from reseed.mitigations._mitigation import AbstractMitigation, Batch, Penalty


@final
@dataclass(frozen=True)
class ConfidencePenalty(AbstractMitigation):
    """The confidence penalty: predictions of low entropy cost something.

        L = CE - beta H(p)                        without a threshold
        L = CE + beta max(0, threshold - H(p))    with one: only confident predictions pay

    Use it when: probabilities were found to be over-confident; look at the calibration before and after.
    Cost: one training, one network at inference.
    Beware: it caps the logit gap that training can reach. Where classes overlap, differences between seeds then weigh
    more, and more answers change; on other data fewer do. The same beta is mild for two classes and drastic for a
    thousand, see ``normalize``.

    References:
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017 (which prints the threshold's term with the other sign, against its own text).
    """

    name: ClassVar[str] = "confidence-penalty"

    beta: float = 0.1
    """Strength, zero or more; not free of scale in the number of classes."""
    threshold: float | None = None
    """Entropy in (0, log K] below which a prediction pays, in nats; None: every prediction does."""
    normalize: bool = False
    """Measure entropy, and the threshold, as shares of log K."""
    course: Literal["constant", "linear", "cosine", "exponential", "step"] = "constant"
    """How the strength gets to beta: constant, linear, cosine, exponential or step, see `BetaSchedule`."""
    warmup: float = 0.5
    """Share of the steps over which it gets there, in (0, 1]; constant looks at neither this nor ``start``."""
    start: float = 0.0
    """Strength at the first step."""

    def __post_init__(self) -> None:
        check_option(self, "beta", 0 <= self.beta < math.inf, "zero or more")
        check_option(self, "start", 0 <= self.start < math.inf, "zero or more")
        if self.threshold is not None:
            most = 1 if self.normalize else math.inf
            expected = "in (0, 1] where entropy is normalised" if self.normalize else "in (0, log K]"
            check_option(self, "threshold", 0 < self.threshold <= most and self.threshold < math.inf, expected)
        check_option(self, "course", self.course in COURSES, f"one of {', '.join(COURSES)}")
        check_option(self, "warmup", 0 < self.warmup <= 1, "a share in (0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether the penalty ever has any weight."""
        return self.beta > 0 or (self.start > 0 and self.course != "constant")

    def check_classes(self, num_classes: int) -> None:
        """Refuse a threshold that is more than any prediction's entropy."""
        if self.threshold is not None and not self.normalize:
            most = math.log(num_classes)
            is_valid = self.threshold <= most * (1 + 1e-6)
            check_option(self, "threshold", is_valid, f"at most log K = {most:.4g} for {num_classes} classes")

    def penalty(self, batch: Batch) -> Penalty:
        """Return what entropy costs at the batch's step."""
        schedule = BetaSchedule(self.beta, self.course, max(1, round(self.warmup * batch.total)), self.start)
        beta = schedule(batch.step)
        return partial(entropy_penalty, beta=beta, threshold=self.threshold, normalize=self.normalize)
