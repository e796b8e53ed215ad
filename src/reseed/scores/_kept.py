"""Scores kept with a study, in its folder and at its URL: written whole or not at all, deleted by nobody."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

from reseed._errors import InputError, StudyError
from reseed.scores._files import data_name, read_scores, write_scores
from reseed.scores._scores import Scores, Split
from reseed.studies import Study, inside, only_writer

FOLDER = "scores"
_LENS = re.compile("[a-z][a-z0-9_]{0,63}")
_WAIT_S = 60.0
_SPLITS: tuple[Split, ...] = ("evaluation", "train")


def keep_scores(study: Study, scores: Scores) -> None:
    """Keep scores with a study, in place of those that the lens kept before of the same split.

    They lie below ``scores/<lens>/`` of the study's folder, and are copied to its URL: a table of samples (Parquet),
    arrays of runs (zarr), and the rest as JSON, which is renamed into place last. `reseed.profile` then joins them,
    `reseed.export` writes them, and ``reseed inspect`` and the report show them.

    Args:
        study: Whose samples and runs they are of.
        scores: What to keep.

    Raises:
        InputError: They are of other samples or runs than the study's, or a column is called as another lens's is.
        StudyError: Another process writes the study.
        StorageError: They cannot be written.

    Examples:
        >>> import tempfile
        >>> import numpy as np
        >>> from reseed.scores import Column
        >>> column = Column("words of the text", "none", "[1, inf]", "words", "lengths")
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     study = Study.from_predictions([[0, 1], [1, 1]], folder + "/study")
        ...     ids = study.samples.ids
        ...     scores = Scores(lens="lengths", ids=ids, columns={"words": column}, samples={"words": np.array([3, 5])})
        ...     keep_scores(study, scores)
        ...     kept_scores(study, "lengths").table["words"].to_pylist()
        [3, 5]
    """
    digest = _digest(study, scores.split)
    _check_fits(study, scores)
    with only_writer(study.url or study.path, _WAIT_S) as root:
        names = {*scores.samples, *scores.by_run} - {"sample_id"}
        for other in all_kept_scores(study):
            if (other.lens, other.split) != (scores.lens, scores.split) and other.split == scores.split:
                check_distinct(scores.lens, names, other.lens, {*other.samples, *other.by_run})
        folder = inside(root, FOLDER, scores.lens)
        name = f"{scores.split}-{uuid4().hex[:8]}"
        try:
            write_scores(folder, name, scores, digest)
        except BaseException:  # Ctrl-C included
            shutil.rmtree(folder / name, ignore_errors=True)
            raise
        if study.remote is not None:
            files = [path for path in (folder / name).rglob("*") if path.is_file()]
            for some in (files, [folder / f"{scores.split}.json"]):  # the JSON last: from then on they are there
                study.remote.store.upload([path.relative_to(root).as_posix() for path in some], root)
        for left in folder.glob(f"{scores.split}-*"):  # of before, and of killed writers
            if left.name != name:
                shutil.rmtree(left, ignore_errors=True)


def kept_scores(study: Study, lens: str, split: Split = "evaluation") -> Scores | None:
    """Return what a lens keeps with a study; None where there is nothing.

    Args:
        study: The study.
        lens: The lens's name.
        split: Which samples.

    Raises:
        InputError: That is no name of a lens.
        StudyError: The scores are damaged, or of other samples than the study's.
        StorageError: The study's URL cannot be reached.
    """
    if not _LENS.fullmatch(lens):
        raise InputError(f"lens is {lens!r}; give a name of small letters, digits and '_'.")
    folder = inside(study.path, FOLDER, lens)
    _fetch(study, lens, split)
    if not folder.is_dir():
        return None
    ids = study.samples.ids if split == "evaluation" else None
    return read_scores(folder, split, _digest(study, split), ids, study.header.runs)


def all_kept_scores(study: Study) -> tuple[Scores, ...]:
    """Return everything that lenses keep with a study, by lens and split.

    Raises:
        StudyError: Some are damaged, or of other samples than the study's.
        StorageError: The study's URL cannot be reached.
    """
    found = (
        kept_scores(study, lens, split)
        for lens in kept_lenses(study)
        for split in _SPLITS
        if split == "evaluation" or study.header.train_data
    )
    return tuple(scores for scores in found if scores is not None)


def kept_lenses(study: Study) -> tuple[str, ...]:
    """Return the names of the lenses that keep scores with a study, sorted; nothing of what is in them is looked at.

    Raises:
        StorageError: The study's URL cannot be reached.
    """
    names = set() if study.remote is None else study.remote.store.entries(FOLDER)
    folder = inside(study.path, FOLDER)
    if study.remote is None and folder.is_dir():
        names = {path.name for path in folder.iterdir() if path.is_dir()}
    return tuple(sorted(name for name in names if _LENS.fullmatch(name)))


def scores_for(
    study: Study, lens: str, options: Mapping[str, Any], make: Callable[[], Scores], split: Split = "evaluation"
) -> Scores:
    """Return what a lens keeps with a study, if it was asked for the same of the same runs; else make it and keep it.

    Args:
        study: The study.
        lens: The lens's name.
        options: What it is asked for.
        make: Makes the scores; their options are ``options``, their runs the study's.
        split: Which samples.

    Raises:
        InputError: See `keep_scores`.
        StudyError: See `kept_scores` and `keep_scores`.
        StorageError: See both.
    """
    found = kept_scores(study, lens, split)
    runs = tuple(manifest.run for manifest in study.manifests)
    if found is not None and found.runs == runs and found.options == json.loads(json.dumps(dict(options))):
        return found
    made = make()
    keep_scores(study, made)
    return made


def check_distinct(lens: str, names: set[str], other: str, taken: set[str]) -> None:
    """Accept two lenses none of whose columns are called alike.

    Raises:
        InputError: One is.
    """
    if both := sorted(names & taken - {"sample_id"}):
        raise InputError(
            f"the lenses {lens!r} and {other!r} both have a column {both[0]!r}; call that of {lens!r} otherwise."
        )


def _check_fits(study: Study, scores: Scores) -> None:
    if scores.split == "evaluation" and scores.ids != study.samples.ids:
        raise InputError(
            f"the scores of the lens {scores.lens!r} are of {len(scores.ids)} samples that are not the "
            f"{len(study.samples)} of the study {str(study.path)!r} in their order; pass study.samples.ids."
        )
    if len(set(scores.ids)) < len(scores.ids):
        raise InputError(f"ids of the lens {scores.lens!r} name a sample twice; each has one row.")
    complete = [manifest.run for manifest in study.manifests]
    if strange := sorted(set(scores.runs) - set(complete)):
        raise InputError(
            f"the scores of the lens {scores.lens!r} are of run {strange[0]}, which is no complete run of the study "
            f"{str(study.path)!r}; those are {', '.join(map(str, complete[:8]))}{', ...' if len(complete) > 8 else ''}."
        )


def _digest(study: Study, split: Split) -> str:
    if split == "evaluation":
        return study.header.data
    if not study.header.train_data:
        raise StudyError(
            f"the study {str(study.path)!r} does not know what its runs were trained on, so scores of the training "
            "split cannot be kept with it."
        )
    return study.header.train_data


def _fetch(study: Study, lens: str, split: Split) -> None:
    """Copy a lens's scores from the study's URL, if it has one, unless they are here already."""
    remote = study.remote
    if remote is None:
        return
    name = f"{FOLDER}/{lens}/{split}.json"
    content = remote.store.read([name]).get(name)
    path = inside(study.path, *name.split("/"))
    if content is None or (path.exists() and path.read_bytes() == content):
        return
    remote.store.download([name], study.path)
    data = data_name(path.parent, split)
    if data is not None and not Path(path.parent, data).is_dir():
        remote.store.download(remote.store.below(f"{FOLDER}/{lens}/{data}"), study.path)
