"""One seed of initial weights for all retrainings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@final
@dataclass(frozen=True)
class FixedInit(AbstractMitigation):
    """Fixed initial weights: all retrainings begin at the weights that one seed draws.

        w_0' = share w(seed) + (1 - share) w_0,   for all freshly drawn weights

    Use it when: you compare other methods that all retrainings share something in, such as a teacher: it costs nothing,
    and what they gain beyond it is theirs.
    Cost: one training, one network at inference.
    Beware: retrainings repeat one accident of initial weights, which need not be a good one; order and data still
    change answers. It holds for one architecture only: another width draws other weights.
    """

    name: ClassVar[str] = "fixed-init"

    seed: int = 0
    """The init word of all runs."""
    share: float = 1.0
    """Of the initial weights; the rest is drawn. 0 is the control."""

    def __post_init__(self) -> None:
        check_option(self, "share", 0 <= self.share <= 1, "a number in [0, 1]")
        check_option(self, "seed", 0 <= self.seed < 1 << 32, "a whole number in [0, 2^32)")

    @property
    def is_active(self) -> bool:
        """Whether initial weights are others."""
        return self.share > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return where the initial weights come from."""
        return {"model.init": "fixed", "model.init_share": self.share, "model.init_seed": self.seed}
