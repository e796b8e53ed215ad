"""What to use, in one paragraph: the best method for each budget, or none."""

from __future__ import annotations

import math
from collections.abc import Sequence

from reseed.instability.comparison._calibration_price import calibration_price
from reseed.instability.comparison._compared_method import ComparedMethod
from reseed.statistics import Estimate

_SLACK = 1.1  # a budget of twice the training lets 2.2 times pass
_BUDGETS = (
    (1.0, "the control's training cost"),
    (2.0, "twice the training cost"),
    (math.inf, "any training cost"),
)


def recommendation(methods: Sequence[ComparedMethod], null: ComparedMethod | None) -> str:
    """Returns the best method for each budget, whether its effect is chance, and what it does to accuracy.

    A method counts only if it lowers label entropy distinguishably from the control and from the null, if there is one,
    and does not lose accuracy significantly. Budgets of training are those of 1, 2 and any number of control trainings,
    give or take 10 %, with one network at inference; then any number of networks.
    """
    useful = _useful(methods)
    parts = []
    if not useful:
        beyond = "more than a second control does" if null is not None else "an amount whose interval excludes 0"
        parts.append(f"None: no method lowers label entropy by {beyond} without a significant loss of accuracy.")
    known = [row for row in useful if not _is_unknown(row)]
    unknown = _best([row for row in useful if _is_unknown(row)])
    if known:
        parts += _by_budget(known)
    if unknown is not None:
        parts.append(f"Of those whose cost is not known: {_told(unknown)}")
    parts += _passed_over(methods, useful)
    if null is None and methods:
        parts.append("Without a second control this rests on the intervals alone.")
    return " ".join(parts)


def recommended(methods: Sequence[ComparedMethod]) -> ComparedMethod | None:
    """Returns the best method of the smallest budget in which one helps; None where none helps."""
    useful = _useful(methods)
    alone = [row for row in useful if row.cost.inference <= 1]
    for most, _ in _BUDGETS:
        if (found := _best([row for row in alone if row.cost.training <= _SLACK * most])) is not None:
            return found
    return _best([row for row in useful if not _is_unknown(row)]) or _best(useful)


def _useful(methods: Sequence[ComparedMethod]) -> list[ComparedMethod]:
    return [row for row in methods if row.effect.lowers_entropy and not row.effect.loses_accuracy]


def _by_budget(useful: list[ComparedMethod]) -> list[str]:
    parts: list[str] = []
    chosen = None
    alone = [row for row in useful if row.cost.inference <= 1]
    if not alone:
        parts.append("With one network at inference: none, at any training cost.")
    for most, words in _BUDGETS if alone else ():
        found = _best([row for row in alone if row.cost.training <= _SLACK * most])
        opening = f"At {words} and one network at inference"
        if found is None:
            parts.append(f"{opening}: none.")
        elif found is chosen:
            parts.append(f"{opening}: still {found.name}.")
        else:
            parts.append(f"{opening}: {_told(found)}")
        chosen = found or chosen
    found = _best(useful)
    if found is not None and found is not chosen and found.cost.inference > 1:
        parts.append(f"If {found.cost.inference:.0f} networks may answer: {_told(found)}")
    return parts


def _passed_over(methods: Sequence[ComparedMethod], useful: list[ComparedMethod]) -> list[str]:
    """Returns what is said of methods that help and lose accuracy, and of those that harm."""
    parts = []
    loses = [
        f"{row.name} ({_accuracy(row)} points)"
        for row in methods
        if row.effect.lowers_entropy and row.effect.loses_accuracy
    ]
    if loses:
        parts.append(f"Left out for a significant loss of accuracy: {_listed(loses)}.")
    if harms := [row.name for row in methods if row.effect.raises_entropy]:
        parts.append(f"Distinguishably less stable than the control: {_listed(harms)}.")
    return parts


def _is_unknown(row: ComparedMethod) -> bool:
    return math.isnan(row.cost.training) or math.isnan(row.cost.inference)


def _best(rows: list[ComparedMethod]) -> ComparedMethod | None:
    """Returns the row of the largest reduction, the cheapest of equals."""
    return max(
        rows,
        key=lambda row: (row.effect.reduction.value, -row.cost.training) if row.effect.reduction else (-math.inf, 0.0),
        default=None,
    )


def _told(row: ComparedMethod) -> str:
    effect = row.effect
    assert effect.reduction is not None  # noqa: S101  # a row that helps has one
    cost = "" if math.isnan(row.cost.training) else f" ({row.cost.training:.1f}x training)"
    parts = [f"{row.name}{cost} lowers label entropy by {_interval(effect.reduction, 1)} %"]
    if effect.beyond_null is not None:
        parts.append(
            f"{_interval(effect.beyond_null, 1)} points more than a second control, distinguishable from chance"
        )
    found = effect.accuracy_difference
    if found is not None:
        verdict = "no significant loss" if found.low <= 0 else "a significant gain"
        parts.append(f"accuracy changes by {_accuracy(row)} points, {verdict}")
    if price := calibration_price(effect):
        parts.append(price)
    return "; ".join(parts) + "."


def _accuracy(row: ComparedMethod) -> str:
    found = row.effect.accuracy_difference
    return "?" if found is None else _interval(found, 2, factor=100)


def _interval(found: Estimate, digits: int, *, factor: float = 1) -> str:
    value, low, high = (f"{factor * number:.{digits}f}" for number in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)
