"""The page of a study: its parts put together, and the file written."""

import os
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from reseed._parts import Parts
from reseed.report import _headline, _sections
from reseed.report import _text as text
from reseed.report._charts import charts
from reseed.report._data import ReportData
from reseed.report._foretold_section import foretold_section
from reseed.report._glossary import glossary
from reseed.report._next_section import made_lines, next_section
from reseed.report._runs_section import runs_section
from reseed.report._samples import STATIC_ROWS, SampleTable, sample_table
from reseed.report._scores_rows import humanised
from reseed.report._scores_section import scores_place, scores_section
from reseed.report._shell import SCRIPT, Page, Section, document, navigation, section_html, write_page


def make_page(data: ReportData) -> Page:
    """Make the report as one HTML page that needs no network and can be read without scripts.

    Everything in `data` is treated as untrusted text. Besides, the page's content security policy lets only
    the script run whose hash it names, and forbids every request.

    What stands below the headline numbers is left out where it cannot be made, with a note.

    Args:
        data: What the page shows.

    Returns:
        The page.
    """
    parts = Parts()
    is_compared = data.flip_probability is None  # else there is a single run
    table = sample_table(data, parts)
    drawn = charts(data, table.rows, parts) if is_compared else {}
    sections = [section for section in _all_sections(data, drawn, table, parts) if section.html]
    notes = (*data.notes, *parts.notes)
    body = (
        '<a class="skip" href="#samples">Skip to the samples</a><main>',
        _headline.header(data),
        _headline.notes(notes),
        navigation({section.place: section.name for section in sections}),
        *(section.html for section in sections),
        '</main><dialog id="sample" aria-labelledby="sample-title"></dialog><div id="tip" role="tooltip" hidden></div>',
    )
    html = document(data.title, "\n".join(body), {"samples-data": table.payload}, SCRIPT, made_lines(data.made))
    return Page(html, notes)


def render(data: ReportData) -> str:
    """Return the HTML text of `make_page`."""
    return make_page(data).html


def write(data: ReportData, path: str | os.PathLike[str]) -> Path:
    """Write the report to a file, which either is complete or does not appear.

    Args:
        data: What the page shows.
        path: Where to put it; missing folders are made, an existing file is replaced.

    Returns:
        The path written.

    Raises:
        InputError: The path is a folder.
        StorageError: It cannot be written.
    """
    return write_page(render(data), path)


def _all_sections(data: ReportData, drawn: Mapping[str, str], table: SampleTable, parts: Parts) -> Iterator[Section]:
    yield Section("numbers", "Numbers", _headline.headline(data))
    if data.flip_probability is None:  # the charts and the labels say how several runs differ
        yield Section("picture", "Picture", _picture(drawn))
        pairs, classes = (
            parts.make(f"The table '{title}' is missing", partial(make, data), "")
            for title, make in (
                ("Labels that replace each other", _sections.pairs),
                ("Least stable classes", _sections.classes),
            )
        )
        beside = drawn.get("flips", "") + classes
        labels = pairs + (f"<div>{beside}</div>" if beside else "")
        yield Section("labels", "Labels", _section("labels", "Which labels", "columns", labels))
    where = parts.make("The section 'Where instability lives' is missing", partial(_sections.where, data), "")
    yield Section("where", "Where", where)
    yield Section("samples", "Samples", _samples(data, table))
    yield Section("runs", "Runs", runs_section(data, drawn, parts) if data.flip_probability is None else "")
    gap = "The section 'What foretells flips' is missing"
    foretold = parts.make(gap, partial(foretold_section, data.foretelling), "")
    yield Section("foretell", "What foretells flips", foretold)
    for scores in data.scores:
        gap = f"The section of the lens '{scores.lens}' is missing"
        html = parts.make(gap, partial(scores_section, scores, data.complete_runs, parts), "")
        yield Section(scores_place(scores), text.escape(humanised(scores.lens, scores.split)), html)
    yield Section("next", "Next", next_section(data.next_steps))
    cost = parts.make("The section 'What it cost' is missing", partial(_sections.cost, data), "")
    yield Section("cost", "Cost", cost)
    yield Section("words", "Words", glossary())
    made_by = parts.make("The section 'How this was made' is missing", partial(_sections.provenance, data), "")
    yield Section("made", "How it was made", made_by)


def _section(place: str, title: str, kind: str, content: str, words: str = "") -> str:
    """A section under a heading of the second order, with words before its content; nothing without content."""
    if not content:
        return ""
    return section_html(place, title, f'{words}<div class="{kind}">{content}</div>')


def _picture(drawn: Mapping[str, str]) -> str:
    return _section("picture", "The picture", "drawings", drawn.get("map", "") + drawn.get("histogram", ""))


def _samples(data: ReportData, table: SampleTable) -> str:
    held = len(table.payload["ids"])
    shown = min(held, STATIC_ROWS)
    intro = "Least stable first. Bars show how the runs voted: grey for the top answer, colour for the others."
    only_unstable = '<label><input type="checkbox" name="unstable" id="only-unstable"> only unstable</label>'
    if data.flip_probability is not None:
        intro = "Most likely to change first; the chance is estimated from a single run."
        only_unstable = ""
    remarks = "".join(f"<p>{text.escape(remark)}</p>" for remark in table.remarks)
    without = (
        f"<noscript><p>Without scripts the table shows the {text.plural(shown, 'least stable sample')}"
        f" of {text.count(len(data.sample_ids))}.</p></noscript>"
        if shown < len(data.sample_ids)
        else ""
    )
    controls = _controls(data, only_unstable)
    pager = (
        '<div class="pager" id="pager" hidden><p id="status" role="status"></p>'
        '<div role="group" aria-label="Pages"><button type="button" id="page-first">First</button>'
        '<button type="button" id="page-previous">Previous</button>'
        '<button type="button" id="page-next">Next</button>'
        '<button type="button" id="page-last">Last</button></div>'
        '<p class="hint">With the table in focus, Page Down and Page Up turn the page.</p></div>'
    )
    return (
        '<section id="samples" aria-labelledby="samples-title"><h2 id="samples-title">Samples</h2>'
        f'<div class="caption"><p>{intro}</p>{remarks}{without}</div>{controls}{table.html}{pager}</section>'
    )


def _controls(data: ReportData, only_unstable: str) -> str:
    """The filter bar, whose choices the script fills; names are those of the page's address."""
    is_compared, has_gold = data.flip_probability is None, bool((data.targets >= 0).any())
    choices = {
        "gold": "Gold label" if has_gold else "",
        "answer": "Answer of a run" if is_compared else "Answer",
        "other": "and another answer" if is_compared else "",
        "verdict": ("Top answer is" if is_compared else "Answer is") if has_gold else "",
        "group": "Group" if data.groupings else "",
        "run": "Run" if data.run_labels is not None and is_compared else "",
    }
    selects = "".join(
        f'<label>{words} <select id="filter-{name}" name="{name}"><option value="">any</option></select></label>'
        for name, words in choices.items()
        if words
    )
    ends = (("low", "from"), ("high", "to")) if is_compared else ()
    entropy = "".join(
        f'<label>Label entropy {words} <input type="number" name="{name}" min="0" step="0.05"></label>'
        for name, words in ends
    )
    return (
        '<div class="controls" id="controls" role="search" hidden>'
        '<label class="search">Search <input type="search" id="search" name="q" placeholder="text, id or label" '
        'autocomplete="off" spellcheck="false"></label>'
        f'<div class="filters" role="group" aria-label="Filters">{selects}{entropy}</div>'
        f"{only_unstable}"
        '<button type="button" id="clear">Clear filters</button>'
        '<label>Rows <select id="page-size"><option>25<option>50<option>100</select></label></div>'
    )
