"""The page of a comparison: what to use, every method beside the control, the Pareto plot, and samples."""

from __future__ import annotations

import math
import os
from functools import partial
from pathlib import Path

from reseed._parts import Parts
from reseed.instability import ComparedMethod, Comparison, Estimate
from reseed.report import _headline, _sections
from reseed.report import _text as text
from reseed.report._changed_samples import changed_samples
from reseed.report._charts import Chart, drawn
from reseed.report._comparison_terminal import COVERS
from reseed.report._pareto_chart import PARETO, pareto_chart
from reseed.report._shell import Page, document, navigation, write_page


def write_comparison_page(found: Comparison, path: str | os.PathLike[str]) -> Path:
    """Write a comparison's page to a file, which either is complete or does not appear.

    Args:
        found: What the page shows.
        path: Where to put it; missing folders are made, an existing file is replaced.

    Returns:
        The path written.

    Raises:
        InputError: The path is a folder.
        StorageError: It cannot be written.
    """
    return write_page(render_comparison(found), path, "comparison.html")


def render_comparison(found: Comparison) -> str:
    """Return the HTML text of `make_comparison_page`."""
    return make_comparison_page(found).html


def make_comparison_page(found: Comparison) -> Page:
    """Make the page of a comparison: one HTML page that needs no network and can be read without scripts.

    Texts that come from the data are treated as untrusted, as `make_page` does; what stands below the table of label
    entropy is left out where it cannot be made, with a note.

    Args:
        found: What the page shows.
    """
    parts = Parts()
    chart = drawn(PARETO, lambda: pareto_chart(found), parts)
    tables = {"Answers": _quality, "Cost and samples": _cost}
    below = [parts.make(f"The table '{name}' is missing", partial(make, found), "") for name, make in tables.items()]
    samples = parts.make("The section 'Samples' is missing", lambda: changed_samples(found), "")
    made = parts.make("The section 'Which studies' is missing", lambda: _provenance(found), "")
    front = "" if chart is None else _front(chart)
    methods = (
        '<section id="methods" aria-labelledby="methods-title"><h2 id="methods-title">Method by method</h2>'
        f"{_caption(found)}{_stability(found)}{''.join(below)}</section>"
    )
    sections = {"methods": ("Methods", methods), "front": ("Cost", front)}
    sections |= {"samples": ("Samples", samples), "made": ("Which studies", made)}
    notes = (*found.notes, *parts.notes)
    body = (
        '<a class="skip" href="#methods">Skip to the methods</a><main>',
        _header(found),
        _headline.notes(notes),
        navigation({place: name for place, (name, html) in sections.items() if html}),
        *(html for _, html in sections.values()),
        "</main>",
    )
    figures = {} if chart is None or chart.figure is None else {chart.name: chart.figure}
    page = document(_title(found), "\n".join(body), {"figures": figures}, "comparison.js")
    return Page(page, notes)


def _front(chart: Chart) -> str:
    return (
        '<section id="front" aria-labelledby="front-title"><h2 id="front-title">What it costs to be stable</h2>'
        f'<div class="single">{_sections.chart(chart)}</div></section>'
    )


def _title(found: Comparison) -> str:
    header = found.control.study.header
    return f"{header.dataset}, {header.model}: methods compared"


def _header(found: Comparison) -> str:
    samples = len(found.control.study.samples)
    facts = [
        text.plural(len(found.methods), "method"),
        f"{text.plural(found.runs, 'run')} of each study",
        text.plural(samples, "sample"),
        "with a second control" if found.null else "without a second control",
    ]
    items = "".join(f"<li>{fact}</li>" for fact in facts)
    return (
        '<header><p class="eyebrow">Comparison of methods</p>'
        f'<h1 dir="auto">{text.escape(_title(found))}</h1><ul class="facts">{items}</ul>'
        f'<p class="follow">{text.escape(found.recommendation)}</p></header>'
    )


def _caption(found: Comparison) -> str:
    return (
        f'<div class="caption"><p>Small print under a number: its 95 % interval, {COVERS[found.interval]}. A '
        "reduction is of label entropy, relative to the control; high-entropy samples are those on which the control's "
        "label entropy exceeds 0.56 nats. Since they are chosen by what the control's runs show, a second control "
        "seems to settle some of them as well: what counts is how far a method goes beyond it.</p></div>"
    )


def _stability(found: Comparison) -> str:
    names = (
        "Method",
        "Label entropy (nats)",
        "Reduction (%)",
        "Beyond the second control",
        "High-entropy samples (%)",
        "Beyond the second control",
    )
    rows = "".join(
        _row(
            row,
            _estimate(row.effect.label_entropy, 4),
            _estimate(row.effect.reduction, 1),
            _estimate(row.effect.beyond_null, 1, verdict=_verdict(row)),
            _estimate(row.effect.high_reduction, 1),
            _estimate(row.effect.high_beyond_null, 1),
        )
        for row in found.rows
    )
    return _table("Label entropy", names, rows)


def _verdict(row: ComparedMethod) -> str:
    return {True: "distinguishable", False: "may be chance", None: ""}[row.effect.is_distinguishable]


def _quality(found: Comparison) -> str:
    names = (
        "Method",
        "Accuracy (%)",
        "Less the control's",
        "Unstable samples (%)",
        "Jitter (%)",
        "Negative flips (%)",
        "NLL (nats)",
        "ECE (%)",
    )
    rows = "".join(
        _row(
            row,
            _estimate(row.effect.accuracy, 2, 100),
            _estimate(
                row.effect.accuracy_difference, 2, 100, verdict="significant loss" if row.effect.loses_accuracy else ""
            ),
            _estimate(row.effect.unstable_fraction, 1, 100),
            _estimate(row.effect.jitter, 2, 100),
            _estimate(row.effect.negative_flip_rate, 2, 100),
            _estimate(row.effect.nll, 4),
            _estimate(row.effect.ece, 2, 100),
        )
        for row in found.rows
    )
    words = (
        "Jitter: how many answers differ between two runs. Negative flips: how many answers a retraining gets wrong "
        "that the run before it got right. NLL: negative log-probability of the true class. ECE: calibration error "
        "in 15 bins."
    )
    return _table("Answers", names, rows) + f'<p class="caption">{words}</p>'


def _cost(found: Comparison) -> str:
    names = (
        "Method",
        "Training",
        "Networks that answer",
        "Wall time",
        "On the front",
        "Fixes",
        "Eases",
        "Worsens",
        "Breaks",
    )
    rows = "".join(
        _row(
            row,
            _times(row.cost.training),
            _count(row.cost.inference),
            _times(row.cost.wall),
            {True: "yes", False: "no", None: text.missing("not a candidate, or its cost is not known")}[row.on_front],
            *(text.count(row.samples[name]) for name in ("fixes", "eases", "worsens", "breaks")),
        )
        for row in found.rows
    )
    words = (
        "Training: passes of the training and of its teachers for one model, as multiples of the control's; a forward "
        "pass counts 1, a backward pass 2, and teachers that all runs share count once for each model. Wall time: "
        "relative to the faster control, such teachers included. Fixes: samples on which the control's runs differ "
        "and the method's agree, on whatever label; breaks: the other way round; eases and worsens: both differ, with "
        "lower or higher entropy."
    )
    return _table("Cost and samples", names, rows) + f'<p class="caption">{words}</p>'


def _provenance(found: Comparison) -> str:
    rows = "".join(
        f"<div><dt><bdi>{text.escape(text.clip(row.name, 120))}</bdi></dt>"
        f"<dd><bdi>{text.escape(row.study.url or row.study.path)}</bdi>, base seed {row.study.header.base_seed}, "
        f"{text.plural(len(row.study.manifests), 'complete run')}</dd></div>"
        for row in found.rows
    )
    return (
        '<section id="made" aria-labelledby="made-title"><h2 id="made-title">Which studies</h2>'
        f'<dl class="entries">{rows}</dl></section>'
    )


def _table(title: str, names: tuple[str, ...], rows: str) -> str:
    return f"<h3>{title}</h3>" + _sections.table(title, names, rows, numeric=tuple(range(1, len(names))))


def _row(row: ComparedMethod, *cells: str) -> str:
    kind = "" if row.role == "method" else ' class="muted"'
    numbers = "".join(f'<td class="number">{cell}</td>' for cell in cells)
    return f"<tr{kind}><td><bdi>{text.escape(text.clip(row.name, 120))}</bdi></td>{numbers}</tr>"


def _estimate(found: Estimate | None, digits: int, factor: float = 1, *, verdict: str = "") -> str:
    if found is None or math.isnan(found.value):
        return text.missing("does not apply, or was not recorded")
    value, low, high = (text.decimal(factor * each, digits) for each in (found.value, found.low, found.high))
    judged = f'<span class="spread">{verdict}</span>' if verdict else ""
    return f'{value}<span class="spread">{low} to {high}</span>{judged}'


def _times(value: float) -> str:
    return text.missing("not known") if math.isnan(value) else f"{text.decimal(value, 2)}\u00d7"


def _count(value: float) -> str:
    return text.missing("not known") if math.isnan(value) else text.count(int(value))
