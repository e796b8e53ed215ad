"""What all ensembles are."""

from __future__ import annotations

from dataclasses import dataclass

from reseed.mitigations._checks import check_networks
from reseed.mitigations._mitigation import AbstractMitigation, Peers


@dataclass(frozen=True)
class AbstractEnsemble(AbstractMitigation):
    """Networks whose mean probabilities are used."""

    members: int = 5
    """Networks in the ensemble; one is the control."""

    def __post_init__(self) -> None:
        check_networks(self, "members", 1)

    @property
    def is_active(self) -> bool:
        """Whether there is more than one network."""
        return self.members > 1

    @property
    def peers(self) -> Peers:
        """The members, each with its own seeds."""
        return Peers(self.members, serve="mean")
