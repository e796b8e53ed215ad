"""Several studies of one recipe in one folder: what the commands that compare them have in common."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import copyfile
from typing import Any

from reseed._arguments import argument
from reseed._errors import StudyError
from reseed.data import load
from reseed.instability import Estimate
from reseed.models import architecture
from reseed.studies import is_partial, read_header, remove_partials, replace_file
from reseed.training import DRAWS, Recipe
from reseed.workflows._recipe import default_folder

CACHE = "cache"  # as studies call it


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


def share_cache(root: Path, study: Path) -> None:
    """Give a study the features that were computed once for all, so that it does not compute them again."""
    for file in sorted((root / CACHE).glob("*.npy")):
        if not (study / CACHE / file.name).exists():
            replace_file(study / CACHE / file.name, partial(copyfile, file))


def told(name: str, found: Estimate) -> dict[str, Any]:
    """Return a number with its 95 % interval, as JSON files hold them."""
    return {name: found.value, f"{name}_ci95": [found.low, found.high]}
