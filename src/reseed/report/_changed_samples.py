"""The samples that a method settles most and unsettles most, as people recognise them."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Integer

from reseed.instability import ComparedMethod, Comparison, label_statistics
from reseed.report import _sections
from reseed.report import _text as text
from reseed.report._study_samples import class_html, gold_html, sample_html
from reseed.studies import Study

_SHOWN = 10
_ANSWERS = 4


def judged(found: Comparison) -> dict[str, dict[str, str]]:
    """Return how many samples each method settles and unsettles, in words, with how many of them are right.

    A settled sample is right where the method's runs agree on the gold label; an unsettled one was right where the
    control's did.
    """
    table = found.samples.select(["method", "target", "effect", "mode_label"]).to_pydict()
    method, target, effect, mode = (np.array(table[name]) for name in ("method", "target", "effect", "mode_label"))
    before = mode[method == found.control.name]
    return {
        row.name: {
            "settles": _counted(effect[method == row.name] == "settles", mode[method == row.name], target, "right"),
            "unsettles": _counted(effect[method == row.name] == "unsettles", before, target, "had been right"),
        }
        for row in found.rows
    }


def _counted(
    chosen: Bool[np.ndarray, " sample"],
    labels: Integer[np.ndarray, " sample"],
    targets: Integer[np.ndarray, " row"],
    word: str,
) -> str:
    gold = targets[: len(chosen)]  # those of the first method, which are those of all
    known, total = chosen & (gold >= 0), text.count(int(chosen.sum()))
    if not known.any():
        return total
    right = int((labels[known] == gold[known]).sum())
    return f"{total} ({text.count(right)} {word})"


def changed_samples(found: Comparison) -> str:
    """For each method, two tables: what it settles most and what it unsettles most."""
    before, counted = _entropy(found.control, found.runs), judged(found)
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
            f"<details><summary><bdi>{name}</bdi>: settles {counted[row.name]['settles']}, unsettles "
            f"{counted[row.name]['unsettles']}</summary>{''.join(tables)}</details>"
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
        f'<tr><td class="sample">{sample_html(control, sample)}</td><td>{gold_html(control, sample)}</td>'
        f"<td>{_answers(control, sample, before[:, sample], entropies[0][sample])}</td>"
        f"<td>{_answers(control, sample, after[:, sample], entropies[1][sample])}</td></tr>"
        for sample in chosen
    )
    return _sections.block(title, _sections.table(title, ("Sample", "Gold label", "Control", "Method"), body, ()))


def _answers(study: Study, sample: int, labels: Integer[np.ndarray, " run"], entropy: float) -> str:
    distinct, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    pairs = [(int(distinct[place]), int(counts[place])) for place in order]
    words = [f"{class_html(study, label)}{text.NBSP}\u00d7{count}" for label, count in pairs[:_ANSWERS]]
    if len(pairs) > _ANSWERS:
        words.append(f"{len(pairs) - _ANSWERS} more")
    said = " \u00b7 ".join(words)
    return f'{said} {_verdict(study, sample, pairs)}<span class="spread">{text.decimal(entropy)} nats</span>'


def _verdict(study: Study, sample: int, pairs: list[tuple[int, int]]) -> str:
    target = int(study.targets[sample])
    if target < 0:
        return ""
    if len(pairs) > 1 and pairs[0][1] == pairs[1][1]:
        return '<span class="tie">= tie</span>'
    is_right = pairs[0][0] == target
    return '<span class="right">\u2713 right</span>' if is_right else '<span class="wrong">\u2717 wrong</span>'
