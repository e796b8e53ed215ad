"""The page of a comparison: what to use, the forest plot, every method beside the control, and samples."""

from __future__ import annotations

import math
import os
from functools import partial
from pathlib import Path

from reseed._parts import Parts
from reseed.instability import ComparedMethod, Comparison, Estimate
from reseed.report import _headline, _sections
from reseed.report import _text as text
from reseed.report._changed_samples import changed_samples, judged
from reseed.report._charts import drawn
from reseed.report._comparison_terminal import COVERS
from reseed.report._forest import forest, loss
from reseed.report._shell import Page, document, navigation, section_html, write_page
from reseed.report._study_links import studies_section
from reseed.studies import Study

_SEEDS, _FRESH = "With other seeds, the training data the same", "Under fresh data"


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
    return write_page(make_comparison_page(found, Path(path).parent).html, path, "comparison.html")


def render_comparison(found: Comparison) -> str:
    """Return the HTML text of `make_comparison_page`."""
    return make_comparison_page(found).html


def make_comparison_page(found: Comparison, folder: Path | None = None) -> Page:
    """Make the page of a comparison: one HTML page that needs no network and no scripts.

    Texts that come from the data are treated as untrusted, as `make_page` does; what stands below the headline is left
    out where it cannot be made, with a note.

    Args:
        found: What the page shows.
        folder: Where it will lie, for links to the reports of the studies; default: there are none.
    """
    parts = Parts()
    plot = drawn("Methods beside each other", lambda: forest(found), parts)
    tables = {"Label entropy": _stability, "Answers": _quality, "Calibration": _calibration, "Cost and samples": _cost}
    made = [parts.make(f"The table '{name}' is missing", partial(make, found), "") for name, make in tables.items()]
    if (fresh := found.fresh) is not None:
        plot = f"<h3>{_SEEDS}</h3>{plot}<h3>{_FRESH}</h3>"
        plot += drawn("Methods under fresh data", lambda: forest(fresh), parts)
        for name, make in (("Label entropy", _stability), ("Answers", _quality)):
            where = f"{name}, under fresh data"
            made.append(parts.make(f"The table '{where}' is missing", partial(make, fresh, where), ""))
    samples = parts.make("The section 'Samples' is missing", lambda: changed_samples(found), "")
    studies = parts.make(
        "The section 'Which studies' is missing",
        lambda: studies_section(_studies(found), folder),
        "",
    )
    sections = {
        "methods": ("Methods", section_html("methods", "Methods beside each other", plot)),
        "details": ("Details", section_html("details", "In numbers", _caption(found) + "".join(made))),
        "samples": ("Samples", samples),
        "made": ("Which studies", studies),
    }
    notes = (*found.notes, *parts.notes)
    body = (
        '<a class="skip" href="#methods">Skip to the methods</a><main>',
        _header(found),
        _headline.notes(notes),
        navigation({place: name for place, (name, html) in sections.items() if html}),
        *(html for _, html in sections.values()),
        "</main>",
    )
    return Page(document(_title(found), "\n".join(body), {}), notes)


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
        *(() if found.fresh_data is None else (f"again under fresh data: {found.fresh_data}",)),
    ]
    items = "".join(f"<li>{fact}</li>" for fact in facts)
    return (
        '<header><p class="eyebrow">Comparison of methods</p>'
        f'<h1 dir="auto">{text.escape(_title(found))}</h1><ul class="facts">{items}</ul>'
        f'<p class="lead">{text.escape(headline_of(found))}</p>'
        f'<p class="follow">{text.escape(found.recommendation)}</p></header>'
    )


def headline_of(found: Comparison) -> str:
    """Return what to use, in a sentence."""
    row = found.recommended
    if row is None or row.effect.reduction is None:
        return (
            "None of these methods keeps answers in place beyond chance while accuracy stays within "
            f"{found.margin:g} points."
        )
    cost = "" if math.isnan(row.cost.training) else f", at {text.decimal(row.cost.training, 1)}\u00d7 the training"
    beside = found.under_fresh_data(row.name)
    fresh = ""
    if beside is not None and beside.effect.reduction is not None:
        fresh = f", under fresh data by {text.decimal(beside.effect.reduction.value, 0)} %"
    falls = f"label entropy falls by {text.decimal(row.effect.reduction.value, 0)} %{fresh}{cost}."
    return f"Use {text.clip(row.name, 120)}: {falls}"


def _studies(found: Comparison) -> dict[str, Study]:
    fresh = {} if found.fresh is None else {f"{row.name}, fresh data": row.study for row in found.fresh.rows}
    return {row.name: row.study for row in found.rows} | fresh


def _caption(found: Comparison) -> str:
    return (
        f'<div class="caption"><p>Small print under a number: its 95 % interval, {COVERS[found.interval]}. A '
        "reduction is of label entropy, relative to the control; high-entropy samples are those on which the control's "
        "label entropy exceeds 0.56 nats. Since they are chosen by what the control's runs show, a second control "
        "seems to settle some of them as well: what counts is how far a method goes beyond it.</p></div>"
    )


def _stability(found: Comparison, title: str = "Label entropy") -> str:
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
    return _table(title, names, rows)


def _verdict(row: ComparedMethod) -> str:
    return {True: "distinguishable", False: "may be chance", None: ""}[row.effect.is_distinguishable]


def _quality(found: Comparison, title: str = "Answers") -> str:
    names = (
        "Method",
        "Accuracy (%)",
        "Less the control's",
        "Unstable samples (%)",
        "Jitter (%)",
        "Negative flips (%)",
    )
    rows = "".join(
        _row(
            row,
            _estimate(row.effect.accuracy, 2, 100),
            _estimate(row.effect.accuracy_difference, 2, 100, verdict=loss(row, found.margin)),
            _estimate(row.effect.unstable_fraction, 1, 100),
            _estimate(row.effect.jitter, 2, 100),
            _estimate(row.effect.negative_flip_rate, 2, 100),
        )
        for row in found.rows
    )
    words = (
        "Jitter: how many answers differ between two runs. Negative flips: how many answers a retraining gets wrong "
        "that the run before it got right."
    )
    return _table(title, names, rows) + f'<p class="caption">{words}</p>'


def _calibration(found: Comparison) -> str:
    after = "After temperature"
    names = ("Method", "ECE (%)", after, "NLL (nats)", after, "Temperature")
    rows = "".join(
        _row(
            row,
            _estimate(row.effect.ece, 2, 100, verdict=_worse(row.effect.ece_difference)),
            _estimate(row.effect.tempered_ece, 2, 100, verdict=_worse(row.effect.tempered_ece_difference)),
            _estimate(row.effect.nll, 4, verdict=_worse(row.effect.nll_difference)),
            _estimate(row.effect.tempered_nll, 4, verdict=_worse(row.effect.tempered_nll_difference)),
            text.missing("none was fitted") if row.temperature is None else text.decimal(row.temperature, 3),
        )
        for row in found.rows
    )
    words = (
        "ECE: calibration error in 15 bins; its interval covers other runs. NLL: negative log-probability of the true "
        "class. After temperature: of probabilities scaled by a temperature that one more training says on a tenth of "
        "the training set which it leaves out; no answer changes. Where the method scales by a temperature itself, "
        "both are those after it. Worse: above the control's by more than its interval."
    )
    return _table("Calibration", names, rows) + f'<p class="caption">{words}</p>'


def _worse(difference: Estimate | None) -> str:
    return "worse" if difference is not None and difference.low > 0 else ""


def _cost(found: Comparison) -> str:
    names = (
        "Method",
        "Training",
        "Networks that answer",
        "Processor time",
        "Wall time",
        "On the front",
        "Settles",
        "Eases",
        "Worsens",
        "Unsettles",
    )
    counted = judged(found)
    rows = "".join(
        _row(
            row,
            _times(row.cost.training),
            _count(row.cost.inference),
            _times(row.cost.processor),
            _times(row.cost.wall),
            {True: "yes", False: "no", None: text.missing("not a candidate, or its cost is not known")}[row.on_front],
            counted[row.name]["settles"],
            text.count(row.samples["eases"]),
            text.count(row.samples["worsens"]),
            counted[row.name]["unsettles"],
        )
        for row in found.rows
    )
    words = (
        "Training: passes of the training and of its teachers for one model, as multiples of the control's; a forward "
        "pass counts 1, a backward pass 2, and teachers that all runs share count once for each model. Processor and "
        "wall time: relative to the faster control, such teachers included; wall time only where every run had the "
        "machine to itself. On the front: no other method does as much at no "
        "higher cost. Settles: samples on which the control's runs differ and the method's agree, and on how many of "
        "them on the gold label; unsettles: the other way round, and on how many of them the control's runs had agreed "
        "on the gold label; eases and worsens: both differ, with lower or higher entropy."
    )
    return _table("Cost and samples", names, rows) + f'<p class="caption">{words}</p>'


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
