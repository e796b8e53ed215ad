"""One row of a comparison."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from reseed.instability.comparison._method_cost import MethodCost
from reseed.instability.comparison._method_effect import MethodEffect
from reseed.studies import Study

NULL = "second control"
Role = Literal["control", "null", "method"]


@dataclass(frozen=True, eq=False)
class ComparedMethod:
    """One row of a comparison.

    Attributes:
        name: what it is called.
        role: "control", "null" (a second control, with other seeds) or "method".
        study: its runs.
        effect: what it does, with intervals.
        cost: what it costs, relative to the control.
        on_front: whether no other method (the control counts as one) does as much at no higher cost in training and at
            inference; None for the null and where a cost is not known.
        samples: how many samples it "settles", "eases", "worsens" and "unsettles"; see `Comparison.samples`.
    """

    name: str
    role: Role
    study: Study
    effect: MethodEffect
    cost: MethodCost
    on_front: bool | None
    samples: Mapping[str, int]

    @property
    def temperature(self) -> float | None:
        """What the study's logits are divided by in temperature scaling; None where none was fitted."""
        return next((manifest.temperature for manifest in self.study.manifests), None)
