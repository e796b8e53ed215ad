"""Studies at a URL: what all machines reach, and its copy in a local folder."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from reseed._arguments import argument
from reseed._errors import InputError, MissingExtraError, StudyError
from reseed.studies._corruption import CORRUPTION_FILE
from reseed.studies._data_file import DATA_FILE
from reseed.studies._files import replace_file, storing
from reseed.studies._header import HEADER_FILE
from reseed.studies._manifest import MANIFEST, RUNS, Manifest, existing_runs, read_manifest, run_folder, run_name
from reseed.studies._object_store import CREDENTIALS, ObjectStore, save
from reseed.studies._recorded_inputs import INPUTS_FILE
from reseed.studies._weights import check_digest, weights_path

LESSONS = "lessons"
"""Folder of a study for what its shared teachers say."""
_BEFORE_THE_HEADER = ("recipe.toml", "evaluation.parquet", INPUTS_FILE, CORRUPTION_FILE, DATA_FILE)
_HALF_COPIED = ".copy-"


def located(place: str | Path) -> tuple[Path, Remote | None]:
    """Return a study's folder; for a URL the folder of its local copy, and what is at the URL.

    Copies lie below the folder that the environment variable RESEED_CACHE names, else in the user's own cache.

    Raises:
        InputError: It looks like a URL, but not like one of an object store, or holds a NUL.
        MissingExtraError: It is a URL, and the extra `cluster` is not installed.
    """
    text = str(place)
    if "\0" in text:
        raise InputError(f"{text!r} holds a NUL character, which no name of a file can; choose another one.")
    scheme, _, rest = text.partition(":/")
    if not rest or not re.fullmatch("[a-z][a-z0-9+.-]+", scheme):  # a single letter is a drive of Windows
        return Path(place), None
    if scheme not in CREDENTIALS or not re.match("/[^/]", rest):
        known = ", ".join(f"{known}://" for known in CREDENTIALS)
        raise InputError(
            f"{text!r} is no place for a study: give a folder or, as text, a URL that begins with {known}."
        )
    try:
        import obstore  # noqa: F401
        from platformdirs import user_cache_path
    except ImportError as error:
        raise MissingExtraError(
            f"a study at {text!r} needs the packages obstore and platformdirs; install them with: "
            "pip install 'reseed[cluster]'."
        ) from error
    url = text.rstrip("/")
    name = f"{re.sub('[^A-Za-z0-9.]+', '-', url)[:60]}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
    return Path(os.environ.get("RESEED_CACHE") or user_cache_path("reseed")) / "studies" / name, Remote(url)


def local_folder(place: str | Path) -> Path:
    """Return a folder.

    Raises:
        InputError: It is a URL.
    """
    path, remote = located(place)
    if remote is not None:
        raise InputError(f"{remote.url!r} is a URL; give a folder.")
    return path


@dataclass(frozen=True)
class Remote:
    """A study at a URL. Nothing is ever deleted there, since another machine may be writing it.

    Every method raises `StorageError` when the store cannot be reached.

    Args:
        url: Where; credentials come from the environment.
    """

    url: str

    @cached_property
    def store(self) -> ObjectStore:
        """The objects at the URL."""
        return ObjectStore(self.url)

    def pull(self, root: Path) -> bool:
        """Make a folder the copy of the study, and say whether there is one; without one the folder is left alone.

        Raises:
            StudyError: A manifest is corrupt.
        """
        with _copying(root):
            header = self.store.read([HEADER_FILE]).get(HEADER_FILE)
            if header is None:
                return False
            path = root / HEADER_FILE
            if not path.exists() or path.read_bytes() != header:
                found = self.store.read(_BEFORE_THE_HEADER)
                for name in _BEFORE_THE_HEADER:
                    (root / name).unlink(missing_ok=True)
                    if name in found:
                        _replace(root / name, found[name])
                _replace(path, header)
            names = [name for name in self.store.entries(RUNS) if re.fullmatch("run-[0-9]{5,9}", name)]
            runs = {_manifest_of(int(name[4:])): int(name[4:]) for name in names}
            manifests = self.store.read(runs)
            for name, manifest in manifests.items():
                self._copy_run(root, runs[name], manifest)
            for run in existing_runs(root):
                if _manifest_of(run) not in manifests:  # somebody dropped it
                    shutil.rmtree(run_folder(root, run))
        return True

    def begin(self, root: Path) -> None:
        """Make a folder the copy of the study, or ready for a new one.

        Raises:
            StudyError: Something else is at the URL; it is never mixed with a study.
        """
        if self.pull(root):
            return
        if strange := sorted(self.store.entries() - {*_BEFORE_THE_HEADER, RUNS, LESSONS}):
            raise StudyError(f"{self.url!r} holds {strange[0]!r} and no study; choose another {argument('out')}.")
        for name in (HEADER_FILE, *_BEFORE_THE_HEADER):  # of a study that was there before
            (root / name).unlink(missing_ok=True)
        shutil.rmtree(root / RUNS, ignore_errors=True)

    def pull_run(self, root: Path, run: int) -> bool:
        """Copy a run into a folder, if it is finished, and say whether it is."""
        with _copying(root):
            manifest = self.store.read([_manifest_of(run)]).get(_manifest_of(run))
            if manifest is not None:
                self._copy_run(root, run, manifest)
        return manifest is not None

    def pull_outline(self, root: Path, runs: Sequence[int]) -> list[int]:
        """Copy the header and the manifests of runs into a folder, and return the runs that are finished.

        Raises:
            StudyError: There is no study.
        """
        found = self.store.read([HEADER_FILE, *map(_manifest_of, runs)])
        if HEADER_FILE not in found:
            raise StudyError(f"{self.url!r} holds no study any more.")
        for name, content in found.items():
            save(root, name, content)
        return [run for run in runs if _manifest_of(run) in found]

    def push_header(self, root: Path) -> None:
        """Copy a study that has begun from a folder, its header last: from then on the study exists."""
        self.store.upload([name for name in _BEFORE_THE_HEADER if (root / name).exists()], root)
        self.store.upload([HEADER_FILE], root)

    def push_run(self, root: Path, manifest: Manifest) -> None:
        """Copy a finished run from a folder, its manifest last: from then on the run exists."""
        for folder in (manifest.predictions, manifest.weights_folder):
            files = (run_folder(root, manifest.run) / folder).rglob("*")
            self.store.upload([path.relative_to(root).as_posix() for path in files if path.is_file()], root)
        self.store.upload([_manifest_of(manifest.run)], root)

    def pull_weights(
        self, root: Path, manifests: Sequence[Manifest], step: int, announce: Callable[[str], None]
    ) -> None:
        """Copy the weights of runs after a step into a folder, as far as they are at the URL and not in the folder.

        Raises:
            StudyError: Some are not those that a manifest names.
        """
        paths = {weights_path(root, manifest, step): manifest for manifest in manifests}
        names = {path.relative_to(root).as_posix(): run for path, run in paths.items() if not path.exists()}
        if not names:
            return
        announce(f"fetching the weights of {len(names)} runs from {self.url!r}")
        with _copying(root), TemporaryDirectory(dir=root, prefix=_HALF_COPIED) as scratch:
            self.store.download(names, Path(scratch), if_there=True)
            for name, manifest in names.items():
                if (file := Path(scratch, name)).exists():
                    check_digest(file.read_bytes(), manifest, step, f"{self.url}/{name}")
                    (root / name).parent.mkdir(exist_ok=True)
                    file.replace(root / name)

    def pull_lesson(self, folder: Path, name: str) -> bool:
        """Copy what teachers say into a folder, if it is there, and say whether it is; its ``.json`` comes last."""
        names = {suffix: f"{LESSONS}/{name}{suffix}" for suffix in (".npy", ".json")}
        found = self.store.read(names.values())
        if names[".json"] not in found:
            return False
        with storing(folder):
            folder.mkdir(parents=True, exist_ok=True)
        for suffix, full in names.items():
            if full in found:
                _replace(folder / f"{name}{suffix}", found[full])
        return True

    def push_lesson(self, folder: Path, name: str) -> None:
        """Copy what teachers say from a folder, its ``.json`` last: from then on the lesson exists."""
        for suffix in (".npy", ".json"):
            if (folder / f"{name}{suffix}").exists():
                self.store.write(f"{LESSONS}/{name}{suffix}", folder / f"{name}{suffix}")

    def _copy_run(self, root: Path, run: int, manifest: bytes) -> None:
        """Copy what a manifest names, unless it is here already; the run appears in one rename."""
        path = root / _manifest_of(run)
        if path.exists() and path.read_bytes() == manifest:
            return
        with TemporaryDirectory(dir=root, prefix=_HALF_COPIED) as scratch:
            save(Path(scratch), _manifest_of(run), manifest)
            checked = read_manifest(Path(scratch), run)
            if checked is not None:
                self.store.download(self.store.below(f"{RUNS}/{run_name(run)}/{checked.predictions}"), Path(scratch))
            shutil.rmtree(path.parent, ignore_errors=True)
            path.parent.parent.mkdir(exist_ok=True)
            run_folder(Path(scratch), run).rename(path.parent)


@contextmanager
def _copying(root: Path) -> Iterator[None]:
    """Have the local copy for this process alone, without what killed ones left half copied."""
    from filelock import FileLock

    with storing(root):
        root.mkdir(parents=True, exist_ok=True)
        with FileLock(root / ".copy.lock"):
            for scratch in root.glob(f"{_HALF_COPIED}*"):
                shutil.rmtree(scratch, ignore_errors=True)
            yield


def _manifest_of(run: int) -> str:
    return f"{RUNS}/{run_name(run)}/{MANIFEST}"


def _replace(path: Path, content: bytes) -> None:
    def write(partial: Path) -> None:
        partial.write_bytes(content)

    replace_file(path, write)
