"""What a study that is there says of the training set."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reseed._errors import StudyError
from reseed.studies._study import Study


def said_of_training_set(
    place: str, train_data: str, labels: NDArray[np.integer], num_classes: int
) -> NDArray[np.float32]:
    """Return the mean probabilities of a study's complete runs on its training set, [1, sample, class].

    Args:
        place: The study's folder or URL; recorded in full, with its training set.
        train_data: Digest of the training set that is asked about.
        labels: Its labels, [sample].
        num_classes: Its classes.

    Raises:
        StudyError: There is no such study, it was trained on other data, or did not record what is needed.
        StorageError: The URL cannot be reached.
    """
    study = Study.open(place)
    if study.header.train_data != train_data:
        raise StudyError(
            f"teacher and student data differ: the anchor {place!r} was trained on {study.header.dataset!r} "
            f"({study.header.train_data or 'unknown'}), these runs train on {train_data}; choose an anchor of the same "
            "training set."
        )
    recorded = study.recorded("probabilities", "train")
    expected = (len(labels), num_classes)
    if recorded.shape[2:] != expected:
        raise StudyError(
            f"soft targets that do not match ids: the anchor {place!r} recorded [sample, class] = "
            f"{list(recorded.shape[2:])} of its training set, which has {list(expected)}; the study is damaged."
        )
    mean = np.zeros(expected)
    for run in range(recorded.shape[0]):
        mean += recorded[run, -1].to_numpy()
    totals = mean.sum(1, keepdims=True)
    if not np.allclose(totals, recorded.shape[0], rtol=1e-2):
        raise StudyError(f"the anchor {place!r} recorded probabilities that do not sum to one; the study is damaged.")
    return np.asarray(mean / totals, np.float32)[None]
