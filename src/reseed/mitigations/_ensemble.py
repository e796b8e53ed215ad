"""What all ensembles are."""

from __future__ import annotations

from dataclasses import dataclass

from reseed._numbers import is_whole
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation, Peers


@dataclass(frozen=True)
class AbstractEnsemble(AbstractMitigation):
    """Networks whose mean probabilities are used."""

    members: int = 5
    """Networks in the ensemble; one is the control."""

    def __post_init__(self) -> None:
        check_option(self, "members", is_whole(self.members) and self.members >= 1, "1 or more")

    @property
    def is_active(self) -> bool:
        """Whether there is more than one network."""
        return self.members > 1

    @property
    def peers(self) -> Peers:
        """The members, each with its own seeds."""
        return Peers(self.members, serve="mean")
