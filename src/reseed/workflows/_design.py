"""Several studies of one recipe in one folder: what the commands that compare them have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shutil import copyfile
from typing import Any

from reseed._arguments import argument
from reseed._errors import ReseedError, StudyError
from reseed._foreign import parse_json, read_text, reason
from reseed.data import load
from reseed.instability import Estimate
from reseed.models import architecture
from reseed.report import DesignPage, make_design_page
from reseed.studies import (
    Study,
    inside,
    is_partial,
    link_data,
    read_header,
    remove_partials,
    replace_file,
    replace_files,
    text_writer,
)
from reseed.training import DRAWS, Recipe
from reseed.workflows._recipe import default_folder

CACHE = "cache"  # as studies call it
_ANEW = "The command that made the folder writes it anew, and trains nothing that is finished."


def design_folder(recipe: Recipe, kind: str) -> Path:
    """Return the folder that a design of some kind gets when the user names none."""
    study = default_folder(recipe)
    return study.with_name(f"{study.name}-{kind}")


def check_design_folder(root: Path, what: str, names: tuple[str, ...], prefix: str | None = None) -> None:
    """Accept a folder that holds such a design, or nothing; what a killed command left half-written is removed.

    Args:
        root: The folder.
        what: What an error calls the design.
        names: The design's own files and folders.
        prefix: What the names of its studies begin with.

    Raises:
        StudyError: It holds something else; files are never mixed with a design's.
    """
    if not root.exists():
        return
    known = root.is_dir() and all(
        item.name in (*names, CACHE) or is_partial(item.name) or (prefix is not None and item.name.startswith(prefix))
        for item in root.iterdir()
    )
    if not known:
        raise StudyError(
            f"{str(root)!r} exists and holds no {what}; choose another {argument('out')}, or an empty folder."
        )
    remove_partials(root)


def draws_of(root: Path) -> int:
    """Return the version of draws for the studies of a design: that of the studies which are there, else the newest.

    Runs of the same number share their seeds across the studies of a design, so they must share what is drawn as well.

    Args:
        root: The design's folder.
    """
    headers = (read_header(file.parent) for pattern in ("*", "*/*") for file in root.glob(f"{pattern}/study.json"))
    return min((header.draws for header in headers if header is not None), default=DRAWS)


def prepare_once(recipe: Recipe, root: Path, announce: Callable[[str], None]) -> None:
    """Compute the features that all studies share, if the model has such, below the folder of all."""
    architecture(recipe.model).prepare(load(recipe.data), root / CACHE, announce)


def share_files(root: Path, study: Path) -> None:
    """Give a study what the design has already: features that were computed once for all, and data of memory."""
    for file in sorted((root / CACHE).glob("*.npy")):
        if not (study / CACHE / file.name).exists():
            replace_file(study / CACHE / file.name, partial(copyfile, file))
    others = (file.parent for pattern in (".", "*", "*/*") for file in sorted(root.glob(f"{pattern}/study.json")))
    link_data(others, study)


def read_numbers(root: Path, name: str) -> dict[str, Any]:
    """Return the numbers that a design keeps in its folder.

    Raises:
        StudyError: They cannot be read, or are no numbers of a design.
    """
    path = inside(root, name)
    try:
        found = parse_json(read_text(path, error=StudyError))
        if not isinstance(found, dict):
            raise ValueError("it holds no object")
    except (OSError, ValueError) as error:
        raise StudyError(f"{str(path)!r} cannot be read: {reason(error)}. {_ANEW}") from error
    return found


def kept_studies(root: Path, numbers: Mapping[str, Any]) -> dict[str, Study]:
    """Return the studies that a design's numbers name, by what each is called there.

    Raises:
        StudyError: They name none, or one that is not there, or outside the folder.
    """
    names = numbers.get("studies")
    names = {str(name): name for name in names} if isinstance(names, list) else names
    if not isinstance(names, dict) or not all(isinstance(name, str) for name in names.values()):
        raise StudyError(f"the numbers in {str(root)!r} do not say which studies they are of. {_ANEW}")
    return {called: Study.open(inside(root, *name.split("/"))) for called, name in names.items()}


@contextmanager
def damaged_numbers(root: Path, name: str) -> Iterator[None]:
    """Tell numbers that are not as they were written as damaged.

    Raises:
        StudyError: Something was missing from them, or is of another kind.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        if isinstance(error, ReseedError):
            raise
        raise StudyError(f"{str(root / name)!r} is damaged: {reason(error)}. {_ANEW}") from error


def write_design(root: Path, files: Mapping[str, Callable[[Path], None]], name: str, data: DesignPage) -> Path:
    """Write the numbers of a design and its page, after all are made, and return the page's path.

    Args:
        root: The design's folder.
        files: What fills each file of numbers, by its name.
        name: What the page is called.
        data: What the page shows.

    Raises:
        StorageError: They cannot be written.
    """
    page = text_writer(make_design_page(data, root).html)
    replace_files({root / file: write for file, write in {**files, name: page}.items()})
    return root / name


def told(name: str, found: Estimate) -> dict[str, Any]:
    """Return a number with its 95 % interval, as JSON files hold them."""
    return {name: found.value, f"{name}_ci95": [found.low, found.high]}
