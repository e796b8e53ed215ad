"""The charts of suspicious labels, as plain data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from jaxtyping import Int

from reseed.data import Dataset, previews
from reseed.scores import Chart, Passage, Picture, Series

_SHOWN, _PAIRS, _LETTERS, _BYTES = 24, 12, 2000, 1 << 18


def charts_of(
    train: Dataset, order: Int[np.ndarray, " sample"], likely: Int[np.ndarray, " sample"], count: int
) -> Iterator[Chart]:
    """Yields the most suspicious samples as people see them, and which labels are thought wrong most often."""
    names, labels = train.class_names, train.labels.numpy()
    shown = [int(place) for place in order[: min(_SHOWN, max(count, 1))]]
    captions = {
        place: f"{train.sample_ids[place]}: given {names[labels[place]]}, likely {names[likely[place]]}"
        for place in shown
    }
    sentence = (
        "The training samples whose labels are most suspicious; some will be rare or ambiguous and rightly labelled."
    )
    items = previews(train, shown)
    pictures = tuple(
        Picture(item, captions[place], train.sample_ids[place])
        for place, item in zip(shown, items, strict=True)
        if isinstance(item, bytes) and len(item) <= _BYTES
    )
    passages = tuple(
        Passage((("", item[:_LETTERS]),), captions[place], train.sample_ids[place])
        for place, item in zip(shown, items, strict=True)
        if isinstance(item, str)
    )
    if pictures:
        yield Chart("images", "Most suspicious labels", sentence, pictures=pictures)
    elif passages:
        yield Chart("texts", "Most suspicious labels", sentence, passages=passages)
    if count:
        yield _pairs(names, labels[order[:count]], likely[order[:count]])


def _pairs(names: tuple[str, ...], given: Int[np.ndarray, " sample"], likely: Int[np.ndarray, " sample"]) -> Chart:
    pairs, counts = np.unique(np.stack([given, likely]), axis=1, return_counts=True)
    first = np.argsort(-counts, kind="stable")[:_PAIRS]
    bars = tuple(f"{names[given]}, likely {names[other]}" for given, other in pairs[:, first].T)
    sentence = f"{bars[0]} is suspected most often: {counts[first[0]]} of {counts.sum()} suspects."
    series = Series("", bars, tuple(float(value) for value in counts[first]))
    return Chart("bars", "Labels that are suspected", sentence, "given label, and the likely one", "samples", (series,))
