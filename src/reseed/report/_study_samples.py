"""Samples of a study as cells of a table."""

from __future__ import annotations

import base64

from reseed.report import _text as text
from reseed.report._samples import sample_cell
from reseed.studies import Study

_TEXT = 300  # characters


def sample_html(study: Study, sample: int) -> str:
    """A sample as people recognise it: its picture, its id, the beginning of its text."""
    samples = study.samples
    words = None if samples.texts is None else text.clip(text.visible(samples.texts[sample]), _TEXT)
    image = None if samples.images is None else base64.b64encode(samples.images[sample]).decode("ascii")
    return sample_cell(text.shown_id(samples.ids[sample]), words, image)


def gold_html(study: Study, sample: int) -> str:
    """The gold label of a sample."""
    target = int(study.targets[sample])
    return text.missing("gold label unknown") if target < 0 else class_html(study, target)


def class_html(study: Study, label: int) -> str:
    """The name of a label."""
    return f"<bdi>{text.escape(text.clip(study.header.class_names[label], 60))}</bdi>"
