"""The table of samples: HTML rows for the least stable, compact JSON from which the script makes the rest."""

import base64
import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from reseed._parts import Parts
from reseed.report import _text as text
from reseed.report._charts import answer_text
from reseed.report._data import ReportData

STATIC_ROWS = 100
TABLE_ROWS = 10_000
IMAGES = 300

_ANSWERS = 200_000  # (label, number of runs) pairs in all rows together
_PARTS = 12  # of a bar; what is rarer shares the last one
_IMAGE_BYTES = 1_500_000  # all images together, encoded
_TEXT_BYTES = 2_000_000  # all texts together
_TEXT_LIMITS = (2_000, 1_000, 500, 250, 120, 60)
_PREVIEW = 200  # characters of a text that show without opening it
_ID_LIMIT = 80

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


@dataclass(frozen=True)
class SampleTable:
    """The samples as the page holds them.

    Attributes:
        html: The table with its most unstable rows.
        payload: All rows by column, for the script.
        remarks: What was left out, in sentences.
    """

    html: str
    payload: dict[str, Any]
    remarks: tuple[str, ...]


def sample_table(data: ReportData, parts: Parts) -> SampleTable:
    """Build the table, least stable first, within the limits on rows, answers, images and texts.

    Args:
        data: What the page shows.
        parts: Takes note of rows, or of previews in them, that cannot be made.
    """
    return parts.make("The table of samples is missing", lambda: _filled(data, parts), _rows(data, [], None, {}))


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
    return replace(_rows(data, order, texts, images), remarks=tuple(remarks))


def _rows(data: ReportData, order: list[int], texts: list[str] | None, images: dict[int, str]) -> SampleTable:
    columns = _columns(data)
    return SampleTable(_table(data, order, columns, texts, images), _payload(data, order, columns, texts, images), ())


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
) -> dict[str, Any]:
    used = np.unique(
        [label for sample in order for label in (data.targets[sample], data.mode_label[sample], *_labels(data, sample))]
    )
    names = [int(label) for label in used if label >= 0]
    place = {-1: -1, **{label: number for number, label in enumerate(names)}}
    return {
        "columns": [{"key": key, "down": down} for key, _, down in columns],
        # Of very many classes only those that are named; what follows are positions among them.
        "classes": [text.clip(text.visible(data.class_name(label)), 60) for label in names],
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


def _labels(data: ReportData, sample: int) -> list[int]:
    return [label for label, _ in data.given(sample)]


def _numbers(values: np.ndarray, order: list[int]) -> list[float | None]:
    return [round(float(values[sample]), 4) if math.isfinite(values[sample]) else None for sample in order]


def _id(data: ReportData, sample: int) -> str:
    return text.clip(text.visible(data.sample_ids[sample]), _ID_LIMIT)


def _table(
    data: ReportData,
    order: list[int],
    columns: list[tuple[str, str, bool]],
    texts: list[str] | None,
    images: dict[int, str],
) -> str:
    head = "".join(
        f'<th scope="col" data-key="{key}"{" class=number" if down else ""}>{label}</th>'
        for key, label, down in columns
    )
    rows = []
    for position, sample in enumerate(order[:STATIC_ROWS]):
        cells = _cells(data, sample, None if texts is None else texts[position], images.get(position))
        rows.append("<tr>" + "".join(cells[key] for key, _, _ in columns) + "</tr>")
    return (
        '<div class="scroll" id="samples-box" role="region" aria-labelledby="samples-title" tabindex="0">'
        f'<table class="samples" id="samples-table"><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def _cells(data: ReportData, sample: int, words: str | None, image: str | None) -> dict[str, str]:
    """The cells of one row; the script builds the same ones."""
    target, mode = int(data.targets[sample]), int(data.mode_label[sample])
    unknown = text.missing("gold label unknown")
    gold = f"<bdi>{text.escape(text.clip(data.class_name(target), 60))}</bdi>" if target >= 0 else unknown
    if target < 0 or mode < 0:
        right = unknown if target < 0 else text.missing("no answer")
    elif _is_tied(data, sample):
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
        "sample": f'<td class="sample">{sample_cell(_id(data, sample), words, image)}</td>',
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


def _is_tied(data: ReportData, sample: int) -> bool:
    """Whether two labels lead with the same number of runs, so that there is no top answer to be right or wrong."""
    answer = data.given(sample)
    return len(answer) > 1 and answer[0][1] == answer[1][1]


def _number_cell(value: float, form: Any, reason: str) -> str:
    return f'<td class="number">{form(value) if math.isfinite(value) else text.missing(reason)}</td>'


def sample_cell(name: str, words: str | None, image: str | None) -> str:
    """How a sample is recognised: its picture in base64, its id, its text, of which long ones open at a click."""
    parts = []
    if image is not None:
        parts.append(f'<img src="data:image/png;base64,{image}" alt="sample {text.escape(name)}">')
    parts.append(f'<span class="id"><bdi>{text.escape(name)}</bdi></span>')
    if words is not None:
        safe = text.escape(words)
        if len(words) > _PREVIEW:
            opening = text.escape(text.clip(words, _PREVIEW))
            safe = f'<details><summary>{opening}</summary><span class="full">{safe}</span></details>'
        parts.append(f'<div class="text" dir="auto">{safe}</div>')
    return "".join(parts)


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
