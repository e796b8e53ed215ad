"""What all kinds of runs share: the lock, the ledger's view of a study, and failures as reports."""

from __future__ import annotations

import errno
import platform
import shutil
import traceback
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from reseed._arguments import argument
from reseed._errors import ReseedError, StorageError, StudyError
from reseed.engines import Engine, Group, RunReport, complete_runs
from reseed.studies._files import inside, remove_partials, storing
from reseed.studies._header import HEADER_FILE
from reseed.studies._manifest import Manifest, read_manifest
from reseed.studies._progress import RunProgress
from reseed.studies._pulse import PULSES
from reseed.studies._remote import LESSONS, Remote, located
from reseed.studies._store import remove_leftovers
from reseed.studies._study import Study
from reseed.studies._unfinished import drop_all_kept, told_of_kept


@dataclass(frozen=True, eq=False)
class AbstractRunTask(ABC):
    """Does runs of a study: idempotent, picklable, and a failure is a report instead of an exception.

    Args:
        root: The study's folder.
        save_every: Seconds after which trainings that are under way are kept, again and again; 0: they are not.
        pulses: Folder in which to say how far they are; None: nobody wants to know.
    """

    root: Path
    save_every: float = field(default=0.0, kw_only=True)
    pulses: Path | None = field(default=None, kw_only=True)

    def __call__(self, group: Group) -> list[RunReport]:
        """Do those runs of the group that are not finished."""
        missing = list(group)
        try:
            if not (self.root / HEADER_FILE).exists():
                raise StudyError(
                    f"the machine {platform.node()!r} does not see the study {str(self.root)!r}; choose a folder that "
                    "all machines share, or a URL."
                )
            manifests = {run: read_manifest(self.root, run) for run in group}
            for run, manifest in manifests.items():
                remove_leftovers(self.root, run, manifest)
            missing = [run for run, manifest in manifests.items() if manifest is None]
            return [_report(manifest, group) for manifest in self._do(group, missing)] if missing else []
        except ReseedError as error:  # reseed's own words; trying again will not help
            return [RunReport(run, "failed", message=str(error), is_final=True) for run in missing]
        except (Exception, SystemExit) as error:  # a worker must not take the others down; the parent shows the message
            detail = traceback.format_exc()
            is_final = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EROFS)
            message = f"{type(error).__name__}: {error}\n{detail}"
            return [RunReport(run, "failed", message=message, is_final=is_final) for run in missing]

    @abstractmethod
    def _do(self, group: Group, missing: Sequence[int]) -> list[Manifest]:
        """Do the missing runs of a group, write their predictions and manifests, and return the manifests."""


@dataclass(frozen=True, eq=False)
class RemoteRuns:
    """Does runs of a study at a URL: in a scratch folder of the machine it is called on, then copied to the URL.

    Args:
        task: Does them in a folder.
        url: Where the study is.
    """

    task: AbstractRunTask
    url: str

    def __call__(self, group: Group) -> list[RunReport]:
        """Do those runs of the group that are not finished at the URL."""
        try:
            with TemporaryDirectory(prefix="reseed-", ignore_cleanup_errors=True) as scratch:
                return self._do(Path(scratch), group)
        except (ReseedError, OSError) as error:  # a store that cannot be reached now may be reached later
            is_final = isinstance(error, ReseedError) and not isinstance(error, StorageError)
            return [RunReport(run, "failed", message=str(error), is_final=is_final) for run in group]

    def _do(self, root: Path, group: Group) -> list[RunReport]:
        remote = Remote(self.url)
        finished = remote.pull_outline(root, group)
        reports = replace(self.task, root=root)(group)
        made = [read_manifest(root, run) for run in group if run not in finished]
        for manifest in made:
            if manifest is not None:
                remote.push_run(root, manifest)
        return reports


def _report(manifest: Manifest, asked: Group) -> RunReport:
    if manifest.status == "diverged":
        message = f"diverged at step {manifest.diverged_at}: its loss or predictions were no longer finite"
        return RunReport(manifest.run, "diverged", message=message)
    accuracy = float("nan") if manifest.accuracy is None else manifest.accuracy
    message = ""
    if manifest.stacked < len(asked) and manifest.run == (manifest.group or asked)[0]:
        message = f"was trained with {manifest.stacked} in a group: {len(asked)} did not fit in memory"
    return RunReport(manifest.run, "complete", accuracy, message)


def finish_study(study: Study, task: AbstractRunTask, engine: Engine, retries: int, *, steps: int = 1) -> Study:
    """Have all runs of a study finished, with a progress bar, and open it anew.

    Args:
        study: Some of whose runs are missing.
        task: Does them.
        engine: Where.
        retries: How often failed runs are tried again.
        steps: Of each run, where those under way say how far they are.

    Raises:
        TrainingError: Some runs did not finish.
    """
    remote = study.remote

    def is_finished(run: int) -> bool:
        is_here = read_manifest(study.path, run) is not None
        return is_here or (remote is not None and remote.pull_run(study.path, run))

    accuracies = [manifest.accuracy for manifest in study.manifests if manifest.accuracy is not None]
    total = study.header.runs
    with (
        _said_in(study.path) as pulses,
        RunProgress(total, total - len(study.missing), accuracies, steps, pulses) as bar,
    ):
        task = replace(task, pulses=pulses)
        try:
            complete_runs(
                task if remote is None else RemoteRuns(task, remote.url),
                study.groups,
                engine=engine,
                is_finished=is_finished,
                on_report=bar.report,
                retries=retries,
            )
        except KeyboardInterrupt as error:
            error.add_note(_told_of(study))
            raise
    drop_all_kept(study.path)
    return study.reread()


@contextmanager
def _said_in(root: Path) -> Iterator[Path]:
    """Give a folder in which runs say how far they are, as long as anybody looks."""
    folder = inside(root, PULSES).absolute()  # workers elsewhere may stand in another folder
    shutil.rmtree(folder, ignore_errors=True)
    with storing(folder):
        folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _told_of(study: Study) -> str:
    """Return what there is of a study whose runs were interrupted."""
    done = study.header.runs - len(study.reread().missing)
    kept = told_of_kept(study.path, [group for group in study.groups if set(group) & set(study.missing)])
    told = f"{done} of {study.header.runs} runs in {study.url or str(study.path)!r} are finished and kept"
    return f"{told}{', and ' * bool(kept)}{', '.join(kept)}"


@contextmanager
def only_writer(place: str | Path, wait: float = 0) -> Iterator[Path]:
    """Hold the study's lock, so that two commands never write one study at once, and give its folder.

    What a killed command left half-written beside the study's files is removed.

    The lock is the operating system's: it ends with the process, however that ends. Of a study at a URL the folder is
    its local copy, made anew; there the lock keeps out commands on this machine only.

    Args:
        place: The study's folder or URL.
        wait: Seconds to wait for another process that holds the lock.

    Raises:
        StudyError: Another process holds it, or there is something else at the URL.
        StorageError: The folder cannot be written.
    """
    from filelock import FileLock, Timeout

    root, remote = located(place)
    with storing(root):
        root.mkdir(parents=True, exist_ok=True)
        if (root / ".lock").is_symlink():  # whoever locks it would empty what it leads to
            raise StudyError(f"{str(root / '.lock')!r} is a link; the study was tampered with. Delete the link.")
        lock = FileLock(root / ".lock", timeout=wait)
        try:
            lock.acquire()
        except Timeout as error:
            raise StudyError(
                f"another process is writing the study {str(place)!r}; wait for it, or choose another "
                f"{argument('out')}."
            ) from error
    try:
        if remote is not None:
            remote.begin(root)
        if (root / HEADER_FILE).exists():  # else it may be anybody's folder, which is not known yet
            for folder in (root, root / "cache", root / LESSONS):
                remove_partials(folder)
        yield root
    finally:
        lock.release()
