"""Ensembles of networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from reseed.mitigations._checks import check_number
from reseed.mitigations._mitigation import AbstractMitigation, Peers


@final
@dataclass(frozen=True)
class PredictionEnsemble(AbstractMitigation):
    """An ensemble: several networks are trained, and their mean probabilities are used.

        p(x) = mean over members m of p_m(x)

    Use it when: inference may cost several times as much; nothing else keeps as many predictions in place.
    Cost: as many trainings, and as many networks at inference, as there are members.
    Beware: an ensemble of few members still changes where members disagree evenly.

    References:
        Lakshminarayanan, Pritzel and Blundell, "Simple and Scalable Predictive Uncertainty Estimation using Deep
        Ensembles", NeurIPS 2017.
    """

    name: ClassVar[str] = "prediction-ensemble"

    members: int = 5
    """Networks in the ensemble; one is the control."""

    def __post_init__(self) -> None:
        check_number(self, "members", self.members >= 1, "1 or more")

    @property
    def is_active(self) -> bool:
        """Whether there is more than one network."""
        return self.members > 1

    @property
    def peers(self) -> Peers:
        """The members, each with its own seeds."""
        return Peers(self.members, serve="mean")
