"""What to use, in one paragraph: the best method for each budget, or none."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

from reseed._choices import MARGIN
from reseed.instability.comparison._calibration_price import calibration_price
from reseed.instability.comparison._compared_method import ComparedMethod
from reseed.instability.comparison._method_effect import MethodEffect
from reseed.statistics import Estimate

_SLACK = 1.1  # a budget of twice the training lets 2.2 times pass
_BUDGETS = (
    (1.0, "the control's training cost"),
    (2.0, "twice the training cost"),
    (math.inf, "any training cost"),
)
_SEEDS, _FRESH = "", " under fresh data"
Fresh = Mapping[str, ComparedMethod] | None
"""The same methods, trained on other data in each run, by name; None where that was not tried."""


def recommendation(
    methods: Sequence[ComparedMethod], null: ComparedMethod | None, margin: float = MARGIN, fresh: Fresh = None
) -> str:
    """Returns the best method for each budget, whether its effect is chance, and what it does to accuracy.

    A method counts only if it lowers label entropy distinguishably from the control and from the null, if there is one,
    and the interval of its accuracy excludes a loss beyond the margin; under fresh data too, where that was tried.
    Budgets of training are those of 1, 2 and any number of control trainings, give or take 10 %, with one network at
    inference; then any number of networks.
    """
    useful = _useful(methods, margin, fresh)
    parts = []
    if not useful:
        beyond = "more than a second control does" if null is not None else "an amount whose interval excludes 0"
        both = "" if fresh is None else ", both with other seeds and under fresh data"
        parts.append(f"None: no method lowers label entropy by {beyond} while accuracy {_within(margin)}{both}.")
    known = [row for row in useful if not _is_unknown(row)]
    unknown = _best([row for row in useful if _is_unknown(row)], fresh)
    if known:
        parts += _by_budget(known, margin, fresh)
    if unknown is not None:
        parts.append(f"Of those whose cost is not known: {_told(unknown, margin, fresh)}")
    parts += _passed_over(methods, margin, fresh)
    if null is None and methods:
        parts.append("Without a second control this rests on the intervals alone.")
    return " ".join(parts)


def recommended(
    methods: Sequence[ComparedMethod], margin: float = MARGIN, fresh: Fresh = None
) -> ComparedMethod | None:
    """Returns the best method of the smallest budget in which one helps; None where none helps."""
    useful = _useful(methods, margin, fresh)
    alone = [row for row in useful if row.cost.inference <= 1]
    for most, _ in _BUDGETS:
        if (found := _best([row for row in alone if row.cost.training <= _SLACK * most], fresh)) is not None:
            return found
    return _best([row for row in useful if not _is_unknown(row)], fresh) or _best(useful, fresh)


def _useful(methods: Sequence[ComparedMethod], margin: float, fresh: Fresh) -> list[ComparedMethod]:
    return [
        row
        for row in methods
        if (fresh is None or row.name in fresh)
        and all(effect.lowers_entropy and not _fails(effect, margin) for _, effect in _effects(row, fresh))
    ]


def _effects(row: ComparedMethod, fresh: Fresh) -> Iterator[tuple[str, MethodEffect]]:
    """Yields what a method does with other seeds and, if it was trained so, under fresh data."""
    yield _SEEDS, row.effect
    if fresh is not None and row.name in fresh:
        yield _FRESH, fresh[row.name].effect


def _fails(effect: MethodEffect, margin: float) -> bool:
    """Whether a loss of accuracy beyond the margin is not excluded; where accuracy is not known, nothing speaks."""
    return effect.keeps_accuracy(margin) is False


def _by_budget(useful: list[ComparedMethod], margin: float, fresh: Fresh) -> list[str]:
    parts: list[str] = []
    chosen = None
    alone = [row for row in useful if row.cost.inference <= 1]
    if not alone:
        parts.append("With one network at inference: none, at any training cost.")
    for most, words in _BUDGETS if alone else ():
        found = _best([row for row in alone if row.cost.training <= _SLACK * most], fresh)
        opening = f"At {words} and one network at inference"
        if found is None:
            parts.append(f"{opening}: none.")
        elif found is chosen:
            parts.append(f"{opening}: still {found.name}.")
        else:
            parts.append(f"{opening}: {_told(found, margin, fresh)}")
        chosen = found or chosen
    found = _best(useful, fresh)
    if found is not None and found is not chosen and found.cost.inference > 1:
        parts.append(f"If {found.cost.inference:.0f} networks may answer: {_told(found, margin, fresh)}")
    return parts


def _passed_over(methods: Sequence[ComparedMethod], margin: float, fresh: Fresh) -> Iterator[str]:
    """Yields what is said of methods that help and may lose accuracy, help in one way only, or harm."""
    loses: list[str] = []
    unsure: list[str] = []
    named: set[str] = set()
    for row in methods:
        for where, effect in _effects(row, fresh):
            if effect.lowers_entropy and _fails(effect, margin):
                said = f"{row.name}{where} ({_accuracy(effect)} points)"
                (loses if effect.loses_accuracy else unsure).append(said)
                named.add(row.name)
    if loses:
        yield f"Left out for a significant loss of accuracy: {', '.join(loses)}."
    if unsure:
        yield (
            f"Left out because a loss of more than {margin:g} points of accuracy is not excluded, of which more runs "
            f"may tell: {', '.join(unsure)}."
        )
    if fresh is not None:
        yield from _in_one_way([row for row in methods if row.name not in named], fresh)
    harms = [f"{row.name}{where}" for row in methods for where, effect in _effects(row, fresh) if effect.raises_entropy]
    if harms:
        yield f"Distinguishably less stable than the control: {', '.join(harms)}."


def _in_one_way(methods: Sequence[ComparedMethod], fresh: Mapping[str, ComparedMethod]) -> Iterator[str]:
    """Yields what is said of methods that help with other seeds or under fresh data, but not in both ways."""
    tried = [(row, fresh[row.name].effect) for row in methods if row.name in fresh]
    kinds = {
        "Not tried under fresh data": [
            row.name for row in methods if row.effect.lowers_entropy and row.name not in fresh
        ],
        "Helps with other seeds, but under fresh data no more than chance may": [
            _reduced(row.name, effect)
            for row, effect in tried
            if row.effect.lowers_entropy and not effect.lowers_entropy
        ],
        "Helps under fresh data, but with other seeds no more than chance may": [
            _reduced(row.name, row.effect)
            for row, effect in tried
            if effect.lowers_entropy and not row.effect.lowers_entropy
        ],
    }
    yield from (f"{kind}: {', '.join(names)}." for kind, names in kinds.items() if names)


def _is_unknown(row: ComparedMethod) -> bool:
    return math.isnan(row.cost.training) or math.isnan(row.cost.inference)


def _best(rows: list[ComparedMethod], fresh: Fresh) -> ComparedMethod | None:
    """Returns the row of the largest reduction, the smaller one of two ways counting, and the cheapest of equals."""

    def gain(row: ComparedMethod) -> float:
        found = [effect.reduction for _, effect in _effects(row, fresh)]
        return min(-math.inf if each is None else each.value for each in found)

    return max(rows, key=lambda row: (gain(row), -row.cost.training), default=None)


def _told(row: ComparedMethod, margin: float, fresh: Fresh) -> str:
    cost = "" if math.isnan(row.cost.training) else f" ({row.cost.training:.1f}x training)"
    said = {where: _effect_told(effect, margin) for where, effect in _effects(row, fresh)}
    also = f" Under fresh data it {said[_FRESH]}." if _FRESH in said else ""
    return f"{row.name}{cost} {said[_SEEDS]}.{also}"


def _effect_told(effect: MethodEffect, margin: float) -> str:
    assert effect.reduction is not None  # noqa: S101  # a row that helps has one
    parts = [f"lowers label entropy by {_interval(effect.reduction, 1)} %"]
    if effect.beyond_null is not None:
        parts.append(
            f"{_interval(effect.beyond_null, 1)} points more than a second control, distinguishable from chance"
        )
    found = effect.accuracy_difference
    if found is not None:
        verdict = ", a significant gain" if found.low > 0 else ", a significant loss" if effect.loses_accuracy else ""
        kept = _within(margin) if effect.keeps_accuracy(margin) else "is not known to stay"
        parts.append(f"accuracy {kept} ({_accuracy(effect)}{verdict})")
    if price := calibration_price(effect):
        parts.append(price)
    return "; ".join(parts)


def _within(margin: float) -> str:
    return f"stays within {margin:g} points"


def _accuracy(effect: MethodEffect) -> str:
    found = effect.accuracy_difference
    return "?" if found is None else _interval(found, 2, factor=100)


def _reduced(name: str, effect: MethodEffect) -> str:
    return name if effect.reduction is None else f"{name} ({_interval(effect.reduction, 1)} %)"


def _interval(found: Estimate, digits: int, *, factor: float = 1) -> str:
    value, low, high = (f"{factor * number:.{digits}f}" for number in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"
