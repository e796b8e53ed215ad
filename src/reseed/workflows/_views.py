"""What the results of workflows show of themselves; see `reseed._shown`."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from reseed._plain import plain
from reseed._shown import View, view_of
from reseed.report import (
    attribution_charts,
    bootstrap_charts,
    estimate_text,
    figure_of,
    nested_charts,
    page_charts,
    print_bootstrap,
    print_comparison,
    print_kept_scores,
    print_nested,
    print_randomization,
    print_scores,
    print_sources,
    print_stabilisation,
    print_stability,
    report_data,
    table_of,
    tuning_charts,
    unstable_rows,
)
from reseed.scores import readable_scores
from reseed.workflows._attribute import ATTRIBUTION_PAGE, Attribution
from reseed.workflows._bootstrap import BOOTSTRAP_PAGE, BootstrapMeasurement
from reseed.workflows._measure import REPORT, Measurement
from reseed.workflows._memorize import Memorized
from reseed.workflows._nested import NESTED_PAGE, NestedMeasurement
from reseed.workflows._randomize import RANDOMIZATION_PAGE, Randomization
from reseed.workflows._stabilise import STABILISATION_PAGE, Stabilisation
from reseed.workflows._tune import TUNING_PAGE, Tuning

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import Console

    from reseed.studies import Study

_ROWS = 10


@view_of.register
def _of_measurement(found: Measurement) -> View:
    summary, study = found.summary, found.study
    names = ("accuracy_mean", "label_entropy_mean", "unstable_fraction", "jitter", "expected_unstable_fraction")
    numbers = {"runs, samples": f"{summary['runs']}, {summary['samples']:,}"}
    for name in names:
        if summary.get(name) is not None:
            ends = summary.get(f"{name.removesuffix('_mean')}_ci95")
            numbers[name.replace("_", " ")] = f"{summary[name]:.4f}" + (
                f" [{ends[0]:.4f}, {ends[1]:.4f}]" if ends else ""
            )

    def show(console: Console) -> None:
        notes = () if found.tracked is None else found.tracked.notes
        print_stability(study, found.stability, console, top=min(_ROWS, len(study.samples)), notes=notes)
        print_kept_scores(readable_scores(study)[0], console)

    def draw() -> Figure:
        return figure_of(page_charts(report_data(study, found.stability, found.groups)), "a single run")

    return View(
        numbers,
        "The most unstable samples" if found.stability.pairs is not None else "The samples most likely to change",
        partial(_top_samples, found),
        lambda: found.samples,
        show,
        draw,
        study.path / REPORT,
    )


def _top_samples(found: Measurement) -> list[dict[str, Any]]:
    """Return the least stable samples as people recognise them: with their text or picture."""
    samples = found.study.samples
    places = {name: place for place, name in enumerate(samples.ids)}
    if found.stability.pairs is None:
        ranked = found.stability.samples.sort_by([("flip_probability", "descending")]).slice(0, _ROWS).to_pylist()
    else:
        ranked = unstable_rows(found.stability, _ROWS)
    rows = []
    for row in ranked:
        place = places[row["sample_id"]]
        told: dict[str, Any] = {"sample": row["sample_id"]}
        if samples.images is not None:
            told["image"] = samples.images[place]
        elif samples.texts is not None:
            told["text"] = samples.texts[place]
        told["target"] = row["target_name"]
        if "answers" in row:
            names = found.study.header.class_names
            told["answers"] = " · ".join(f"{names[one['label']]} \u00d7{one['count']}" for one in row["answers"])
            told["label entropy"] = row["label_entropy"]
        else:
            told |= {"answer": row["mode_name"], "chance to change": row["flip_probability"]}
        rows.append(told)
    return rows


@view_of.register
def _of_attribution(found: Attribution) -> View:
    effects = found.effects

    def top() -> list[dict[str, Any]]:
        return [
            {
                "source": one.source,
                "jitter, it alone": estimate_text(one.jitter),
                "share of all": estimate_text(one.share, 2),
                "jitter, it alone fixed": estimate_text(one.fixed_jitter),
            }
            for one in effects.effects
        ]

    def draw() -> Figure:
        return figure_of(attribution_charts(effects), "an attribution")

    def show(console: Console) -> None:
        print_sources(effects, console, title=_title(next(iter(found.studies.values()))), notes=found.notes)

    numbers = {"jitter, all sources": estimate_text(effects.jitter)}
    page = found.path / ATTRIBUTION_PAGE
    return View(numbers, "Sources", top, lambda: table_of(found.summary["sources"]), show, draw, page)


@view_of.register
def _of_nested(found: NestedMeasurement) -> View:
    estimates = found.estimates
    shown = {"seed": estimates.seed_variance, "training sample": estimates.data_variance}

    def draw() -> Figure:
        return figure_of(nested_charts(estimates, found.samples), "a nested design")

    def show(console: Console) -> None:
        print_nested(estimates, console, title=_title(found.studies[0]), notes=found.notes)

    numbers = {f"variance, {name}": estimate_text(one) for name, one in shown.items()}
    page = found.path / NESTED_PAGE
    return View(numbers, "Samples", partial(_first, found), lambda: found.samples, show, draw, page)


@view_of.register
def _of_bootstrap(found: BootstrapMeasurement) -> View:
    def draw() -> Figure:
        return figure_of(bootstrap_charts(found.instability, found.seeds, found.samples), "a bootstrap")

    def show(console: Console) -> None:
        print_bootstrap(found.instability, found.seeds, console, title=_title(found.study), notes=found.notes)

    numbers = {
        "mean absolute prediction error": estimate_text(found.instability.mape_estimate),
        "classification instability": estimate_text(found.instability.index_estimate),
    }
    page = found.path / BOOTSTRAP_PAGE
    return View(numbers, "Samples", partial(_first, found), lambda: found.samples, show, draw, page)


@view_of.register
def _of_memorized(found: Memorized) -> View:
    numbers = {
        name.replace("_", " "): f"{value:.4g}" for name, value in found.summary.items() if isinstance(value, float)
    }
    return View(
        numbers,
        "The most suspicious labels",
        lambda: found.suspects.slice(0, _ROWS).to_pylist(),
        lambda: found.suspects,
        partial(print_memorized, found),
        lambda: figure_of(found.scores.charts, "what was memorised"),
        found.study.path / REPORT,
    )


@view_of.register
def _of_randomization(found: Randomization) -> View:
    def show(console: Console) -> None:
        print_randomization(found.test, console, title=_title(next(iter(found.studies.values()))))

    def top() -> list[dict[str, Any]]:
        names = ("said", "runs_fitted", "runs", "train_accuracy_mean", "test_accuracy_mean")
        return [{name.replace("_", " "): row.get(name) for name in names} for row in found.test.rows]

    page = found.path / RANDOMIZATION_PAGE
    draw = partial(figure_of, found.test.scores.charts, "a randomisation test")
    return View({}, "Versions", top, lambda: table_of(found.test.rows), show, draw, page)


@view_of.register
def _of_stabilisation(found: Stabilisation) -> View:
    def show(console: Console) -> None:
        print_stabilisation(found.test, console, title=_title(next(iter(found.studies.values()))))

    def top() -> list[dict[str, Any]]:
        names = ("remedy", "largest_lr", "edge_lr", "early_ratio_mean", "accuracy_mean", "label_entropy_mean")
        return [{name.replace("_", " "): row[name] for name in names} for row in found.test.remedies]

    page = found.path / STABILISATION_PAGE
    draw = partial(figure_of, found.test.charts, "a comparison of remedies")
    numbers = {"at equal rates": found.test.claim}
    return View(numbers, "Remedies", top, lambda: table_of(found.test.rows), show, draw, page)


@view_of.register
def _of_tuning(found: Tuning) -> View:
    def rows() -> list[dict[str, Any]]:
        return [{"rung": number, **trial} for number, rung in enumerate(found.summary["rungs"]) for trial in rung]

    def top() -> list[dict[str, Any]]:
        names = ("rung", "name", "runs", "reduction", "accuracy_difference", "cost", "outcome")
        return [{name.replace("_", " "): row[name] for name in names} for row in rows()]

    def draw() -> Figure:
        return figure_of(tuning_charts(found.search), "a search")

    numbers = {"conclusion": found.conclusion, "spent": f"{found.spent:.1f} of {found.budget:g} trainings"}
    page = found.path / TUNING_PAGE
    return View(numbers, "Candidates", top, lambda: table_of(rows()), partial(print_tuning, found), draw, page)


def print_tuning(found: Tuning, console: Console, *, details: bool = False) -> None:
    """Print the rungs, the confirmation, with ``details`` every measure of it, and what to use."""
    from rich.table import Table
    from rich.text import Text

    for number, rung in enumerate(found.rungs):
        data = ", fresh data" * found.fresh
        table = Table(title=f"Rung {number}: {rung[0].runs} runs, validation samples{data}", title_justify="left")
        for column in ("candidate", "label entropy", "reduction, %", "accuracy, points", "cost", "outcome"):
            table.add_column(column, overflow="fold")
        for row in rung:
            numbers = (
                ("", "", "")
                if row.diverged
                else (f"{row.label_entropy:.4f}", f"{row.reduction:.1f}", f"{100 * row.accuracy_difference:+.2f}")
            )
            table.add_row(Text(plain(row.name)), *numbers, f"{row.cost:.2f}x", row.outcome)
        console.print(table)
    if found.comparison is not None:
        print_comparison(found.comparison, console, details=details)
    console.print(plain(found.conclusion), markup=False, highlight=False)
    console.print(f"spent {found.spent:.1f} of {found.budget:g} trainings", markup=False, highlight=False)


def print_memorized(found: Memorized, console: Console, *, top: int = _ROWS) -> None:
    """Print the scores of training labels, the most suspicious samples, and what the networks cost."""
    print_scores(found.scores, console)
    for row in found.suspects.slice(0, max(top, 0)).to_pylist():
        what = str(row.get("text", row.get("image", "")))
        line = (
            f"{row['sample_id']}: given {row['given_label']}, likely {row['likely_label']} ({row['score']:.3f}) {what}"
        )
        console.print(plain(line)[:160], markup=False, highlight=False, soft_wrap=True)
    console.print(f"cost:     {found.summary['trainings']:g} trainings", markup=False, highlight=False)


def _first(found: NestedMeasurement | BootstrapMeasurement) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = found.samples.slice(0, _ROWS).to_pylist()
    return rows


def _title(study: Study) -> str:
    return f"{study.header.dataset}, {study.header.model}"
