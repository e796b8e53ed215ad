"""What an attack found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final


@final
@dataclass(frozen=True, eq=False)
class Attacked:
    """What an attack made of each input.

    Arrays have a leading run axis where networks were attacked, each with inputs of its own: [run, sample]. They are
    tensors on the device of the inputs where these were one, else numpy arrays.

    Attributes:
        inputs: The changed inputs, [run, sample, ...], of the type given. Where the attack did not succeed it is the
            one that came nearest: of those within the budget the one with the largest margin of another class.
        success: Whether the answer at ``inputs`` is wrong (or, with a goal, is the goal), within the budget;
            [run, sample]. Also true where it was from the beginning.
        was_wrong: Whether that held before anything was changed; such inputs come back as they were, after no step.
        steps: How many steps were taken until it succeeded, or gave up.
        queries: How many times the network was asked about the sample; a gradient counts as one more.
        distance: How far ``inputs`` are from the inputs given, in the norm of the attack.
        logits: The answer at ``inputs``, [run, sample, class].
    """

    inputs: Any
    success: Any
    was_wrong: Any
    steps: Any
    queries: Any
    distance: Any
    logits: Any

    @property
    def changed(self) -> Any:
        """Whether the attack itself made the answer wrong: ``success`` without ``was_wrong``, [run, sample]."""
        return self.success & ~self.was_wrong

    def __repr__(self) -> str:
        *runs, samples = self.success.shape
        share = float(self.success.sum()) / (samples * (runs[0] if runs else 1))
        return f"Attacked({f'{runs[0]} runs, ' if runs else ''}{samples} samples, {share:.1%} wrong)"
