"""Which methods go together."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

from reseed._errors import RecipeError
from reseed.mitigations._mitigation import AbstractMitigation


def check_composition(methods: Sequence[AbstractMitigation]) -> None:
    """Accept methods that make sense together.

    Raises:
        RecipeError: One is there twice, or two of them replace the labels, train several networks as one run, change
            initial weights before the first step, make a second pass, or see blended and unblended samples; the message
            names them.
    """
    for one, other in combinations(methods, 2):
        reasons = {
            "they are the same method": one.name == other.name,
            "both replace the labels": one.place == other.place == 0,
            "both train several networks as one run": one.peers is not None and other.peers is not None,
            "both change initial weights before the first step": one.prepares and other.prepares,
            "both make a second pass": one.passes > 1 and other.passes > 1,
            "one blends samples, the other's penalty is about unblended ones": (
                (one.blends and other.tells_samples_apart) or (other.blends and one.tells_samples_apart)
            ),
        }
        for reason, holds in reasons.items():
            if holds:
                raise RecipeError(f"mitigations {one.name} and {other.name} cannot be combined: {reason}.")
