"""What is known of corrupted training samples, in the form that all lenses share."""

from __future__ import annotations

from collections.abc import Iterator

from reseed._parts import Parts
from reseed.scores import NONE, Column, Scores
from reseed.studies import Study

_LABEL = "index of the class in the study's class_names"
_COLUMNS = {
    "is_corrupted": Column("whether its label or its input was made another one on purpose", NONE, "", "", "data"),
    "label_true": Column(f"its label before that: {_LABEL}", NONE, "", "", "data"),
    "label_given": Column(f"the label that was learned: {_LABEL}", NONE, "", "", "data"),
}


def corruption_scores(study: Study, parts: Parts) -> Iterator[Scores]:
    """Yield which training samples of a study were corrupted on purpose, if any were.

    Args:
        study: The study.
        parts: Notes where it is known no more.
    """
    found = parts.make("Which samples were corrupted is missing", lambda: study.corruption, None)
    if found is not None:
        columns = {
            "is_corrupted": found.changed,
            "label_true": found.true_labels,
            "label_given": found.given_labels,
        }
        yield Scores(lens="corruption", ids=found.sample_ids, split="train", columns=_COLUMNS, samples=columns)
