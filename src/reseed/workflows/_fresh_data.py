"""Retraining with the same data and with fresh data: what differs between the runs of two designs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from reseed._arguments import argument, setting
from reseed._errors import InputError, StudyError
from reseed.studies import Header, read_header
from reseed.training import SeedPlan, check_vary

FRESH = "fresh-data"
"""The folder, below a comparison's, of the studies whose runs train on other data each."""


def plans_for(vary: Iterable[str], fresh_data: float | None) -> tuple[SeedPlan, SeedPlan | None]:
    """Return the plan of studies with the same data, and that of those with fresh data; None where there are none.

    Args:
        vary: The streams that differ between runs; ``data`` among others stands for a bootstrap as fresh data.
        fresh_data: The share of the training set that each run gets as fresh data; default: none.

    Raises:
        InputError: The share is none, or ``data`` varies besides.
        RecipeError: A stream is unknown, or there is none.
    """
    streams = check_vary(vary)
    if fresh_data is None:
        seeds = streams - {"data"}
        both = "data" in streams and bool(seeds)
        return SeedPlan(vary=seeds if both else streams), SeedPlan(vary=streams) if both else None
    if "data" in streams:
        raise InputError(
            f"{setting('fresh_data', fresh_data)} and data in {argument('vary')} each say how the training data "
            "changes, by random shares or by a bootstrap; leave one of them out."
        )
    if not 0 < fresh_data < 1:
        raise InputError(
            f"{argument('fresh_data')} must be the share of the training data that each run trains on, in (0, 1), got "
            f"{fresh_data!r}; pass 0.9."
        )
    return SeedPlan(vary=streams), SeedPlan(vary=streams, share=float(fresh_data))


def check_fresh_data(root: Path, plan: SeedPlan | None) -> None:
    """Accept to continue a design's studies under fresh data with the data that they began with.

    Args:
        root: Where they are, or will be.
        plan: What is asked for; None: nothing, and what is there stays.

    Raises:
        StudyError: They train on other shares, or on a bootstrap.
    """
    found = next((read_header(file.parent) for file in sorted(root.glob("*/study.json"))), None)
    if plan is None or found is None:
        return
    there, now = _told(found.plan), _told(plan)
    if there != now:
        raise StudyError(
            f"the studies in {str(root)!r} have {there}, now it would be {now}; go on with what they began with, or "
            f"choose another {argument('out')}."
        )


def is_continued(header: Header, plan: SeedPlan) -> bool:
    """Tell whether a study has a plan, whatever version of draws it began with."""
    return header.plan == replace(plan, draws=header.draws)


def _told(plan: SeedPlan) -> str:
    if plan.share is not None:
        return setting("fresh_data", plan.share)
    return f"data in {argument('vary')}" if plan.bootstrap else f"no data in {argument('vary')}"
