"""A gate for people: in a terminal, as Markdown for a CI job's summary, and as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from reseed._plain import plain
from reseed.instability import Gate
from reseed.report._text import clip, visible
from reseed.statistics import Estimate

if TYPE_CHECKING:
    from rich.console import Console

_TEXT = 80  # characters of a sample that tables show
Row = tuple[str, str, str]


def print_gate(found: Gate, console: Console, *, top: int = 10) -> None:
    """Print the outcome, the numbers, and the samples that changed most."""
    from rich.table import Table
    from rich.text import Text

    _line(console, found.headline)
    for failure in other_failures(found):
        _line(console, f"also: {failure}")
    table = Table("", "%")
    table.add_column("limit", justify="right")
    for row in gate_rows(found):
        table.add_row(*map(Text, row))
    console.print(table)
    for line in gate_lines(found):
        _line(console, line)
    rows = found.changed.slice(0, max(top, 0)).to_pylist()
    if rows:
        _line(console, f"changed, {len(rows)} of {found.changed.num_rows} samples:")
    for row in rows:
        gold = f", gold {row['gold']}" if row.get("gold") is not None else ""
        text = f": {row['text']}" if row.get("text") else ""
        _line(console, clip(f"  {row['sample_id']}: {row['old']} -> {row['new']}{gold} ({row['change']}){text}", 160))


def gate_markdown(found: Gate, *, top: int = 20) -> str:
    """Return a gate as Markdown, as a CI job's summary shows it: outcome, numbers, and the samples that changed most.

    Args:
        found: The gate.
        top: How many samples are listed.
    """
    lines = [f"## reseed gate: {'pass' if found.passed else 'fail'}, {found.verdict.outcome}", ""]
    lines += [_cell(found.verdict.because), ""]
    lines += [f"- {_cell(failure)}" for failure in other_failures(found)]
    lines += ["", f"OLD {_cell(found.old)}, NEW {_cell(found.new)}", "", "| | % | limit |", "|---|---:|---:|"]
    lines += [f"| {' | '.join(map(_cell, row))} |" for row in gate_rows(found)]
    lines += ["", *(f"{_cell(line)}  " for line in gate_lines(found))]
    rows = found.changed.slice(0, max(top, 0)).to_pylist()
    if rows:
        names = [name for name in found.changed.column_names if name != "differs"]
        lines += ["", f"### Changed: {len(rows)} of {found.changed.num_rows} samples", ""]
        lines += [f"| {' | '.join(names)} |", f"|{'---|' * len(names)}"]
        lines += [f"| {' | '.join(_cell(clip(str(row[name] or ''), _TEXT)) for name in names)} |" for row in rows]
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def gate_junit(found: Gate) -> str:
    """Return a gate as JUnit XML: a test for the change, and one for each limit; what does not let it pass fails."""
    limits = {"max_churn": found.limits.max_churn, "max_negative_flips": found.limits.max_negative_flips}
    tests = ["change", *(name for name, limit in limits.items() if limit is not None)]
    cases = {test: [failure.says for failure in found.verdict.failures if failure.test == test] for test in tests}
    failed = sum(bool(messages) for messages in cases.values())
    suite = ElementTree.Element("testsuite", name="reseed gate", tests=str(len(cases)), failures=str(failed))
    for name, messages in cases.items():
        case = ElementTree.SubElement(suite, "testcase", classname="reseed.gate", name=name)
        if messages:
            failure = ElementTree.SubElement(case, "failure", message=visible(" ".join(messages)))
            failure.text = visible("\n".join(messages))
    rows = (" ".join(part for part in row if part) for row in gate_rows(found))
    said = "\n".join([found.headline, *rows, *gate_lines(found)])
    ElementTree.SubElement(suite, "system-out").text = visible(said)
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def gate_rows(found: Gate) -> Iterator[Row]:
    """Yield what was measured: its name, its value in percent with its interval, and its limit."""
    change, limits = found.found, found.limits
    beyond = limits.beyond_reseeding
    yield "churn: answers that differ", _percent(change.churn), "" if beyond else _limit(limits.max_churn)
    if change.beyond is not None:
        yield "  of reseeding alone", _percent(change.beyond.reseeding), ""
        yield "  beyond reseeding", _percent(change.beyond.beyond), _limit(limits.max_churn) if beyond else ""
    right = change.correctness
    if right is None:
        return
    yield (
        "negative flips: right, now wrong",
        _percent(right.negative_flips),
        "" if beyond else _limit(limits.max_negative_flips),
    )
    if right.beyond is not None:
        yield "  of reseeding alone", _percent(right.beyond.reseeding), ""
        yield "  beyond reseeding", _percent(right.beyond.beyond), _limit(limits.max_negative_flips) if beyond else ""
    yield "wins: wrong, now right", _percent(right.wins), ""
    yield "accuracy of OLD", _percent(right.old_accuracy), ""
    yield "accuracy of NEW", _percent(right.new_accuracy), ""
    yield "accuracy: NEW less OLD", _percent(right.difference), ""


def gate_lines(found: Gate) -> Iterator[str]:
    """Yield what numbers are of, the exact test, and what would have been missed."""
    change, right = found.found, found.found.correctness
    runs = f"{change.old_runs} and {change.new_runs} runs" if change.old_runs + change.new_runs > 2 else "a run each"
    yield f"{change.samples:,} samples, {runs}; 95 % intervals over other {change.resampled}."
    if change.beyond is not None:
        whose = {"old": "OLD", "new": "NEW", "both": "OLD and of NEW"}[change.beyond.sides]
        yield (
            f"What reseeding alone changes is what runs of {whose} differ by. A churn beyond it of "
            f"{100 * change.beyond.least_detectable:.2f} points would have been seen 80 times in 100."
        )
    if right is not None:
        of = "" if right.pairs == 1 else f", twice the median over {right.pairs} pairs of runs"
        yield (
            f"McNemar's exact test of wins against losses: p = {right.p_value:.3g}{of}. A difference of accuracy of "
            f"{100 * right.least_detectable:.2f} points would have been seen 80 times in 100."
        )


def other_failures(found: Gate) -> list[str]:
    """Return what else does not let a change pass, beside what the outcome rests on."""
    return [failure.says for failure in found.verdict.failures if failure.says != found.verdict.because]


def _percent(found: Estimate) -> str:
    """Return an estimate in percent; two decimals tell small ones apart."""
    digits = 2 if max(abs(found.low), abs(found.high)) < 0.1 else 1
    value, low, high = (f"{100 * number:.{digits}f}" for number in (found.value, found.low, found.high))
    return f"{value} [{low}, {high}]"


def _limit(limit: float | None) -> str:
    return "" if limit is None else f"{100 * limit:g}"


def _line(console: Console, line: str) -> None:
    console.print(plain(line), markup=False, highlight=False, soft_wrap=True)


def _cell(text: str) -> str:
    """Return a text from outside that Markdown shows as it is, in one line and one cell."""
    escaped = "".join(f"\\{character}" if character in "\\`*_{}[]<>#|~$" else character for character in plain(text))
    return escaped
