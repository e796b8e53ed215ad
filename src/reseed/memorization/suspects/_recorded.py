"""What a study recorded of the samples that its runs were trained on, read a few checkpoints at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Shaped

from reseed._arguments import setting
from reseed._errors import StudyError
from reseed.memorization.suspects._held_out import FoldSums
from reseed.memorization.suspects._window import WindowSums
from reseed.studies import Study

_BYTES = 64 << 20
TRAIN = "train"


@dataclass(frozen=True, eq=False)
class Recorded:
    """What all kinds of studies have of their training split.

    Attributes:
        inside: which samples each run was trained on.
        right: share of checkpoints at which the given label is answered, of each run.
        finally_right: whether it is at the last one.
        forgotten: how often it was answered at one checkpoint and not at the next, of each run.
        label_entropy: entropy of the last labels over the runs that were trained on a sample, nats.
        rival: the label other than the given one that is answered most often, over runs and checkpoints; -1: none.
    """

    inside: Bool[np.ndarray, "run sample"]
    right: Float[np.ndarray, "run sample"]
    finally_right: Bool[np.ndarray, "run sample"]
    forgotten: Int[np.ndarray, "run sample"]
    label_entropy: Float[np.ndarray, " sample"]
    rival: Int[np.ndarray, " sample"]


def check_recorded(study: Study) -> None:
    """Accepts a study that recorded its training split, with scores.

    Raises:
        StudyError: It did not; the message says which option does.
    """
    if not study.manifests:
        raise StudyError(f"the study {str(study.path)!r} has no complete run yet; the command that began it goes on.")
    names = study.recorded_names(TRAIN)
    if "labels" not in names:
        raise StudyError(
            f"the study {str(study.path)!r} did not record what its runs answer for their training samples; make it "
            f"with {setting('train', True)}, or let reseed memorize DATASET train networks on folds."
        )
    if "own_probability" not in names:
        raise StudyError(
            f"the study {str(study.path)!r} recorded labels alone of its training samples, which say little of wrong "
            f"labels; make it with {setting('train', True)} and {setting('level', 'scores')} or full."
        )


def recorded_labels(
    study: Study, labels: Int[np.ndarray, " sample"], inside: Bool[np.ndarray, "run sample"]
) -> Recorded:
    """Returns what the recorded labels say.

    Raises:
        StudyError: Some are damaged.
    """
    runs, classes = inside.shape[0], len(study.header.class_names)
    votes = np.zeros((len(labels), classes), np.int64)
    last = np.zeros((len(labels), classes), np.int64)
    rows = np.arange(len(labels))
    right, forgotten = np.zeros(inside.shape), np.zeros(inside.shape, np.int64)
    finally_right = np.zeros(inside.shape, np.bool_)
    for run in range(runs):
        before = np.zeros(len(labels), np.bool_)
        steps = 0
        for answered in checkpoints(study, "labels", run):
            if ((answered < 0) | (answered >= classes)).any():
                raise _damaged(study, "labels", run)
            now = answered == labels
            votes[rows, answered] += 1
            right[run] += now
            forgotten[run] += before & ~now
            before, steps = now, steps + 1
            final = answered
        right[run] /= steps
        finally_right[run] = before
        np.add.at(last, (rows[inside[run]], final[inside[run]]), 1)
    votes[rows, labels] = 0
    rival = np.where(votes.any(1), votes.argmax(1), -1)
    return Recorded(inside, right, finally_right, forgotten, _entropy(last), rival)


def best_window(
    study: Study, labels: Int[np.ndarray, " sample"], inside: Bool[np.ndarray, "run sample"]
) -> tuple[int, FoldSums]:
    """Returns from which checkpoint on answers are averaged, see `averaging_start`, and what they add up to.

    Raises:
        StudyError: Some are damaged.
    """
    windows = WindowSums(inside, len(study.header.class_names), labels, len(study.manifests[0].steps))
    for run in range(len(inside)):
        for checkpoint, probabilities in enumerate(checkpoints(study, "probabilities", run)):
            if not np.isfinite(probabilities).all() or probabilities.min() < 0:
                raise _damaged(study, "probabilities", run)
            windows.add(run, checkpoint, probabilities)
    return windows.best()


def probability_margins(
    study: Study, labels: Int[np.ndarray, " sample"], inside: Bool[np.ndarray, "run sample"]
) -> Float[np.ndarray, " sample"]:
    """Returns the mean, over runs with a sample and checkpoints, of its label's probability less the largest other.

    Raises:
        StudyError: Some are damaged.
    """
    total, counts = np.zeros(len(labels)), np.zeros(len(labels))
    for run in range(len(inside)):
        names = ("labels", "own_probability", "confidence", "margin")
        for answered, own, confidence, margin in zip(*(checkpoints(study, name, run) for name in names), strict=True):
            value = np.where(answered == labels, margin, own - confidence)
            if not np.isfinite(value).all():
                raise _damaged(study, "own_probability", run)
            total += np.where(inside[run], value, 0)
            counts += inside[run]
    with np.errstate(invalid="ignore"):
        means: Float[np.ndarray, " sample"] = total / counts
    return means


def checkpoints(study: Study, name: str, run: int) -> Iterator[Shaped[np.ndarray, "..."]]:
    """Yields what the run at a place recorded of its training split, checkpoint by checkpoint."""
    stored = study.recorded(name, TRAIN)[run]
    each = max(1, int(stored.nbytes // stored.shape[0]))
    at_once = max(1, _BYTES // each)
    for first in range(0, stored.shape[0], at_once):
        yield from np.asarray(stored[first : first + at_once])


def _entropy(counts: Int[np.ndarray, "sample class"]) -> Float[np.ndarray, " sample"]:
    from scipy.special import entr

    with np.errstate(invalid="ignore"):
        shares = counts / counts.sum(1, keepdims=True)
    return np.asarray(entr(shares).sum(1))


def _damaged(study: Study, name: str, run: int) -> StudyError:
    number = study.manifests[run].run
    return StudyError(
        f"the recorded {name!r} of the training samples of run {number} of the study {str(study.path)!r} are damaged. "
        "Delete the run's folder; the command that made the study then does it again."
    )
