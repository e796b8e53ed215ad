"""The compact table that a person reads in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reseed._plain import plain
from reseed.instability import Stability
from reseed.report._cost import CostTable, cost_table
from reseed.report._from_study import title_of
from reseed.studies import Study

if TYPE_CHECKING:
    from rich.console import Console

_TEXT_WIDTH = 60


def print_stability(
    study: Study, stability: Stability, console: Console, *, top: int = 10, notes: Sequence[str] = ()
) -> None:
    """Print headline numbers, confused pairs, least stable classes, the most unstable samples, and the cost.

    Args:
        study: A study.
        stability: Its measures.
        console: Where to.
        top: How many samples.
        notes: What else a reader should know.
    """
    if stability.pairs is None:
        print_one_run(study, stability, console, top=top, notes=notes)
        return
    console.print(_headline(study, stability.summary))
    _print_notes((*stability.notes, *notes), console)
    if stability.summary["unstable_samples"]:
        console.print(_pairs(study, stability))
        console.print(_classes(study, stability))
        console.print(_samples(study, stability, top))
    if (cost := cost_table(stability.summary)) is not None:
        console.print(_cost(cost))


def _print_notes(notes: Sequence[str], console: Console) -> None:
    for note in notes:
        console.print(f"note: {plain(note)}", markup=False, highlight=False)


def print_one_run(
    study: Study, stability: Stability, console: Console, *, top: int = 10, notes: Sequence[str] = ()
) -> None:
    """Print what a single run foretells, the samples most likely to change, and the cost."""
    from rich.table import Table
    from rich.text import Text

    console.print(_headline_of_one_run(stability.summary))
    _print_notes((*stability.notes, *notes), console)
    if top:
        table = Table(title="Samples most likely to change", title_justify="left")
        for column in ("sample", "target", "chance to change", "answer"):
            table.add_column(column, overflow="fold")
        ranked = stability.samples.sort_by([("flip_probability", "descending")])
        for row in ranked.slice(0, top).to_pylist():
            target = "-" if row["target_name"] is None else plain(row["target_name"])
            chance, answer = f"{row['flip_probability']:.3f}", Text(plain(row["mode_name"]))
            table.add_row(Text(plain(_sample(row))), Text(target), chance, answer)
        console.print(table)
    if (cost := cost_table(stability.summary)) is not None:
        console.print(_cost(cost))


def _headline_of_one_run(summary: dict[str, Any]) -> Any:
    table = _two_columns(summary)
    accuracy = summary["accuracy_mean"]
    share, ends = summary["expected_unstable_fraction"], summary["expected_unstable_fraction_ci95"]
    rows = [
        ("runs", _runs(summary)),
        ("samples, classes", f"{summary['samples']:,}, {summary['classes']}"),
        ("accuracy", "not known: no targets" if accuracy is None else f"{accuracy:.4f}"),
        ("label entropy along the run", f"{summary['trajectory_label_entropy_mean']:.4f} nats"),
        (
            "unstable samples to expect",
            f"{share:.4f} {_interval(ends)}: estimated share with more than one answer in "
            f"{summary['expected_unstable_runs']} trainings; the interval is that of another data set",
        ),
        ("likely to change", f"{summary['likely_to_change']:,}, with an estimated chance above one half"),
    ]
    for name, value in rows:
        table.add_row(name, value)
    return table


def _two_columns(summary: dict[str, Any]) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=Text(plain(title_of(summary))), title_justify="left", show_header=False)
    table.add_column("measure")
    table.add_column("value")
    return table


def _runs(summary: dict[str, Any]) -> str:
    left_out = [f"{summary[f'runs_{kind}']} {kind}" for kind in ("missing", "diverged") if summary[f"runs_{kind}"]]
    return f"{summary['runs']}{' (' + ', '.join(left_out) + ')' if left_out else ''}"


def _sample(row: dict[str, Any]) -> str:
    return str(row["sample_id"]) if row.get("text") is None else f"{row['sample_id']}: {_shortened(row['text'])}"


def _headline(study: Study, summary: dict[str, Any]) -> Any:
    from rich.text import Text

    table = _two_columns(summary)
    unstable, samples = summary["unstable_samples"], summary["samples"]
    rows = [
        ("runs", _runs(summary)),
        ("samples, classes", f"{samples:,}, {summary['classes']}"),
        ("accuracy", _accuracy(summary)),
        *_spread(summary),
        ("label entropy", f"{summary['label_entropy_mean']:.4f} nats {_interval(summary['label_entropy_ci95'])}"),
        (
            "unstable samples",
            f"{unstable:,} of {samples:,} got more than one answer: {summary['unstable_fraction']:.4f} "
            f"{_interval(summary['unstable_fraction_ci95'])}",
        ),
        (
            "jitter",
            f"{summary['jitter']:.4f} {_interval(summary['jitter_ci95'])}: two retrainings disagree on "
            f"{summary['jitter']:.1%} of the answers",
        ),
        (
            "never seen to flip",
            f"may still flip with probability up to {summary['flip_upper_bound']:.3f} each (95 % bound)",
        ),
    ]
    if "coverage_mean" in summary:
        rows += _answered(summary)
    for name, value in rows:
        table.add_row(name, Text(value))
    return table


def _answered(summary: dict[str, Any]) -> list[tuple[str, str]]:
    always = summary["always_answered_fraction"]
    entropy, jitter = summary["answered_label_entropy_mean"], summary["answered_jitter"]
    return [
        ("coverage", f"{summary['coverage_mean']:.4f} {_interval(summary['coverage_ci95'])} of the samples answered"),
        (
            "label entropy of answers",
            "not known: no samples that every run answers"
            if entropy is None
            else f"{entropy:.4f} nats {_interval(summary['answered_label_entropy_ci95'])}: "
            f"the {always:.1%} of the samples that every run answers",
        ),
        (
            "jitter of answers",
            "not known: no samples that two runs answer"
            if jitter is None
            else f"{jitter:.4f} {_interval(summary['answered_jitter_ci95'])}: where two retrainings both answer",
        ),
    ]


def _accuracy(summary: dict[str, Any]) -> str:
    if summary["accuracy_mean"] is None:
        return "not known: no targets"
    return f"{summary['accuracy_mean']:.4f} (sd over runs {summary['accuracy_std']:.4f})"


def _spread(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what of the spread of accuracies is of the runs, and what picking the best gains from noise alone."""
    if "accuracy_std_of_distribution" not in summary:
        return []
    std, optimism = summary["accuracy_std_of_distribution"], summary["best_run_optimism"]
    calibrated = summary.get("accuracy_std_if_calibrated")
    by_chance = "" if calibrated is None else f"; {calibrated:.4f} here is what calibrated, equally good runs have"
    return [
        (
            "sd on other samples",
            f"{std:.4f} {_interval(summary['accuracy_std_of_distribution_ci95'])}: the rest of the sd is that samples "
            f"are few{by_chance}",
        ),
        (
            "most accurate run",
            f"looks {optimism:.4f} {_interval(summary['best_run_optimism_ci95'])} better here than on other samples",
        ),
    ]


def _interval(ends: list[float] | None) -> str:
    return "" if ends is None else f"[{ends[0]:.4f}, {ends[1]:.4f}]"


def _pairs(study: Study, stability: Stability) -> Any:
    from rich.table import Table
    from rich.text import Text

    names, pairs = study.header.class_names, stability.pairs
    assert pairs is not None  # noqa: S101 (several runs were compared)
    table = Table(title="Most confused pairs of answers", title_justify="left")
    for column in ("answer", "or", "share of disagreements", "samples"):
        table.add_column(column)
    for index in range(min(5, len(pairs.share))):
        table.add_row(
            Text(plain(names[pairs.label_a[index]])),
            Text(plain(names[pairs.label_b[index]])),
            f"{pairs.share[index] / stability.summary['jitter']:.1%}",
            str(pairs.samples[index]),
        )
    return table


def _classes(study: Study, stability: Stability) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Least stable classes", title_justify="left")
    for column in ("class", "samples", "accuracy", "label entropy"):
        table.add_column(column)
    for row in stability.classes[:5]:
        accuracy = "-" if row.accuracy != row.accuracy else f"{row.accuracy:.3f}"
        name = plain(study.header.class_names[row.label])
        table.add_row(Text(name), str(row.samples), accuracy, f"{row.label_entropy:.4f}")
    return table


def _samples(study: Study, stability: Stability, top: int) -> Any:
    from rich.table import Table
    from rich.text import Text

    table = Table(title="Most unstable samples", title_justify="left")
    for column in ("sample", "target", "label entropy", "answers"):
        table.add_column(column, overflow="fold")
    names = study.header.class_names
    for row in unstable_rows(stability, top):
        answers = " · ".join(f"{names[answer['label']]} \u00d7{answer['count']}" for answer in row["answers"])
        target = "-" if row["target_name"] is None else plain(row["target_name"])
        table.add_row(Text(plain(_sample(row))), Text(target), f"{row['label_entropy']:.4f}", Text(plain(answers)))
    return table


def _cost(cost: CostTable) -> Any:
    from rich.table import Table

    table = Table(title="What it cost", title_justify="left", caption=cost.about, caption_justify="left")
    for column in ("figure", "in total", "per run"):
        table.add_column(column)
    for row in cost.rows:
        table.add_row(*row)
    return table


def unstable_rows(stability: Stability, top: int) -> list[dict[str, Any]]:
    """Return the rows of the ``top`` most unstable samples, the least stable first."""
    table = stability.samples.sort_by([("label_entropy", "descending"), ("jitter", "descending")])
    rows: list[dict[str, Any]] = table.slice(0, top).to_pylist()
    return [row for row in rows if row["unstable"]]


def _shortened(text: str) -> str:
    return text if len(text) <= _TEXT_WIDTH else text[: _TEXT_WIDTH - 1] + "…"
