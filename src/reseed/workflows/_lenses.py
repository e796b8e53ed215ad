"""What every lens says of a study, without knowing any of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from typing import cast

from reseed._parts import Parts
from reseed.instability import GIVEN
from reseed.scores import Scores, Split, check_distinct, readable_scores
from reseed.studies import Study


def given_scores(study: Study, parts: Parts) -> Iterator[Scores]:
    """Yield the scores that follow from what a study recorded, those that it allows.

    Args:
        study: The study.
        parts: Notes what cannot be made.

    Raises:
        TrainingError: Too few runs are complete.
    """
    for given in GIVEN:
        gap = f"The columns of {given.about} are missing"
        make = partial(given.make, study)
        found = make() if given.is_required else parts.make(gap, make, None)
        if found is not None:
            yield found


def kept_lens_scores(study: Study, parts: Parts, split: Split = "evaluation") -> Iterator[Scores]:
    """Yield what lenses keep with a study; of damaged scores `parts` notes what is wrong with them."""
    found, gaps = readable_scores(study)
    parts.add(*gaps)
    yield from (scores for scores in found if scores.split == split)


def lens_scores(study: Study, parts: Parts) -> Iterator[Scores]:
    """Yield all that lenses say of a study's evaluation samples: what follows from its records, then what is kept.

    No two of them have a column of one name: of the one that comes later `parts` notes that it is left out.
    """
    taken: dict[str, str] = {}
    for scores in given_scores(study, parts):
        taken |= dict.fromkeys({*scores.samples, *scores.by_run}, scores.lens)
        yield scores
    for scores in kept_lens_scores(study, parts):
        names = {*scores.samples, *scores.by_run}
        for other in sorted(set(taken.values())):
            gap, theirs = f"The scores of {scores.lens} are missing", {n for n, lens in taken.items() if lens == other}
            if not parts.make(gap, partial(_are_distinct, scores.lens, names, other, theirs), False):
                break
        else:
            taken |= dict.fromkeys(names, scores.lens)
            yield scores


def tracked_scores(study: Study) -> Scores | None:
    """Return what a lens measured along a study's trainings and says of it; None where none did.

    Raises:
        StudyError: It cannot be read.
    """
    lens, _, _ = study.header.record.track.partition(":")
    if not lens:
        return None
    # By name, as `reseed.training.LENSES` says; what stands there was checked when the header was read.
    make = import_module(f"reseed.{lens}.tracking").tracked_scores
    return cast(Callable[[Study], Scores | None], make)(study)


def run_scores(study: Study, parts: Parts) -> Iterator[Scores]:
    """Yield the scores of evaluation samples that have columns of single runs; what has none is not made."""
    makers = {given.about: given.make for given in GIVEN if given.has_runs}
    for about, make in makers.items():
        found = parts.make(f"The columns of {about} are missing", partial(make, study), None)
        if found is not None and found.by_run:
            yield found
    yield from (scores for scores in kept_lens_scores(study, parts) if scores.by_run)


def _are_distinct(lens: str, names: set[str], other: str, taken: set[str]) -> bool:
    check_distinct(lens, names, other, taken)
    return True
