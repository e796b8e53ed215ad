"""The section of what to do next, and the lines at the foot of the page on how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from reseed.report import _text as text
from reseed.report._data import Step

_PAGES = (
    "The documentation tells more: “How to choose a measure”, “Mitigations”, “The guide”, and a page for each lens."
)


def next_section(steps: Sequence[Step]) -> str:
    """Each question with its reason and the command that answers it; nothing where there is none."""
    if not steps:
        return ""
    return (
        '<section id="next" aria-labelledby="next-title"><h2 id="next-title">Next</h2>'
        f'<div class="next">{"".join(map(_step, steps))}</div><p class="caption">{_PAGES}</p></section>'
    )


def _step(step: Step) -> str:
    question = text.escape(step.question)
    box = f'<pre tabindex="0" role="region" aria-label="Command: {question}">'
    command = f"{box}<code>{text.escape(step.command)}</code></pre>" if step.command else ""
    link = f' <a class="set" href="{text.escape(step.place)}">These samples</a>' if step.place else ""
    return f"<div><h3>{question}</h3><p>{text.escape(step.words)}{link}</p>{command}</div>"


def made_lines(made: Mapping[str, str]) -> str:
    """When, by what and from what the page was made."""
    rows = "".join(
        f"<div><dt>{text.escape(name)}</dt><dd><bdi>{text.escape(value)}</bdi></dd></div>"
        for name, value in made.items()
    )
    return f'<dl class="entries">{rows}</dl>' if rows else ""
