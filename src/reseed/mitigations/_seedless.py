"""What all methods are that take initial weights out of the seed's hands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation


@dataclass(frozen=True)
class AbstractSeedless(AbstractMitigation):
    """Initial weights that no seed of a run decides, or a share of them."""

    origin: ClassVar[str]
    """Where they come from: a value of the recipe's ``model.init``."""

    share: float = field(default=1.0, kw_only=True)
    """Of the initial weights; the rest is drawn. 0 is the control."""

    def __post_init__(self) -> None:
        check_option(self, "share", 0 <= self.share <= 1, "a number in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether initial weights are others."""
        return self.share > 0

    def settings(self, recipe: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return where the initial weights come from."""
        return {"model.init": self.origin, "model.init_share": self.share}
