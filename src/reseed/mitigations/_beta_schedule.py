"""How a strength moves along a training, as a pure function of the step."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final

from reseed._errors import InputError
from reseed._numbers import is_whole

Course = Literal["constant", "linear", "cosine", "exponential", "step"]
COURSES: tuple[Course, ...] = ("constant", "linear", "cosine", "exponential", "step")
_GROWTH = 100.0


@final
@dataclass(frozen=True)
class BetaSchedule:
    """A strength that goes from a start to its end over some steps and stays there.

        beta(t) = start + (beta - start) f(u),   u = min(1, t / steps)

        linear:       f = u
        cosine:       f = (1 - cos(pi u)) / 2
        exponential:  f = (100^u - 1) / 99
        step:         f = 0 before u = 1, 1 from there on
        constant:     f = 1

    It has no state, so that a training that resumes goes on exactly. The paper asks for penalties that are weak early
    and strong near convergence but names no course; these are ours.

    Attributes:
        beta: The strength from step ``steps`` on.
        course: One of ``constant``, ``linear``, ``cosine``, ``exponential``, ``step``.
        steps: Steps until the strength is reached.
        start: The strength at step 0; not looked at by ``constant``.

    Raises:
        InputError: A value is out of range.

    References:
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017.

    Examples:
        >>> [BetaSchedule(1.0, "linear", steps=4)(step) for step in range(6)]
        [0.0, 0.25, 0.5, 0.75, 1.0, 1.0]
    """

    beta: float
    course: Course = "constant"
    steps: int = 1
    start: float = 0.0

    def __post_init__(self) -> None:
        for name, value in (("beta", self.beta), ("start", self.start)):
            if not 0 <= value < math.inf:
                raise InputError(f"{name} must be zero or more, got {value!r}.")
        if self.course not in COURSES:
            raise InputError(f"course must be one of {', '.join(COURSES)}; got {self.course!r}.")
        if not is_whole(self.steps) or self.steps < 1:
            raise InputError(f"steps must be 1 or more, got {self.steps!r}.")

    def __call__(self, step: int) -> float:
        """Return the strength at a step.

        Args:
            step: From 0.

        Raises:
            InputError: It is negative.
        """
        if step < 0:
            raise InputError(f"step must be zero or more, got {step!r}.")
        done = min(1.0, step / self.steps)
        if done == 1 or self.course == "constant":
            return self.beta
        shares: dict[str, float] = {
            "linear": done,
            "cosine": (1 - math.cos(math.pi * done)) / 2,
            "exponential": (_GROWTH**done - 1) / (_GROWTH - 1),
            "step": 0.0,
        }
        return self.start + (self.beta - self.start) * shares[self.course]
