"""Signs that gradients mislead attacks, so that a network looks more robust than it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final, get_args

import numpy as np
from numpy.typing import NDArray

Sign = Literal[
    "answers_differ",
    "probabilities",
    "zero_gradients",
    "saturated_loss",
    "one_step_beats_many",
    "blind_beats_gradients",
    "huge_budget_survived",
]
SIGNS: tuple[Sign, ...] = get_args(Sign)

# From which share on a sign is raised. A few samples show some of them in ordinary networks too.
_LIMITS: dict[Sign, float] = {
    "answers_differ": 0.0,
    "probabilities": 0.5,
    "zero_gradients": 0.05,
    "saturated_loss": 0.05,
    "one_step_beats_many": 0.1,
    "blind_beats_gradients": 0.02,
    "huge_budget_survived": 0.1,
}
_SENTENCES: dict[Sign, str] = {
    "answers_differ": "the model answers {share} of the samples differently when it is asked twice; gradients of one "
    "answer say little about the next, and a sample may count as fooled by chance",
    "probabilities": "the model returns probabilities, whose gradients vanish where it is sure; return logits",
    "zero_gradients": "the gradient of the margin is exactly zero for {share} of the samples, so that attacks along "
    "it do not move",
    "saturated_loss": "the cross-entropy has no gradient left for {share} of the samples, since their probabilities "
    "are exactly 0 and 1 in the model's precision; use the losses 'margin' or 'dlr', or divide the logits",
    "one_step_beats_many": "one step along the gradient fools samples of which many steps miss {share}",
    "blind_beats_gradients": "attacks without gradients fool {share} of the samples, which all those with gradients "
    "had missed",
    "huge_budget_survived": "{share} of the samples are still answered rightly where the budget is so large that every "
    "input is allowed",
}


@final
@dataclass(frozen=True, eq=False)
class MaskingFlag:
    """One sign of masked gradients.

    Attributes:
        name: Which sign.
        share: Of the samples that were looked at, those that show it, [run].
        looked_at: How many those were, [run].
        is_raised: In which runs the share is too large to be chance, [run].
    """

    name: Sign
    share: NDArray[np.float64]
    looked_at: NDArray[np.int64]
    is_raised: NDArray[np.bool_]

    def __str__(self) -> str:
        share = float(np.nanmax(self.share[self.is_raised])) if self.is_raised.any() else 0.0
        runs = np.flatnonzero(self.is_raised)
        where = f" (run {', '.join(map(str, runs[:5]))}{' and others' if len(runs) > 5 else ''})"
        return _SENTENCES[self.name].format(share=f"{share:.0%}") + (where if len(self.share) > 1 else "")


@final
@dataclass(frozen=True, eq=False)
class Masking:
    """What was looked for, and what was found of it; true where a sign was raised in any run.

    Attributes:
        looked: Every sign that was looked for, with its share of the samples.
    """

    looked: tuple[MaskingFlag, ...]

    @property
    def flags(self) -> tuple[MaskingFlag, ...]:
        """The signs that were found."""
        return tuple(flag for flag in self.looked if flag.is_raised.any())

    @property
    def names(self) -> tuple[str, ...]:
        """What the signs that were found are called."""
        return tuple(flag.name for flag in self.flags)

    def __bool__(self) -> bool:
        return bool(self.flags)

    def __str__(self) -> str:
        if not self:
            return f"No sign of masked gradients among {len(self.looked)}."
        return "Gradients may be masked, and the true accuracy lower: " + "; ".join(map(str, self.flags)) + "."


def flag_of(name: Sign, shown: NDArray[np.bool_], runs: NDArray[np.int64], count: int) -> MaskingFlag:
    """Return a sign from the items that were looked at.

    One sample alone raises nothing, unless it is the only one or the sign has no limit.

    Args:
        name: Which sign.
        shown: Which items show it, [item].
        runs: Whose they are, [item].
        count: The number of runs.
    """
    looked_at = np.bincount(runs, minlength=count)
    showing = np.bincount(runs[shown], minlength=count)
    share = np.divide(showing, looked_at, out=np.full(count, np.nan), where=looked_at > 0)
    limit = _LIMITS[name]
    enough = showing >= (np.minimum(2, looked_at) if limit else 1)
    is_raised = (looked_at > 0) & (showing > 0) & (share > limit) & enough
    return MaskingFlag(name, share, looked_at, is_raised)
