"""The scores that lenses keep with a study, as far as they can be read."""

from __future__ import annotations

from functools import partial
from typing import Any

from reseed._errors import StudyError
from reseed._near import did_you_mean
from reseed._parts import Parts
from reseed.scores._kept import kept_lenses, kept_scores
from reseed.scores._scores import Scores, Split
from reseed.studies import Study

_MOST = 64  # lenses; a page or a table of more helps nobody


def readable_scores(study: Study) -> tuple[tuple[Scores, ...], tuple[str, ...]]:
    """Return what lenses keep with a study, by lens and split, and what cannot be read, in sentences.

    Scores that are damaged are those of one lens: what else the study says does not depend on them.

    Args:
        study: The study.
    """
    parts = Parts()
    lenses = _make(parts, "The scores of lenses are missing", partial(kept_lenses, study)) or ()
    if len(lenses) > _MOST:
        parts.add(f"The scores of {len(lenses) - _MOST} lenses are left out; the first {_MOST} are shown.")
    splits: tuple[Split, ...] = ("evaluation", "train") if study.header.train_data else ("evaluation",)
    found = (
        _make(parts, f"The scores of {lens} are missing", partial(kept_scores, study, lens, split))
        for lens in lenses[:_MOST]
        for split in splits
    )
    return tuple(scores for scores in found if scores is not None), tuple(parts.notes)


def scores_of(study: Study, lens: str) -> tuple[Scores, ...]:
    """Return what one lens keeps with a study, of the evaluation and of the training samples.

    Raises:
        StudyError: It keeps none; or they are damaged.
        StorageError: The study's URL cannot be reached.
    """
    lenses = kept_lenses(study)
    if lens not in lenses:
        known = f"only of {', '.join(lenses[:_MOST])}" if lenses else "of no lens"
        raise StudyError(
            f"the study {str(study.url or study.path)!r} keeps no scores of the lens {lens!r}, {known}."
            f"{did_you_mean(lens, lenses)}"
        )
    splits: tuple[Split, ...] = ("evaluation", "train") if study.header.train_data else ("evaluation",)
    found = [scores for split in splits if (scores := kept_scores(study, lens, split)) is not None]
    if not found:
        raise StudyError(
            f"the study {str(study.url or study.path)!r} keeps a folder of the lens {lens!r} with nothing in it."
        )
    return tuple(found)


def _make(parts: Parts, gap: str, read: Any) -> Any:
    """Return what is read; None, with a note, where it cannot be: what `Parts` lets go on too."""
    try:
        return parts.make(gap, read, None)
    except StudyError as error:
        parts.add(f"{gap}: {error}")
        return None
