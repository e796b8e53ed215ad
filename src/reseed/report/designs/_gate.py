"""What is on the page of a gate: whether the change may pass, what changed, and who."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version

from reseed.instability import Gate
from reseed.report import _text as text
from reseed.report._data import Step
from reseed.report._gate import gate_lines, gate_rows, other_failures
from reseed.report._headline import Measure
from reseed.report.chart._estimates import bars
from reseed.report.designs._page import DesignPage, Shown, Table, measure
from reseed.scores import Chart

_CHANGED = 50
_WORDS = ("run", "churn", "negative-flip", "accuracy", "gold", "interval")


def gate_charts(found: Gate) -> tuple[Chart, ...]:
    """Return how many answers differ beside what reseeding does, and with gold labels the flips both ways."""
    change, right = found.found, found.found.correctness
    charts = []
    if change.beyond is not None:
        shown = {"OLD to NEW": change.churn, "reseeding alone": change.beyond.reseeding}
        sentence = "How many answers differ between the two models, and between runs of one of them."
        charts.append(bars("Answers that differ", sentence, "churn (%)", shown, 100))
    if right is not None:
        both = {"right, now wrong": right.negative_flips, "wrong, now right": right.wins}
        words = "Answers that were right and are wrong, and the other way round; other churn is wrong in both."
        charts.append(bars("Flips both ways", words, "samples (%)", both, 100))
    return tuple(charts)


def gate_page(found: Gate, command: str) -> DesignPage:
    """Return what the page of a gate shows.

    Args:
        found: The gate.
        command: What judged it; empty where no command did.
    """
    change, verdict = found.found, found.verdict
    rest = other_failures(found)
    made = {"written": datetime.now(UTC).strftime("%Y-%m-%d"), "by": f"reseed {version('reseed')}"}
    return DesignPage(
        kind="Gate",
        title=f"{found.old} \u2192 {found.new}",
        facts=(
            text.plural(change.samples, "sample"),
            f"OLD: {text.plural(change.old_runs, 'run')}",
            f"NEW: {text.plural(change.new_runs, 'run')}",
        ),
        lead=f"{'Pass' if found.passed else 'Fail'}: {verdict.outcome}.",
        follow=" ".join([_sentence(verdict.because), *(f"Also: {failure}" for failure in rest)]),
        measures=tuple(_measures(found)),
        charts=gate_charts(found),
        tables=tuple(_tables(found)),
        studies={},
        steps=tuple(_steps(found)),
        words=_WORDS,
        made=made | ({"judged by": command} if command else {}),
        notes=found.notes,
    )


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _measures(found: Gate) -> Iterator[Measure]:
    change, right = found.found, found.found.correctness
    yield measure("Churn", change.churn, "Answers that differ between OLD and NEW.", digits=2, word="churn")
    if change.beyond is not None:
        words = "What of it is more than runs of one recipe differ by; around 0 it is the seed."
        yield measure("Beyond reseeding", change.beyond.beyond, words, digits=2)
    if right is not None:
        words = "Samples that were right and are wrong."
        yield measure("Negative flips", right.negative_flips, words, digits=2, word="negative-flip")
        yield measure(
            "Accuracy: NEW less OLD",
            right.difference,
            f"Samples are paired; McNemar's exact test of wins against losses has p = {right.p_value:.3g}.",
            digits=2,
            unit="points",
            word="accuracy",
        )


def _tables(found: Gate) -> Iterator[Table]:
    rows = tuple((name.strip(), Shown(value), limit or "none") for name, value, limit in gate_rows(found))
    yield Table("All numbers", ("Measure", "% [95 % interval]", "Limit, %"), rows, " ".join(gate_lines(found)))
    names = [name for name in found.changed.column_names if name != "differs"]
    changed: tuple[tuple[str | Shown, ...], ...] = tuple(
        (*(str(row[name] or "") for name in names), Shown(text.percent(float(row["differs"]))))
        for row in found.changed.slice(0, _CHANGED).to_pylist()
    )
    total = found.changed.num_rows
    words = "The most different first: of all pairs of runs, how many differ."
    if total > _CHANGED:
        words += f" The first {_CHANGED} of {text.count(total)}; --changed writes all."
    headings = tuple({"sample_id": "Sample"}.get(name, _sentence(name)) for name in names)
    yield Table(f"Who changed: {text.plural(total, 'sample')}", (*headings, "Differ"), changed, words)


def _steps(found: Gate) -> Iterator[Step]:
    if found.found.beyond is None:
        yield Step(
            "Is it the change, or the seed?",
            "A run of each side cannot tell. Train OLD three times or more, with other seeds and nothing else changed, "
            "and pass all of its runs: a folder of files, or a study.",
            "reseed gate OLD-RUNS NEW --max-churn 0.02 --beyond-reseeding",
        )
    if found.found.churn.value > 0:
        yield Step(
            "Which answers stay at risk?",
            "Retraining changes answers without any change of yours. Measure a recipe to see which.",
            "reseed measure data.csv --text TEXT --label LABEL",
        )
