"""The samples that a method settles most and unsettles most, as people recognise them."""

from __future__ import annotations

import base64

import numpy as np
from jaxtyping import Float, Integer

from reseed.instability import ComparedMethod, Comparison, label_statistics
from reseed.report import _sections
from reseed.report import _text as text
from reseed.report._samples import sample_cell
from reseed.studies import Study

_SHOWN = 10
_TEXT = 300  # characters
_ANSWERS = 4


def changed_samples(found: Comparison) -> str:
    """For each method, two tables: what it settles most and what it unsettles most."""
    before = _entropy(found.control, found.runs)
    parts = []
    for row in found.methods:
        after = _entropy(row, found.runs)
        change = after - before
        tables = (
            _block("Settles most", found, row, (before, after), np.argsort(change, kind="stable"), change < 0),
            _block("Unsettles most", found, row, (before, after), np.argsort(-change, kind="stable"), change > 0),
        )
        name = text.escape(text.clip(row.name, 120))
        parts.append(
            f"<details><summary><bdi>{name}</bdi>: fixes {text.count(row.samples['fixes'])}, breaks "
            f"{text.count(row.samples['breaks'])}</summary>{''.join(tables)}</details>"
        )
    caption = (
        "The samples whose label entropy changes most against the control, with the answers of the control's runs and "
        "of the method's. Part of it is chance: a second control changes samples as well."
    )
    return (
        '<section id="samples" aria-labelledby="samples-title"><h2 id="samples-title">Samples</h2>'
        f'<p class="caption">{caption}</p>{"".join(parts)}</section>'
    )


def _entropy(row: ComparedMethod, runs: int) -> Float[np.ndarray, " sample"]:
    return np.asarray(label_statistics(row.study.final("labels")[:runs]).label_entropy)


def _block(
    title: str,
    found: Comparison,
    row: ComparedMethod,
    entropies: tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]],
    order: Integer[np.ndarray, " sample"],
    is_meant: Float[np.ndarray, " sample"],
) -> str:
    chosen = [int(sample) for sample in order[:_SHOWN] if is_meant[sample]]
    if not chosen:
        return _sections.block(title, "<p>None.</p>")
    control = found.control.study
    before, after = (one.final("labels")[: found.runs] for one in (control, row.study))
    body = "".join(
        f'<tr><td class="sample">{_sample(control, sample)}</td><td>{_gold(control, sample)}</td>'
        f"<td>{_answers(control, before[:, sample], entropies[0][sample])}</td>"
        f"<td>{_answers(control, after[:, sample], entropies[1][sample])}</td></tr>"
        for sample in chosen
    )
    return _sections.block(title, _sections.table(title, ("Sample", "Gold label", "Control", "Method"), body, ()))


def _sample(study: Study, sample: int) -> str:
    samples = study.samples
    words = None if samples.texts is None else text.clip(text.visible(samples.texts[sample]), _TEXT)
    image = None if samples.images is None else base64.b64encode(samples.images[sample]).decode("ascii")
    return sample_cell(text.clip(text.visible(samples.ids[sample]), 80), words, image)


def _gold(study: Study, sample: int) -> str:
    target = int(study.targets[sample])
    return text.missing("gold label unknown") if target < 0 else _class(study, target)


def _answers(study: Study, labels: Integer[np.ndarray, " run"], entropy: float) -> str:
    distinct, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    pairs = [(int(distinct[place]), int(counts[place])) for place in order]
    words = [f"{_class(study, label)}{text.NBSP}\u00d7{count}" for label, count in pairs[:_ANSWERS]]
    if len(pairs) > _ANSWERS:
        words.append(f"{len(pairs) - _ANSWERS} more")
    said = " \u00b7 ".join(words)
    return f'{said}<span class="spread">{text.decimal(entropy)} nats</span>'


def _class(study: Study, label: int) -> str:
    return f"<bdi>{text.escape(text.clip(study.header.class_names[label], 60))}</bdi>"
