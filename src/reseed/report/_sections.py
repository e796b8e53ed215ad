"""The other parts of the page: pairs, classes, groups, cost, how it was made."""

import base64
import json
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import quote

from reseed.report import _text as text
from reseed.report._charts import pair_place
from reseed.report._cost import cost_table
from reseed.report._data import Groups, ReportData

_PAIRS = 20
_CLASSES = 20


def pairs(data: ReportData) -> str:
    """The labels that replace each other most often."""
    rows = [row for row in data.pairs if row[2] > 0 or row[3] > 0]
    if not rows:
        return block("Labels that replace each other", "<p>No two labels were given to the same sample.</p>")
    top = max((share for _, _, share, _ in rows if share == share), default=0.0) or 1.0
    body = "".join(
        f'<tr><td><a class="set" href="{text.escape(pair_place(first, second))}"><bdi>{_name(data, first)}</bdi> '
        f"<span class=muted>\u2194</span> <bdi>{_name(data, second)}</bdi></a></td>"
        f'<td class="number meter">{_meter(share, top)}</td>'
        f'<td class="number">{text.count(int(samples))}</td></tr>'
        for first, second, share, samples in rows[:_PAIRS]
    )
    caption = (
        "Share: of all disagreements between two runs, how many are between these two labels. "
        "Samples: how many got both labels." + _more(len(rows), _PAIRS, "pairs")
    )
    shown = table("Labels that replace each other", ("Labels", "Share", "Samples"), body, numeric=(1, 2))
    return block("Labels that replace each other", shown + f'<p class="caption">{caption}</p>')


def classes(data: ReportData) -> str:
    """The classes whose samples are least stable."""
    if not data.classes:
        return block("Least stable classes", "<p>There are no numbers per class.</p>")
    top = max((entropy for *_, entropy in data.classes if entropy == entropy), default=0.0) or 1.0
    rows = []
    for label, samples, accuracy, entropy in data.classes[:_CLASSES]:
        known = text.number(accuracy)
        right = text.percent(known) if known is not None else text.missing("no gold labels")
        rows.append(
            f"<tr><td>{_set(f'gold={label}', _name(data, label))}</td>"
            f'<td class="number">{text.count(int(samples))}</td>'
            f'<td class="number">{right}</td>'
            f'<td class="number meter">{_meter(entropy, top, share=False)}</td></tr>'
        )
    caption = "Label entropy in nats, mean over the samples of the class." + _more(
        len(data.classes), _CLASSES, "classes"
    )
    columns = ("Class", "Samples", "Accuracy", "Label entropy")
    shown = table("Least stable classes", columns, "".join(rows), numeric=(1, 2, 3))
    return block("Least stable classes", shown + f'<p class="caption">{caption}</p>')


def where(data: ReportData) -> str:
    """The groupings' tests and the groups that stand out most; nothing where there is no grouping."""
    if not data.groupings:
        return ""
    columns = ("Group", "Samples", "Label entropy", "Unstable", "Excess", "p")
    blocks = []
    for found in data.groupings:
        body = "".join(
            f"<tr><td>{_group(data, found, name)}</td>"
            f'<td class="number">{text.count(samples)}</td><td class="number">{_with_ends(entropy, low, high)}</td>'
            f'<td class="number">{text.percent(unstable)}</td><td class="number">{text.decimal(excess)}</td>'
            f'<td class="number">{text.decimal(p) if p == p else text.missing("undefined")}</td></tr>'
            for name, samples, entropy, low, high, unstable, excess, p in found.rows
        )
        more = _more(found.total, len(found.rows), "groups")
        title = f"By {text.escape(found.title)}"
        shown = table(title, columns, body, numeric=(1, 2, 3, 4, 5))
        words = f"{text.escape(found.verdict)} {text.escape(found.about)}{more}"
        blocks.append(block(title, shown + f'<p class="caption">{words}</p>'))
    caption = (
        "Small print: the 95 % interval. Excess: mean label entropy of the group less that of all samples, in nats. "
        "p: chance that any group of the grouping stands out upwards as much as this one, were the values dealt to the "
        "samples at random."
    )
    return (
        '<section id="where" aria-labelledby="where-title"><h2 id="where-title">Where instability lives</h2>'
        f'<p class="caption">{caption}</p><div class="columns">{"".join(blocks)}</div></section>'
    )


def cost(data: ReportData) -> str:
    """What the runs cost, in total and each; nothing where no cost is known."""
    found = cost_table(data.summary)
    if found is None:
        return ""
    body = "".join(
        f'<tr><td>{name}</td><td class="number">{total}</td><td class="number">{each}</td></tr>'
        for name, total, each in found.rows
    )
    shown = table("What it cost", ("Figure", "In total", "Per run"), body, numeric=(1, 2))
    return (
        '<section id="cost" aria-labelledby="cost-title"><h2 id="cost-title">What it cost</h2>'
        f'<div class="single">{shown}<p class="caption">{text.escape(found.about)}</p></div></section>'
    )


def provenance(data: ReportData) -> str:
    """The recipe and where the numbers come from."""
    parts = []
    if data.recipe_toml is not None:
        parts.append(
            '<div class="wide"><h3 id="recipe-title">Recipe</h3>'
            '<pre tabindex="0" role="region" aria-labelledby="recipe-title">'
            f"{text.escape(data.recipe_toml)}</pre></div>"
        )
    for name, entries in data.provenance.items():
        parts.append(f"<div><h3>{text.escape(str(name).capitalize())}</h3>{entries_html(entries)}</div>")
    if not parts:
        parts.append("<p>No recipe, seeds or versions were recorded.</p>")
    return (
        '<section id="made" aria-labelledby="made-title"><h2 id="made-title">How this was made</h2>'
        f'<div class="made">{"".join(parts)}</div></section>'
    )


def entries_html(entries: Mapping[str, object]) -> str:
    """A list of values by name."""
    rows = "".join(f"<div><dt>{text.escape(key)}</dt><dd>{_value(value)}</dd></div>" for key, value in entries.items())
    return f'<dl class="entries">{rows}</dl>'


def _value(value: object) -> str:
    if value is None or value != value:
        return text.missing("not recorded")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list | tuple):
        return text.escape(", ".join(str(item) for item in value))
    if isinstance(value, Mapping):
        return text.escape(json.dumps(value, default=str, ensure_ascii=False))
    return text.escape(value)


def _set(filters: str, shown: str) -> str:
    """A link that shows the samples that pass filters."""
    return f'<a class="set" href="#samples?{text.escape(filters)}"><bdi>{shown}</bdi></a>'


def _group(data: ReportData, found: Groups, name: str) -> str:
    """A group's name, which leads to its samples where it is known who they are, under pictures of typical ones."""
    shown = text.escape(text.clip(name, 60))
    if found.place is None or name not in found.names:
        return f"<bdi>{shown}</bdi>"
    number = found.names.index(name)
    link = _set(f"group={quote(found.title)}%3A{number}", shown)
    return (_thumbnails(data, found.typical[number]) if found.typical else "") + link


def _thumbnails(data: ReportData, samples: Sequence[int]) -> str:
    if data.images is None:
        return ""
    shown = [(sample, picture) for sample in samples if (picture := data.images[sample]) is not None]
    images = "".join(
        f'<img src="data:image/png;base64,{base64.b64encode(picture).decode("ascii")}" '
        f'alt="sample {text.escape(text.clip(data.sample_ids[sample], 80))}">'
        for sample, picture in shown
    )
    return f'<span class="thumbnails">{images}</span>' if images else ""


def _name(data: ReportData, label: int) -> str:
    return text.escape(text.clip(data.class_name(label), 60))


def _meter(value: float, top: float, *, share: bool = True) -> str:
    """A number over a thin bar of its size."""
    known = text.number(value)
    if known is None:
        return text.missing("undefined")
    width = 100 * min(max(known / top, 0.0), 1.0)
    return (
        f"{text.percent(known) if share else text.decimal(known)}"
        f'<span class="gauge" aria-hidden="true"><span style="width:{width:.1f}%"></span></span>'
    )


def _with_ends(value: float, low: float, high: float) -> str:
    """A group's label entropy over its interval, which says nothing where the group has one sample or no flip."""
    shown = text.decimal(value)
    if low != low:
        return shown
    ends = f"{text.decimal(low)} to {text.decimal(high)}" if value > 0 else "no flip seen"
    return f'{shown}<span class="spread">{ends}</span>'


def _more(total: int, shown: int, noun: str) -> str:
    return f" The first {shown} of {text.count(total)} {noun}." if total > shown else ""


def table(title: str, names: Iterable[str], body: str, numeric: tuple[int, ...], kind: str = "") -> str:
    """A table of rows that are HTML already, in a box that scrolls; ``kind`` is its class for the stylesheet."""
    head = "".join(
        f'<th scope="col"{" class=number" if place in numeric else ""}>{name}</th>' for place, name in enumerate(names)
    )
    box = f'<div class="scroll" role="region" aria-label="{title}" tabindex="0">'
    start = f'<table class="{kind}">' if kind else "<table>"
    return f"{box}{start}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def block(title: str, content: str) -> str:
    """Content under a heading of the third order."""
    return f"<div><h3>{title}</h3>{content}</div>"
