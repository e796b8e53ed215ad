"""What a suite of attacks found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final
from warnings import warn

import numpy as np
from numpy.typing import NDArray

from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm
from reseed.perturbations.attacks.suite._masking import Masking


@final
@dataclass(frozen=True, eq=False)
class SuiteStage:
    """One attack of a suite.

    Attributes:
        name: What it is called.
        needs_gradients: Whether it is a white-box attack.
        is_iterative: Whether it takes many steps along gradients; of foreign attacks that is not known.
        tried: On how many samples, [run].
        fooled: How many of them it fooled, [run].
        accuracy: The share of all samples that neither it nor an attack before it fooled, [run].
        queries: How often a network was asked about a sample, of all samples and runs together.
        seconds: How long it took.
    """

    name: str
    needs_gradients: bool
    is_iterative: bool
    tried: Any
    fooled: Any
    accuracy: Any
    queries: int
    seconds: float


@final
@dataclass(frozen=True, eq=False)
class SuiteResult:
    """What a suite found. Arrays have a leading run axis where networks were attacked, else none.

    Attributes:
        stages: The attacks in their order.
        worst: Each sample after the first attack that fooled it, else after the one that came nearest. ``steps`` and
            ``queries`` are those of that attack alone.
        first: The number of the attack that fooled it first, -1 where none did or where the answer was wrong before;
            [run, sample].
        tried: Which attack was tried on which sample, [attack, run, sample].
        success: Which attack fooled which sample, of those that it was tried on, [attack, run, sample].
        clean_accuracy: The share of right answers before, [run].
        accuracy: The share that is right whatever attack is chosen for each sample: the worst case, [run].
        masking: Signs that gradients mislead, so that the true accuracy may be lower.
        epsilon: The budget, of those that differ by feature the largest.
        norm: Its norm.
        is_cascade: Whether samples that were fooled were left out of later attacks.
    """

    stages: tuple[SuiteStage, ...]
    worst: Attacked
    first: NDArray[np.int64]
    tried: NDArray[np.bool_]
    success: NDArray[np.bool_]
    clean_accuracy: Any
    accuracy: Any
    masking: Masking
    epsilon: float
    norm: Norm
    is_cascade: bool

    def accuracy_of(self, name: str) -> Any:
        """Return the accuracy under one attack alone, [run].

        NaN, with a warning, where it was not tried on all samples that were right.

        Raises:
            KeyError: There is no such attack.
        """
        names = [stage.name for stage in self.stages]
        if name not in names:
            raise KeyError(f"there is no attack {name!r} in the suite; there are {', '.join(names)}.")
        return self._accuracy([names.index(name)], f"attack {name!r}")

    @property
    def white_box_accuracy(self) -> Any:
        """The accuracy under the worst of the attacks that use gradients (AAW), [run].

        NaN, with a warning, where there is none, or a cascade left out samples that others had fooled.
        """
        return self._accuracy([n for n, stage in enumerate(self.stages) if stage.needs_gradients], "white-box attacks")

    @property
    def black_box_accuracy(self) -> Any:
        """The accuracy under the worst of the attacks that use no gradients (AAB), [run]; see `white_box_accuracy`."""
        chosen = [number for number, stage in enumerate(self.stages) if not stage.needs_gradients]
        return self._accuracy(chosen, "attacks without gradients")

    def _accuracy(self, chosen: list[int], who: str) -> Any:
        was_right = ~_numpy(self.worst.was_wrong)
        is_fooled = self.success[chosen].any(0)
        is_known = is_fooled | self.tried[chosen].all(0) if chosen else np.zeros_like(was_right)
        if not bool((is_known | ~was_right).all()):
            why = (
                "were left out of a cascade for some samples; pass cascade=False" if chosen else "are not in the suite"
            )
            warn(f"the accuracy under {who} is not known, since they {why}.", RuntimeWarning, stacklevel=3)
            return np.full(was_right.shape[:-1], np.nan)[()]
        return (was_right & ~is_fooled).mean(-1)

    def __repr__(self) -> str:
        rows = [f"clean {np.mean(self.clean_accuracy):.1%}"]
        rows += [f"{stage.name} {np.mean(stage.accuracy):.1%}" for stage in self.stages]
        flags = f"; {', '.join(self.masking.names)}" if self.masking else ""
        return f"SuiteResult({self.norm!r}, epsilon {self.epsilon:g}: {', '.join(rows)}{flags})"


def _numpy(values: Any) -> NDArray[Any]:
    return np.asarray(values.cpu() if hasattr(values, "cpu") else values)
