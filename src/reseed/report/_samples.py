"""The table of samples: HTML rows for the least stable, compact JSON from which the script makes the rest."""

import base64
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reseed._parts import Parts
from reseed.report import _text as text
from reseed.report._data import ReportData
from reseed.report._glossary import meaning
from reseed.report._sample_details import Labels, sample_details

STATIC_ROWS = 100
TABLE_ROWS = 10_000
IMAGES = 300

_ANSWERS = 200_000  # (label, number of runs) pairs in all rows together
_PARTS = 12  # of a bar; what is rarer shares the last one
_IMAGE_BYTES = 1_500_000  # all images together, encoded
_TEXT_BYTES = 2_000_000  # all texts together
_TEXT_LIMITS = (2_000, 1_000, 500, 250, 120, 60)
_PREVIEW = 200  # characters of a text that show without opening it

# key, heading, sorted downwards first
_COLUMNS: tuple[tuple[str, str, bool], ...] = (
    ("sample", "Sample", False),
    ("answers", "Answers over the runs", False),
    ("gold", "Gold label", False),
    ("right", "Top answer is", False),
    ("share", "Top share", True),
    ("entropy", "Label entropy", True),
    ("jitter", "Disagree\u00adment", True),
    ("confidence", "Confi\u00addence", True),
)
_OF_ONE_RUN: tuple[tuple[str, str, bool], ...] = (
    ("sample", "Sample", False),
    ("answer", "Answer", False),
    ("gold", "Gold label", False),
    ("right", "Answer is", False),
    ("chance", "Chance to change", True),
    ("confidence", "Confi\u00addence", True),
)
_COLUMN_WORDS = {
    "gold": "gold",
    "right": "tie",
    "share": "top",
    "entropy": "label-entropy",
    "jitter": "jitter",
    "confidence": "confidence",
}


@dataclass(frozen=True)
class SampleTable:
    """The samples as the page holds them.

    Attributes:
        html: The table with its most unstable rows.
        payload: All rows by column, for the script.
        rows: Which samples it holds, in its order.
        remarks: What was left out, in sentences.
    """

    html: str
    payload: dict[str, Any]
    rows: tuple[int, ...]
    remarks: tuple[str, ...]


def sample_table(data: ReportData, parts: Parts) -> SampleTable:
    """Build the table, least stable first, within the limits on rows, answers, images and texts.

    Args:
        data: What the page shows.
        parts: Takes note of rows, or of previews in them, that cannot be made.
    """
    return parts.make("The table of samples is missing", lambda: _filled(data, parts), _rows(data, [], None, {}, parts))


def _filled(data: ReportData, parts: Parts) -> SampleTable:
    order = _order(data)
    total = len(data.sample_ids)
    remarks = []
    if len(order) < total:
        remarks.append(f"The table holds the {text.count(len(order))} least stable of {text.count(total)} samples.")
    nothing: tuple[int, list[str] | None] = (0, None)
    limit, texts = parts.make("The samples' texts are missing", lambda: _texts(data, order), nothing)
    if data.texts is not None and texts and any(len(data.texts[sample]) > limit for sample in order):
        remarks.append(f"Texts are cut after {text.count(limit)} characters; the search sees what is shown.")
    images: dict[int, str] = parts.make("The samples' images are missing", lambda: _images(data, order), {})
    if data.images is not None and images:
        held = sum(data.images[sample] is not None for sample in range(total))
        if len(images) < held:
            remarks.append(f"Images are included for the {text.plural(len(images), 'least stable sample')} only.")
    return replace(_rows(data, order, texts, images, parts), remarks=tuple(remarks))


def _rows(
    data: ReportData, order: list[int], texts: list[str] | None, images: dict[int, str], parts: Parts
) -> SampleTable:
    columns, labels = _columns(data), Labels.of(data, order)
    payload = _payload(data, order, columns, texts, images, labels) | sample_details(data, order, labels, parts)
    return SampleTable(_table(data, order, columns, texts, images), payload, tuple(order), ())


def _order(data: ReportData) -> list[int]:
    """The samples that the table holds, by rows and by the answers in them, which may be as many as runs."""
    order = data.order[:TABLE_ROWS]
    answers = np.cumsum([len(data.answers[sample]) for sample in order])
    return [int(sample) for sample in order[: np.searchsorted(answers, _ANSWERS, side="right")]]


def _columns(data: ReportData) -> list[tuple[str, str, bool]]:
    """The columns that have something to show."""
    hidden = set()
    if not bool((data.targets >= 0).any()):
        hidden |= {"gold", "right"}
    if not bool(np.isfinite(data.confidence_mean).any()):
        hidden.add("confidence")
    columns = _COLUMNS if data.flip_probability is None else _OF_ONE_RUN
    return [column for column in columns if column[0] not in hidden]


def _texts(data: ReportData, order: list[int]) -> tuple[int, list[str] | None]:
    """The texts in table order, cut to the largest limit that keeps them within their budget."""
    if data.texts is None:
        return 0, None
    texts = [text.visible(data.texts[sample]) for sample in order]
    for limit in _TEXT_LIMITS:
        cut = [text.clip(value, limit) for value in texts]
        if sum(len(text.inline_json(value).encode()) for value in cut) <= _TEXT_BYTES:
            break
    return limit, cut


def _images(data: ReportData, order: list[int]) -> dict[int, str]:
    """Images by table position as base64, the least stable first, within their number and budget."""
    found: dict[int, str] = {}
    left = _IMAGE_BYTES
    if data.images is None:
        return found
    for position, sample in enumerate(order):
        picture = data.images[sample]
        if picture is None:
            continue
        encoded = base64.b64encode(picture).decode("ascii")
        left -= len(encoded)
        if left < 0 or len(found) == IMAGES:
            break
        found[position] = encoded
    return found


def _payload(
    data: ReportData,
    order: list[int],
    columns: list[tuple[str, str, bool]],
    texts: list[str] | None,
    images: dict[int, str],
    labels: Labels,
) -> dict[str, Any]:
    place = labels.place
    return {
        "columns": [{"key": key, "down": down} for key, _, down in columns],
        # Of very many classes only those that are named; what follows are positions among them.
        "classes": [text.clip(text.visible(data.class_name(label)), 60) for label in labels.used],
        "labels": list(labels.used),
        "total": len(data.sample_ids),
        "preview": _PREVIEW,
        "parts": _PARTS,
        "ids": [_id(data, sample) for sample in order],
        "texts": texts,
        "targets": [place[int(data.targets[sample])] for sample in order],
        "modes": [place[int(data.mode_label[sample])] for sample in order],
        "share": _numbers(data.mode_share, order),
        "entropy": _numbers(data.label_entropy, order),
        "jitter": _numbers(data.jitter, order),
        "chance": None if data.flip_probability is None else _numbers(data.flip_probability, order),
        "mean": _numbers(data.confidence_mean, order),
        "std": _numbers(data.confidence_std, order),
        "answers": [
            [int(value) for label, times in data.given(sample) for value in (place[label], times)] for sample in order
        ],
        # The images of the HTML rows are taken from there, not stored twice.
        "images": {position: image for position, image in images.items() if position >= STATIC_ROWS},
    }


def _numbers(values: np.ndarray, order: list[int]) -> list[float | None]:
    return [round(float(values[sample]), 4) if math.isfinite(values[sample]) else None for sample in order]


def _id(data: ReportData, sample: int) -> str:
    return text.shown_id(data.sample_ids[sample])


def _table(
    data: ReportData,
    order: list[int],
    columns: list[tuple[str, str, bool]],
    texts: list[str] | None,
    images: dict[int, str],
) -> str:
    head = "".join(
        f'<th scope="col" data-key="{key}"{" class=number" if down else ""}{_tooltip(key)}>{label}</th>'
        for key, label, down in columns
    )
    rows, names = [], _places(data, order)
    for position, sample in enumerate(order[:STATIC_ROWS]):
        picture, place = images.get(position), names[position]
        cells = _cells(
            data, sample, sample_cell(_id(data, sample), None if texts is None else texts[position], picture, place)
        )
        rows.append("<tr>" + "".join(cells[key] for key, _, _ in columns) + "</tr>")
    return (
        '<div class="scroll" id="samples-box" role="region" aria-labelledby="samples-title" tabindex="0">'
        f'<table class="samples" id="samples-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _tooltip(key: str) -> str:
    """What the heading of a column means, under the pointer."""
    word = _COLUMN_WORDS.get(key)
    return "" if word is None else f' title="{text.escape(meaning(word))}"'


def _places(data: ReportData, order: list[int]) -> list[str]:
    """Where each sample opens: under its id, or under its row where a row before it has that; the script says alike."""
    first: dict[str, int] = {}
    names = [_id(data, sample) for sample in order]
    called = [name if first.setdefault(name, row) == row else f"@{row}" for row, name in enumerate(names)]
    return [text.sample_place(name) for name in called]


def _cells(data: ReportData, sample: int, shown: str) -> dict[str, str]:
    """The cells of one row, the first of which is given; the script builds the same ones."""
    target, mode = int(data.targets[sample]), int(data.mode_label[sample])
    unknown = text.missing("gold label unknown")
    gold = f"<bdi>{text.escape(text.clip(data.class_name(target), 60))}</bdi>" if target >= 0 else unknown
    if target < 0 or mode < 0:
        right = unknown if target < 0 else text.missing("no answer")
    elif data.is_tied(sample):
        right = '<span class="tie">= tie</span>'
    else:
        right = (
            '<span class="right">\u2713 right</span>' if mode == target else '<span class="wrong">\u2717 wrong</span>'
        )
    mean, deviation = float(data.confidence_mean[sample]), float(data.confidence_std[sample])
    confidence = text.missing("confidence not recorded")
    if math.isfinite(mean):
        confidence = text.decimal(mean, 2)
        if math.isfinite(deviation):
            confidence += f" \u00b1{text.NBSP}{text.decimal(deviation, 2)}"
    share, jitter = float(data.mode_share[sample]), float(data.jitter[sample])
    entropy = float(data.label_entropy[sample])
    chance = math.nan if data.flip_probability is None else float(data.flip_probability[sample])
    answer = f"<bdi>{text.escape(text.clip(data.class_name(mode), 60))}</bdi>" if mode >= 0 else ""
    return {
        "sample": f'<td class="sample">{shown}</td>',
        "answers": f'<td class="answers">{_answers(data, sample)}</td>',
        "answer": f"<td>{answer or text.missing('no answer')}</td>",
        "gold": f"<td>{gold}</td>",
        "right": f"<td>{right}</td>",
        "share": _number_cell(share, text.percent, "no answer"),
        "entropy": _number_cell(entropy, text.decimal, "undefined for this sample"),
        "chance": _number_cell(chance, text.percent, "not estimated"),
        "jitter": _number_cell(jitter, text.percent, "needs two runs"),
        "confidence": f'<td class="number">{confidence}</td>',
    }


def _number_cell(value: float, form: Any, reason: str) -> str:
    return f'<td class="number">{form(value) if math.isfinite(value) else text.missing(reason)}</td>'


def sample_cell(name: str, words: str | None, image: str | None, place: str | None = None) -> str:
    """How a sample is recognised: its picture in base64, its id, its text, of which long ones open at a click.

    Args:
        name: Its id.
        words: Its text.
        image: Its picture.
        place: Where in the page more is told of it.
    """
    parts = []
    if image is not None:
        parts.append(f'<img src="data:image/png;base64,{image}" alt="sample {text.escape(name)}">')
    shown = f"<bdi>{text.escape(name)}</bdi>"
    link = f'<a class="id" href="{text.escape(place)}">{shown}</a>' if place else f'<span class="id">{shown}</span>'
    parts.append(link)
    if words is not None:
        safe = text.escape(words)
        if len(words) > _PREVIEW:
            opening = text.escape(text.clip(words, _PREVIEW))
            safe = f'<details><summary>{opening}</summary><span class="full">{safe}</span></details>'
        parts.append(f'<div class="text" dir="auto">{safe}</div>')
    return "".join(parts)


def answer_text(data: ReportData, sample: int, most: int = 6) -> str:
    """The answers of one sample in words, such as `transfer ×31 · balance ×19`."""
    answer = data.given(sample)
    words = [f"{text.clip(data.class_name(label), 60)}{text.NBSP}\u00d7{times}" for label, times in answer[:most]]
    if len(answer) > most:
        words.append(f"{len(answer) - most} more")
    return " \u00b7 ".join(words)


def _answers(data: ReportData, sample: int) -> str:
    answer = data.given(sample)
    if not answer:
        return text.missing("no answer")
    sizes = [times for _, times in answer]
    if len(sizes) > _PARTS:
        sizes[_PARTS - 1 :] = [sum(sizes[_PARTS - 1 :])]
    parts = "".join(
        f'<span class="part part-{min(place, 4)}" style="flex-grow:{int(times)}"></span>'
        for place, times in enumerate(sizes)
    )
    words = text.escape(answer_text(data, sample))
    return f'<span class="bar" aria-hidden="true">{parts}</span><bdi>{words}</bdi>'
