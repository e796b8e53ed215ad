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

        w_0' = share w(seed) + (1 - share) w_0,   for all freshly drawn weights that are trained

    A run's networks (prediction-ensemble, co-distillation) begin at seeds of their own, which are the same in all runs;
    teachers begin as the run does.

    Use it when: weights are averaged as well (`Ema`, `Swa`), which calm what the order of samples does: where training
    begins is then most of what is left. Also as the control of other methods that give all retrainings something in
    common, such as a teacher: what these gain beyond it is theirs.
    Cost: one training, one network at inference.
    Beware: by itself it may change no more than chance does, as under frozen text encoders. Retrainings repeat one
    accident of initial weights, which need not be a good one, and its mistakes with it: that answers stay does not make
    them right. It holds as long as the network is the same: another width or class draws other weights.

    References:
        Summers and Dinneen, "Nondeterminism and Instability in Neural Network Optimization", ICML 2021 (initial weights
        as one source among several, each held fixed by itself).

    Examples:
        >>> from reseed.mitigations import parse_mitigations
        >>> from reseed.training import Recipe, mitigated
        >>> model = mitigated(Recipe(), parse_mitigations("fixed-init:seed=3+ema")).model
        >>> model.init, model.init_seed
        ('fixed', 3)
    """

    name: ClassVar[str] = "fixed-init"

    seed: int = 0
    """The init word of all runs, a whole number in [0, 2^32)."""
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
