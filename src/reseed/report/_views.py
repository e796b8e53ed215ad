"""What studies, comparisons, groups and recipes show of themselves; see `reseed._shown`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from reseed._errors import InputError
from reseed._plain import plain
from reseed._shown import View, view_of
from reseed.instability import Comparison, Estimate, WhereUnstable
from reseed.report._comparison_terminal import print_comparison
from reseed.report._where import print_where, verdict
from reseed.report.chart._drawn import figure_of
from reseed.report.chart._estimates import bars
from reseed.scores import Chart, Series
from reseed.studies import Manifest, Study
from reseed.training import Recipe, as_tree

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure
    from rich.console import Console

_ROWS = 10
_BARS = 20
_GROUP = ("group", "label_entropy", "low", "high")


def estimate_text(found: Estimate | None, digits: int = 4) -> str:
    """Return an estimate with its interval, as a notebook shows it; nothing where there is none."""
    return "" if found is None else f"{found.value:.{digits}f} [{found.low:.{digits}f}, {found.high:.{digits}f}]"


def table_of(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return rows as a table, an interval as two columns beside its value: NAME, NAME_low and NAME_high."""
    import pyarrow as pa

    flat = []
    for row in rows:
        told = {name: value for name, value in row.items() if not name.endswith("_ci95")}
        for name, ends in ((name.removesuffix("_ci95"), row[name]) for name in row if name.endswith("_ci95")):
            told |= dict(zip((f"{name}_low", f"{name}_high"), ends or (None, None), strict=True))
        flat.append(told)
    names = dict.fromkeys(name for row in flat for name in row)
    return pa.table({name: [row.get(name) for row in flat] for name in names})


@view_of.register
def _of_study(study: Study) -> View:
    runs = sorted((*study.manifests, *study.diverged), key=lambda one: one.run)
    told: dict[str, Callable[[Manifest], Any]] = {
        "run": lambda one: one.run,
        "status": lambda one: one.status,
        "accuracy": lambda one: one.accuracy,
        "last step": lambda one: one.steps[-1] if one.steps else None,
        "seconds": lambda one: one.cost.get("wall_s"),
    }
    if any(one.temperature is not None for one in runs):
        told["temperature"] = lambda one: one.temperature

    def rows() -> list[dict[str, Any]]:
        return [{name: of(one) for name, of in told.items()} for one in runs]

    def show(console: Console) -> None:
        from rich.table import Table

        console.print(plain(repr(study)), markup=False, highlight=False)
        table = Table()
        for name in told:
            table.add_column(name)
        for row in rows():
            table.add_row(
                *(
                    "" if value is None else f"{value:.4g}" if isinstance(value, float) else str(value)
                    for value in row.values()
                )
            )
        console.print(table)

    def draw() -> Figure:
        known = [(float(one.run), one.accuracy) for one in study.manifests if one.accuracy is not None]
        if not known:
            return figure_of((), "a study without targets")
        runs = Series("accuracy", tuple(run for run, _ in known), tuple(value for _, value in known))
        sentence = f"The accuracy of {len(known)} runs, a dot each."
        return figure_of([Chart("scatter", "Accuracy of each run", sentence, "run", "accuracy", (runs,))], "a study")

    header = study.header
    numbers = {
        "data, model": f"{header.dataset}, {header.model}",
        "runs": f"{len(study.manifests)} of {header.runs}",
        "samples, classes": f"{len(study.samples):,}, {len(header.class_names)}",
    }
    page = study.path / "report.html"
    return View(numbers, "The first runs", lambda: rows()[:_ROWS], lambda: table_of(rows()), show, draw, page)


@view_of.register
def _of_comparison(found: Comparison) -> View:
    def top() -> list[dict[str, Any]]:
        return [
            {
                "method": row.name,
                "label entropy, nats": estimate_text(row.effect.label_entropy),
                "gone, %": estimate_text(row.effect.reduction, 1),
                "accuracy, difference": estimate_text(row.effect.accuracy_difference),
                **_fresh_numbers(found, row.name),
                "training": "" if row.cost.training != row.cost.training else f"{row.cost.training:.2f}x",
            }
            for row in found.rows
        ]

    def draw() -> Figure:
        gone = {row.name: row.effect.reduction for row in found.rows if row.effect.reduction is not None}
        words = f"{found.recommendation}"
        chart = bars("Label entropy that is gone", words, "reduction, % of the control's", gone) if gone else None
        return figure_of([chart] if chart else [], "a comparison without reductions")

    numbers = {"recommendation": found.recommendation, "runs of each study": str(found.runs)}
    show = partial(print_comparison, found)
    return View(numbers, "Methods beside the control", top, lambda: table_of(_rows(found)), show, draw)


def _fresh_numbers(found: Comparison, name: str) -> dict[str, str]:
    """Return what a method does under fresh data, as a notebook shows it; nothing where that was not tried."""
    if found.fresh is None:
        return {}
    row = found.under_fresh_data(name)
    reduction, accuracy = (None, None) if row is None else (row.effect.reduction, row.effect.accuracy_difference)
    return {
        "gone under fresh data, %": estimate_text(reduction, 1),
        "accuracy under fresh data, difference": estimate_text(accuracy),
    }


def _rows(found: Comparison) -> list[dict[str, Any]]:
    """Return a row for each method and, under fresh data, another."""
    both = {"same": found} if found.fresh is None else {"same": found, "fresh": found.fresh}
    return [{"training_data": name, **row} for name, one in both.items() for row in one.summary["methods"]]


@view_of.register
def _of_groups(found: WhereUnstable) -> View:
    def draw() -> Figure:
        rows = found.table.slice(0, _BARS).to_pylist()
        names, values, low, high = (tuple(row[name] for row in rows) for name in _GROUP)
        shown = Series("label entropy", names, values, low, high)
        title = f"The groups that stand out most, by {found.by}"
        chart = Chart("bars", title, verdict(found.test), "", "label entropy, nats", (shown,))
        return figure_of([chart] if rows else [], "a study without groups")

    def top() -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = found.table.slice(0, _ROWS).to_pylist()
        return rows

    show = partial(print_where, found)
    return View({"test": verdict(found.test)}, f"Groups by {found.by}", top, lambda: found.table, show, draw)


@view_of.register
def _of_recipe(recipe: Recipe) -> View:
    def rows() -> list[dict[str, str]]:
        tree = as_tree(recipe)
        return [
            {"field": f"{part}.{name}" if isinstance(fields, dict) else part, "value": str(value)}
            for part, fields in tree.items()
            for name, value in (fields.items() if isinstance(fields, dict) else [("", fields)])
        ]

    def show(console: Console) -> None:
        console.print(plain_lines(recipe.to_toml()), markup=False, highlight=False, soft_wrap=True)

    def draw() -> Figure:
        raise InputError("a recipe has nothing to draw; report() shows it as TOML, to_pandas() as a table.")

    return View({"digest": recipe.digest}, "Fields", rows, lambda: table_of(rows()), show, draw)


def plain_lines(text: str) -> str:
    """Return lines from outside as a terminal shows and does not obey them."""
    return "\n".join(map(plain, text.splitlines()))
