"""The section of a study's page on what one run says about the answers that others change."""

from __future__ import annotations

from reseed.report import _text as text
from reseed.report.chart._svg import chart_html
from reseed.scores import Foretelling


def foretold_section(found: Foretelling | None) -> str:
    """Return the section: the chart, and what a reader should know; nothing where nothing was asked."""
    if found is None:
        return ""
    notes = "".join(f"<li>{text.escape(note)}</li>" for note in found.notes)
    words = (
        f"Each of {text.plural(found.runs, 'run')} is held out in turn; what it says of a sample is compared with the "
        f"label entropy over the others, in which {found.flipping:.1%} of the samples change. In the terminal "
        "<code>reseed inspect STUDY --foretell</code> has lift and rank correlation as well."
    )
    return (
        '<section id="foretell" aria-labelledby="foretell-title"><h2 id="foretell-title">What foretells flips</h2>'
        f'<div class="caption"><p>{words}</p>{f"<ul>{notes}</ul>" if notes else ""}</div>'
        f'<div class="single">{chart_html(found.chart)}</div></section>'
    )
