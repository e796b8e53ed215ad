"""What models answer, of a study, of some of its runs, or of files, in one form that can be set side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import argument
from reseed._errors import DataError, InputError
from reseed.data import TABLE_EXTENSIONS
from reseed.studies._header import HEADER_FILE
from reseed.studies._import import understood
from reseed.studies._import_files import read_predicted_array, read_predictions
from reseed.studies._import_inspect import EXTENSIONS as INSPECT_EXTENSIONS
from reseed.studies._import_logs import LogOptions
from reseed.studies._import_tables import ColumnNames
from reseed.studies._study import Study
from reseed.studies._targets import AUTO

_BESIDE: dict[str, Any] = {"notes": (), "documents": None, "taken": ""}
_KINDS = (*TABLE_EXTENSIONS, ".npy", *INSPECT_EXTENSIONS)


@final
@dataclass(frozen=True, eq=False)
class Answers:
    """What the runs of one side answer.

    Attributes:
        name: Where they are, as the user called it.
        ids: Sample ids, unique.
        class_names: Names of the classes.
        labels: Positions among them, [run, sample].
        targets: Gold labels among them, [sample]; -1 where unknown.
        runs: What each run is called: a number of a study, or a file.
        texts: What each sample says, or None.
        confidence: Probability of what is answered, [run, sample], as exactly as it is held; None where none is.
        documents: What tells whether two sides asked the same, [sample], of evaluations of language models; else None.
        taken: What of evaluations of language models was taken for labels, see `LogOptions`; else empty.
        origin: What tells whether two sides are of one origin: runs of a study's folder or URL, or files.
        seeds: The recipe's digest and the seeds of each run that reseed trained, as text; empty of others.
        notes: How they were read.
    """

    name: str
    ids: tuple[str, ...]
    class_names: tuple[str, ...]
    labels: NDArray[np.integer[Any]]
    targets: NDArray[np.int64]
    runs: tuple[str, ...]
    texts: tuple[str, ...] | None = None
    confidence: NDArray[np.floating[Any]] | None = None
    documents: tuple[str, ...] | None = None
    taken: str = ""
    origin: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def at(self, samples: Sequence[int]) -> Answers:
        """Return the answers to some samples, by their positions."""
        rows = np.asarray(samples, np.int64)
        return replace(
            self,
            ids=tuple(self.ids[row] for row in rows),
            labels=self.labels[:, rows],
            targets=self.targets[rows],
            texts=None if self.texts is None else tuple(self.texts[row] for row in rows),
            confidence=None if self.confidence is None else self.confidence[:, rows],
            documents=None if self.documents is None else tuple(self.documents[row] for row in rows),
        )

    def called(self, class_names: Sequence[str]) -> Answers:
        """Return the answers as positions among other names, which hold all of these."""
        position = {name: place for place, name in enumerate(class_names)}
        moved = np.array([position[name] for name in self.class_names] + [-1])  # -1 stays what it is
        return replace(self, class_names=tuple(class_names), labels=moved[self.labels], targets=moved[self.targets])


def read_answers(
    place: str | Path | Study | Sequence[str | Path],
    *,
    runs: Sequence[int] | None = None,
    called: str = "runs",
    columns: ColumnNames | None = None,
    targets: Path | None = None,
    class_names: Sequence[str] | None = None,
    unknown_target: Any = AUTO,
    log: LogOptions | None = None,
) -> Answers:
    """Return what is answered somewhere; nothing is written.

    Args:
        place: A study, its folder or URL; a file of predictions, or several, one a run; or a folder of such files. A
            single file may hold one run or more, see `import_predictions`.
        runs: Of a study, the numbers of the runs; default: all complete ones.
        called: What messages call that argument.
        columns: What columns of tables are called.
        targets: ``.npy`` file of gold labels [sample], for files.
        class_names: Names of the classes, for files.
        unknown_target: The target of samples whose gold label is not known, for files; see `from_predictions`.
        log: What is taken of evaluations of language models.

    Raises:
        DataError: A file is unreadable, or leaves open what it holds.
        InputError: The predictions are unusable, or there is no such run.
        StudyError: There is no usable study.
    """
    if isinstance(place, Study):
        return _of_study(place, runs, called)
    if isinstance(place, str | Path):
        if "://" in str(place) or (Path(place) / HEADER_FILE).exists():
            return _of_study(Study.open(place), runs, called)
        files = _files_of(Path(place))
    else:
        files = [Path(item) for item in place]
    if runs is not None:
        raise InputError(
            f"{argument(called)} are those of a study, but {str(place)!r} is none; name the files of the runs instead."
        )
    found = read_predictions(files, columns=columns, class_names=class_names, is_one_run=True, log=log)
    if targets is not None:
        found["targets"] = read_predicted_array(targets)
    notes, documents, taken = (found.pop(name, empty) for name, empty in _BESIDE.items())
    read = understood(**found, unknown_target=unknown_target, may_be_one_class=True)
    beside = [run.probabilities for run in read.runs]
    labels = np.stack([run.labels for run in read.runs])
    return Answers(
        name=str(place) if isinstance(place, str | Path) else ", ".join(map(str, files)),
        ids=read.samples.ids,
        class_names=read.samples.class_names,
        labels=labels,
        targets=read.samples.targets,
        runs=tuple(path.name for path in files) if len(files) > 1 else tuple(map(str, range(len(labels)))),
        texts=read.samples.texts,
        confidence=None if beside[0] is None else np.stack([part.max(1) for part in beside if part is not None]),
        documents=documents,
        taken=taken,
        origin=tuple(str(path.resolve()) for path in files),
        notes=(*notes, *read.notes),
    )


def same_contents(one: Answers, other: Answers) -> bool:
    """Whether two sides are of files that hold the same bytes, in some order."""
    if not one.origin or not other.origin or len(one.origin) != len(other.origin):
        return False
    return sorted(map(_digest, one.origin)) == sorted(map(_digest, other.origin))


def _digest(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _files_of(place: Path) -> list[Path]:
    """Return a file, or the files of predictions in a folder."""
    if not place.is_dir():
        return [place]
    found = sorted(path for path in place.iterdir() if path.is_file() and path.suffix.lower() in _KINDS)
    if not found:
        raise DataError(
            f"{str(place)!r} is a folder without a study and without files of predictions ({', '.join(_KINDS)})."
        )
    return found


def _of_study(study: Study, wanted: Sequence[int] | None, called: str) -> Answers:
    numbers = [manifest.run for manifest in study.manifests]
    if wanted is not None and (lacking := [run for run in wanted if run not in numbers]):
        raise InputError(
            f"{argument(called)} name {lacking[0]!r}, which is no complete run of {str(study.path)!r}; it has: "
            f"{', '.join(map(str, numbers)) or 'none'}."
        )
    if not numbers:
        raise InputError(f"the study {str(study.path)!r} has no complete run yet.")
    rows = [numbers.index(run) for run in (numbers if wanted is None else wanted)]
    if len(set(rows)) != len(rows) or not rows:
        raise InputError(f"{argument(called)} must be one or more different numbers, got {list(wanted or ())!r}.")
    manifests = [study.manifests[row] for row in rows]
    where = study.url or str(study.path.resolve())
    has_confidence = "confidence" in study.recorded_names()
    return Answers(
        name=study.url or str(study.path),
        ids=study.samples.ids,
        class_names=study.header.class_names,
        labels=study.final("labels")[rows],
        targets=study.targets,
        runs=tuple(str(numbers[row]) for row in rows),
        texts=study.samples.texts,
        confidence=study.final("confidence")[rows] if has_confidence else None,
        origin=tuple(f"{where}#{manifest.run}" for manifest in manifests),
        seeds=tuple(f"{manifest.recipe} {sorted(manifest.seeds.items())}" for manifest in manifests)
        if study.header.kind == "training"
        else (),
        notes=tuple(f"{study.path.name}: {note}" for note in study.header.notes),
    )
