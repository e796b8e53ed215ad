"""One seed of initial weights for all retrainings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._seedless import AbstractSeedless


@final
@dataclass(frozen=True)
class FixedInit(AbstractSeedless):
    """Fixed initial weights: all retrainings begin at the weights that one seed draws.

        w_0' = share w(seed) + (1 - share) w_0,   for all freshly drawn weights that are trained

    A run's networks (prediction-ensemble, co-distillation) begin at seeds of their own, which are the same in all runs;
    teachers begin as the run does.

    Use it when: weights are averaged as well (`Ema`, `Swa`), which calm what the order of samples does: where training
    begins is then most of what is left. Also as the control of other methods that give all retrainings something in
    common, such as a teacher: what these gain beyond it is theirs.
    Cost: one training, one network at inference.
    Beware: by itself it does less than half of what it does with averaged weights and smoothed labels. Retrainings
    repeat one accident of initial weights, which need not be a good one, and its mistakes with it: that answers stay
    does not make them right. It holds as long as the network is the same: another width or class draws other weights.

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
    origin: ClassVar[str] = "fixed"

    seed: int = 0
    """The init word of all runs, a whole number in [0, 2^32)."""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_option(self, "seed", 0 <= self.seed < 1 << 32, "a whole number in [0, 2^32)")

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return where the initial weights come from, and their seed."""
        return {**super().settings(recipe), "model.init_seed": self.seed}
