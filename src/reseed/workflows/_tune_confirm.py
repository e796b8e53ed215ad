"""The confirmation of a search: the winner beside two controls, on unseen samples with other seeds."""

from __future__ import annotations

from collections.abc import Mapping

from reseed.instability import Comparison, MethodEffect, compare_studies
from reseed.studies import Study

CONTROL, NULL = "control", "second control"
FRESH_DATA = ", fresh data"
"""How the names of studies under fresh data end."""


def confirmation(studies: Mapping[str, Study], winner: str, margin: float) -> Comparison | None:
    """Return the winner beside the controls, under fresh data too where it was trained so; None where it diverged.

    Args:
        studies: The controls and the winner; those under fresh data by the same names and `FRESH_DATA`.
        winner: Its name.
        margin: How many percentage points of accuracy it may lose.
    """
    if len(studies[winner].manifests) < 2:
        return None
    fresh, fresh_null = None, studies.get(f"{NULL}{FRESH_DATA}")
    if fresh_null is not None:
        beside = {name: studies[f"{name}{FRESH_DATA}"] for name in (CONTROL, winner)}
        fresh = {name: study for name, study in beside.items() if name == CONTROL or len(study.manifests) > 1}
    return compare_studies(
        {CONTROL: studies[CONTROL], winner: studies[winner]},
        null=studies[NULL],
        margin=margin,
        fresh=fresh,
        fresh_null=fresh_null,
    )


def why_not(found: Comparison) -> str:
    """Return why a winner is not recommended after all, in words that follow its name."""
    row = found.methods[0]
    if found.fresh is None:
        return f"but {_reason(row.effect, found.runs, found.margin)} on the evaluation split."
    beside = found.under_fresh_data(row.name)
    if beside is None:
        return "but diverged under fresh data."
    reasons = {
        "": _reason(row.effect, found.runs, found.margin),
        " under fresh data": _reason(beside.effect, found.fresh.runs, found.margin),
    }
    said = " and ".join(f"{reason}{where}" for where, reason in reasons.items() if reason)
    return f"but {said} on the evaluation split."


def _reason(effect: MethodEffect, runs: int, margin: float) -> str:
    """Return what speaks against a method; empty where nothing does."""
    if effect.loses_accuracy and effect.keeps_accuracy(margin) is False:
        return "loses accuracy"
    if effect.beyond_null is None or not effect.beyond_null.value > 0:
        return "is no more stable than a second control"
    if not effect.lowers_entropy:
        return f"has an effect that {runs} runs cannot tell from chance (a larger budget goes on)"
    if effect.keeps_accuracy(margin) is False:
        return f"may lose more than {margin:g} points of accuracy (a larger budget tells)"
    return ""
