"""Methods beside a control: what each does to label entropy and accuracy, what it costs, and beside what null."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from reseed._arguments import argument
from reseed._choices import MARGIN
from reseed._errors import InputError
from reseed._numbers import check_margin
from reseed._parts import Parts
from reseed._shown import AbstractResult
from reseed.instability.comparison._compared_method import NULL, ComparedMethod, Role
from reseed.instability.comparison._compared_samples import compared_samples, effects
from reseed.instability.comparison._compared_study import ComparedRuns, runs_of
from reseed.instability.comparison._fresh_data import fresh_data_told, fresh_studies
from reseed.instability.comparison._method_cost import NO_COST, method_cost
from reseed.instability.comparison._method_effect import MethodEffect, control_effect, method_effect
from reseed.instability.comparison._pareto import pareto_front
from reseed.instability.comparison._recommendation import recommendation, recommended
from reseed.instability.evaluation._evaluate import HIGH_LABEL_ENTROPY, check_runs
from reseed.statistics import Estimate, Method, check_method
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, repr=False)
class Comparison(AbstractResult):
    """Methods beside their control.

    Attributes:
        control: the control's row.
        null: the row of a second control with other seeds, if there is one.
        methods: the other rows, in the order they were given.
        runs: runs of each study that are compared.
        interval: what intervals cover: "two-way" (other runs and other samples), "jackknife" (other runs) or "samples".
        notes: what a reader should know before believing the numbers.
        margin: how many percentage points of accuracy a useful method may lose; the lower end of the interval counts.
        fresh: the same methods trained on other data in each run, beside a control trained so; None where that was not
            tried.
    """

    control: ComparedMethod
    null: ComparedMethod | None
    methods: tuple[ComparedMethod, ...]
    runs: int
    interval: Method
    notes: tuple[str, ...]
    margin: float = MARGIN
    fresh: Comparison | None = None

    def __repr__(self) -> str:
        header = self.control.study.header
        methods = ", ".join(row.name for row in self.methods) or "no methods"
        also = "" if self.fresh is None else "; under fresh data as well"
        return f"Comparison({header.dataset}, {header.model}, {self.runs} runs of each: {methods}{also})"

    @property
    def rows(self) -> tuple[ComparedMethod, ...]:
        """The control, the null if there is one, and the methods."""
        return (self.control, *(() if self.null is None else (self.null,)), *self.methods)

    @property
    def all_rows(self) -> tuple[ComparedMethod, ...]:
        """The rows and, where there are any, those under fresh data."""
        return (*self.rows, *(() if self.fresh is None else self.fresh.rows))

    def under_fresh_data(self, name: str) -> ComparedMethod | None:
        """Return a method's row under fresh data; None where it was not trained so."""
        return None if self.fresh is None else next((row for row in self.fresh.rows if row.name == name), None)

    @cached_property
    def samples(self) -> pa.Table:
        """One row for each method and sample, the null's and the control's included; see `fresh` for fresh data.

        ``effect`` is "settles" (the control's runs differ, the method's agree), "eases" (both differ, the method's
        label entropy is lower), "worsens" (both differ, it is higher), "unsettles" (the control's runs agree, the
        method's differ) or "none".
        """
        return compared_samples(self.control.study, {row.name: row.study for row in self.rows}, self.runs)

    @property
    def recommendation(self) -> str:
        """One paragraph: the best method for each budget, whether its effect is chance, what it does to accuracy.

        A method counts that lowers label entropy beyond chance while the interval of its accuracy excludes a loss of
        more than the margin, under fresh data as well where that was tried.
        """
        said = recommendation(self.methods, self.null, self.margin, self._fresh_methods)
        return said if self.fresh_data is None else f"{said} Fresh data: {self.fresh_data}."

    @property
    def fresh_data(self) -> str | None:
        """What each run trained on where the training data changes, in words; None where it does not."""
        return None if self.fresh is None else fresh_data_told(self.fresh.control.study)

    @property
    def recommended(self) -> ComparedMethod | None:
        """The method that the recommendation names first: the best of the smallest budget in which one helps."""
        return recommended(self.methods, self.margin, self._fresh_methods)

    @property
    def _fresh_methods(self) -> dict[str, ComparedMethod] | None:
        return None if self.fresh is None else {row.name: row for row in self.fresh.methods}

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers, every estimate with its 95 % interval beside it."""
        header = self.control.study.header
        return {
            "reseed": version("reseed"),
            "dataset": header.dataset,
            "model": header.model,
            "data": header.data,
            "runs": self.runs,
            "samples": len(self.control.study.samples),
            "ci_method": self.interval,
            "high_entropy_threshold": HIGH_LABEL_ENTROPY,
            "margin": self.margin,
            "recommendation": self.recommendation,
            "methods": [_told(row, self.margin) for row in self.rows],
            "fresh_data": None if self.fresh is None else self._fresh_told(self.fresh),
            "notes": list(self.notes),
        }

    def _fresh_told(self, fresh: Comparison) -> dict[str, Any]:
        header, told = fresh.control.study.header, fresh.summary
        return {
            "training_data": self.fresh_data,
            "share": header.share if header.share < 1 else None,
            "bootstrap": "data" in header.vary,
            **{name: told[name] for name in ("runs", "ci_method", "methods")},
        }


def compare_studies(
    studies: Mapping[str, Study],
    *,
    null: Study | None = None,
    interval: Method = "two-way",
    margin: float = MARGIN,
    fresh: Mapping[str, Study] | None = None,
    fresh_null: Study | None = None,
) -> Comparison:
    """Compare methods with a control, on the same evaluation samples and at equal numbers of runs.

    Of every study the first R complete runs are compared, with R the smallest number that any of them has, since label
    entropy grows with that number. Runs of two studies count as independent, samples as paired.

    Two-way intervals of differences and reductions cover other runs (jackknife) and other samples, see
    `label_entropy_reduction`: a second control is told from the first in at most about 5 % of all cases, less with few
    runs. Those of the jackknife cover other runs on the same samples; they say how a method compares on this evaluation
    set. With two runs all intervals cover other samples only; those of the calibration error always cover other runs
    only.

    The null is a second control with other seeds: what it seems to "reduce" is chance. A method whose reduction, or
    whose reduction less the null's, has an interval that includes 0 is not distinguishable from training the control
    again.

    A method keeps accuracy if the lower end of the interval of its difference is above ``-margin`` percentage points:
    a test of non-inferiority, at 97.5 % one-sided. That a loss is not significant would be no evidence that there is
    none. With studies under ``fresh`` data a method is recommended only if it helps in both comparisons.

    Args:
        studies: Studies by name; the first one is the control.
        null: A study of the control's recipe with other seeds; default: none.
        interval: What intervals cover, see above.
        margin: How many percentage points of accuracy a recommended method may lose, 0 or more.
        fresh: Studies of the same recipes whose runs trained on other data each, by the same names, the control among
            them; a method without one is not recommended. Default: none.
        fresh_null: Their second control.

    Returns:
        The comparison.

    Raises:
        InputError: ``interval`` is unknown, ``margin`` is no such number, there is no control or nothing to compare
            with it, the studies are of different evaluation samples or classes, the null has the control's seeds or
            another recipe, or a study under ``fresh`` data has no counterpart or is one itself.
        TrainingError: Fewer than two runs of a study are complete.
    """
    check_margin(margin)
    if fresh is None and fresh_null is not None:
        raise InputError(f"{argument('fresh_null')} is given without {argument('fresh')}; pass both.")
    found = replace(_compared(studies, null, interval, "studies"), margin=margin)
    if fresh is None:
        return found
    control = found.control
    beside = fresh_studies(studies, fresh)
    _check_same_data(control.name, control.study, f"{control.name} under fresh data", beside[control.name])
    other = replace(_compared(beside, fresh_null, interval, "fresh"), margin=margin)
    notes = (*found.notes, *(f"Under fresh data: {note}" for note in other.notes if note not in found.notes))
    return replace(found, notes=notes, fresh=other)


def _compared(studies: Mapping[str, Study], null: Study | None, interval: Method, given: str) -> Comparison:
    """Returns the comparison of studies that the argument ``given`` holds."""
    check_method(interval, "interval")
    if not studies:
        raise InputError(
            f"{argument(given)} is empty, so there is no control; pass studies by name, the control first."
        )
    (name, control), *others = studies.items()
    if not others and null is None:
        raise InputError(
            f"{argument(given)} holds the control {name!r} only; name at least one study to compare with it."
        )
    if NULL in studies and null is not None:
        raise InputError(
            f"{argument(given)} names one {NULL!r}, which is what the null is called; choose another name."
        )
    everything = dict(studies) if null is None else {name: control, NULL: null, **dict(others)}
    for other, study in everything.items():
        check_runs(study)
        _check_same_data(name, control, other, study)
    if null is not None:
        _check_null(control, null)
    runs = min(len(study.manifests) for study in everything.values())
    covers: Method = interval if runs > 2 else "samples"
    read = {other: runs_of(study, runs) for other, study in everything.items()}
    base, beside = read[name], None if null is None else read[NULL]
    rows, parts = [], Parts()
    for other, study in everything.items():
        is_null = null is not None and other == NULL
        role: Role = "control" if other == name else "null" if is_null else "method"
        effect = _effect(role, other, read, (base, beside), covers, parts)
        cost = parts.make(f"{other}: the cost is missing", partial(method_cost, study, control, null, runs), NO_COST)
        changed = effects(base.label_entropy, read[other].label_entropy)
        rows.append(ComparedMethod(other, role, study, effect, cost, None, changed))
    rows = _with_front(rows)
    first, *rest = rows
    found_null = rest.pop(0) if null is not None else None
    notes = (*_notes(everything, control, null, runs), *parts.notes)
    return Comparison(first, found_null, tuple(rest), runs, covers, notes)


def _effect(
    role: Role,
    name: str,
    read: Mapping[str, ComparedRuns],
    beside: tuple[ComparedRuns, ComparedRuns | None],
    covers: Method,
    parts: Parts,
) -> MethodEffect:
    control, null = beside
    if role == "control":
        return control_effect(control, covers, parts, name)
    return method_effect(read[name], control, None if role == "null" else null, covers, parts, name)


def _with_front(rows: list[ComparedMethod]) -> list[ComparedMethod]:
    """Return rows with their place on or off the front, where the costs of all candidates are known."""
    candidates = [row for row in rows if row.role != "null"]
    costs = [(row.cost.training, row.cost.inference) for row in candidates]
    gains = [0.0 if row.effect.reduction is None else row.effect.reduction.value for row in candidates]
    on = dict(zip((row.name for row in candidates), pareto_front(costs, gains), strict=True))
    unknown = {row.name for row, cost in zip(candidates, costs, strict=True) if any(map(math.isnan, cost))}
    return [row if row.role == "null" or row.name in unknown else replace(row, on_front=on[row.name]) for row in rows]


def _check_same_data(name: str, control: Study, other: str, study: Study) -> None:
    one, two = control.header, study.header
    if one.class_names != two.class_names:
        raise InputError(
            f"{other!r} ({str(study.path)!r}) has {len(two.class_names)} classes and the control {name!r} "
            f"{len(one.class_names)}, or they are named otherwise; compare studies of the same classes."
        )
    if one.data != two.data or control.samples.ids != study.samples.ids:
        raise InputError(
            f"{other!r} ({str(study.path)!r}) was evaluated on {len(study.samples)} other samples than the control "
            f"{name!r} ({len(control.samples)} samples); compare studies of the same evaluation data."
        )


def _check_null(control: Study, null: Study) -> None:
    if null.header.recipe != control.header.recipe:
        raise InputError(
            f"the null {str(null.path)!r} is of another recipe than the control {str(control.path)!r}; train the "
            f"control's recipe again with another {argument('seed')}."
        )
    if null.path == control.path or (control.header.kind == "training" and _seeds(null) & _seeds(control)):
        raise InputError(
            f"the null {str(null.path)!r} holds runs of the control's own seeds, which would agree with them; train "
            f"the control's recipe again with another {argument('seed')}."
        )


def _seeds(study: Study) -> set[tuple[tuple[str, int], ...]]:
    return {tuple(sorted(manifest.seeds.items())) for manifest in study.manifests}


def _notes(everything: Mapping[str, Study], control: Study, null: Study | None, runs: int) -> Iterator[str]:
    dropped = {name: len(study.manifests) - runs for name, study in everything.items()}
    if any(dropped.values()):
        shown = ", ".join(f"{name} {count}" for name, count in dropped.items() if count)
        yield (
            f"The first {runs} complete runs of each study are compared, since label entropy grows with their number; "
            f"left out: {shown}."
        )
    for name, study in everything.items():
        for kind, count in (("missing", len(study.missing)), ("diverged", len(study.diverged))):
            if count:
                yield f"{name}: {count} of {study.header.runs} runs {kind}."
    if unscaled := [name for name, study in everything.items() if _lacks_temperature(study)]:
        yield f"No temperature could be fitted, so nothing is known after temperature scaling: {', '.join(unscaled)}."
    if null is None:
        yield (
            "There is no second control, so nothing tells what training the control again would have shown; "
            "reductions over high-entropy samples look larger than they are."
        )
    if len(everything) - (null is not None) > 2:
        yield (
            "The best of several methods looks better than it is, since it is picked for what these runs show; confirm "
            "it with other seeds."
        )
    if runs < 10:
        yield f"{runs} runs of each study are few: intervals are wide, and label entropy is biased low for all alike."
    if runs == 2:
        yield "With two runs the intervals cover other samples only, not other runs."
    if other := [name for name, study in everything.items() if study.header.train_data != control.header.train_data]:
        yield f"Trained on other training data than the control: {', '.join(other)}."
    if not control.samples.has_targets:
        yield "Without targets there is no accuracy, no negative flip rate and no calibration."
    elif (control.targets < 0).any():
        yield "Accuracy, negative flips and calibration are of the samples with a known target."


def _lacks_temperature(study: Study) -> bool:
    """Whether a study was to record temperature scaling, and has no temperature."""
    return study.header.record.temperature and any(manifest.temperature is None for manifest in study.manifests)


def _told(row: ComparedMethod, margin: float) -> dict[str, Any]:
    told: dict[str, Any] = {
        "name": row.name,
        "role": row.role,
        "study": str(row.study.path),
        "recipe": row.study.header.recipe,
        "runs_complete": len(row.study.manifests),
        "temperature": row.temperature,
    }
    for name, value in vars(row.effect).items():
        if isinstance(value, Estimate):
            told |= {name: value.value, f"{name}_ci95": [value.low, value.high]}
        else:
            told[name] = value
    told |= {f"cost_{name}": None if math.isnan(value) else value for name, value in asdict(row.cost).items()}
    told["distinguishable"] = row.effect.is_distinguishable
    told["loses_accuracy"] = row.effect.loses_accuracy
    told["keeps_accuracy"] = row.effect.keeps_accuracy(margin)
    told["on_front"] = row.on_front
    return told | {f"samples_{name}": count for name, count in row.samples.items()}
