"""The study's header: what all its runs have in common."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

from typeguard import TypeCheckError, check_type

from reseed._arguments import argument
from reseed._bounds import BOUNDS
from reseed._choices import OMITTED
from reseed._errors import StudyError
from reseed._foreign import parse_json, read_text, reason
from reseed.studies._files import checked, inside, replace_json
from reseed.training import FIRST_DRAWS, Recipe, RecordConfig, SeedPlan, as_tree

FORMAT = 1
_MOST_RUNS = BOUNDS["runs"]
HEADER_FILE = "study.json"
_FACTORY = re.compile(r"[^\s:.][^\s:]*:[^\s:]+")


@dataclass(frozen=True)
class Header:
    """What all runs of a study have in common.

    Attributes:
        kind: ``training`` (by reseed, from a recipe), ``fit`` (by the user's own function) or ``import``.
        dataset: Name of the data.
        model: Name of the model.
        runs: How many runs were asked for; some may be missing or have diverged.
        class_names: Names of the classes.
        data: Digest of the evaluation samples.
        train_data: Digest of the training samples; empty where not known.
        recipe: Digest of the recipe; empty where there is none.
        base_seed: What all seeds derive from.
        vary: The streams that differ between runs, sorted.
        record: What is recorded, and when.
        threads: Threads of arithmetic in each run; more threads may round differently.
        deterministic: Whether only deterministic kernels were used.
        device: Where runs train.
        parameters: How many parameters the seed re-draws, start constant, or are shared pre-trained weights.
        groups: First run of each group, and the one after its last, where a group is trained as one program; empty
            where every run is trained by itself. Kept, so that resuming repeats the same arithmetic.
        notes: What a reader of the results should know.
        resample: Number of the bootstrap resample that all runs train on; None where there is no such.
        predictions: Digest of the predictions of all runs, where they were imported, so that no others go on with them.
        draws: Version of what reseed's generators draw for the runs' words, see `reseed.training.generator`.
        factory: ``MODULE:FUNCTION`` that makes a module for the weights of recorded runs; empty where there is none.
        folds: Into how many folds the training set is divided, of which every run leaves one out; 0: none.
        share: Share of the training set that each run trains on, drawn without replacement; 1: all.
        format: Version of the folder's layout; raised with every change to it or to these fields, but for fields that
            are written only where they say something.
    """

    kind: Literal["training", "fit", "import"]
    dataset: str
    model: str
    runs: int
    class_names: tuple[str, ...]
    data: str
    train_data: str = ""
    recipe: str = ""
    base_seed: int = 0
    vary: tuple[str, ...] = ()
    record: RecordConfig = field(default_factory=RecordConfig)
    threads: int = 1
    deterministic: bool = False
    device: str = "cpu"
    parameters: dict[str, int] = field(default_factory=dict)
    groups: tuple[tuple[int, int], ...] = ()
    notes: tuple[str, ...] = ()
    resample: int | None = None
    predictions: str = field(default="", metadata=OMITTED)
    draws: int = field(default=FIRST_DRAWS, metadata=OMITTED)
    factory: str = field(default="", metadata=OMITTED)
    folds: int = field(default=0, metadata=OMITTED)
    share: float = field(default=1.0, metadata=OMITTED)
    format: int = FORMAT

    @property
    def plan(self) -> SeedPlan:
        """The seeds of the runs that reseed trained."""
        return SeedPlan(
            self.base_seed,
            frozenset(self.vary),  # type: ignore[arg-type]  # streams are checked by the plan
            self.resample,
            self.draws,
            self.folds or None,
            self.share if self.share < 1 else None,
        )


def write_header(root: Path, header: Header) -> None:
    """Write the header, by rename; fields that say nothing are left out, as `as_tree` does."""
    replace_json(root / HEADER_FILE, as_tree(header))


def read_header(root: Path) -> Header | None:
    """Return a folder's header, or None where the folder is no study.

    Raises:
        StudyError: The header cannot be read, is corrupt, or written by another version of reseed.
    """
    path = inside(root, HEADER_FILE)
    try:
        text = read_text(path, error=StudyError)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise StudyError(
            f"the study header {str(path)!r} cannot be read: {reason(error)}. Put that right; the study may be whole."
        ) from error
    except UnicodeDecodeError as error:
        raise StudyError(f"the study header {str(path)!r} is corrupt: {reason(error)}.") from error
    try:
        tree = parse_json(text)
    except ValueError as error:
        raise StudyError(f"the study header {str(path)!r} is corrupt: {reason(error)}.") from error
    found = tree.get("format") if isinstance(tree, dict) else None
    if found != FORMAT:
        raise StudyError(
            f"the study {str(root)!r} has format {found!r}, but this version of reseed reads format {FORMAT}; "
            "open it with the version that wrote it, or make the study again in another folder."
        )
    try:
        lists = {name: tuple(check_type(tree[name], list)) for name in ("class_names", "vary", "notes")}
        lists["groups"] = tuple(tuple(check_type(pair, list)) for pair in check_type(tree["groups"], list))
        header = checked(Header(**tree | lists | {"record": RecordConfig(**tree["record"])}))
        _check_possible(header)
        return header
    except (KeyError, TypeError, ValueError, TypeCheckError) as error:
        raise StudyError(f"the study header {str(path)!r} is corrupt: {type(error).__name__}: {error}.") from error


def _check_possible(header: Header) -> None:
    """Accept fields of the right types.

    Raises:
        ValueError: One has a value that no study has.
    """
    if not 1 <= header.runs <= _MOST_RUNS:
        raise ValueError(f"runs is {header.runs}")
    if not header.class_names or len(set(header.class_names)) < len(header.class_names):
        raise ValueError("class_names are not one or more distinct names")
    if header.folds < 0 or header.folds == 1 or not 0 < header.share <= 1:
        raise ValueError(f"folds is {header.folds} and share {header.share}")
    if header.factory and not is_factory(header.factory):
        raise ValueError(f"factory is {header.factory!r}, not of the form MODULE:FUNCTION")
    if not all(0 <= start < stop <= _MOST_RUNS for start, stop in header.groups):
        raise ValueError("groups are no pairs of a first run and the one after the last")


def is_factory(name: object) -> bool:
    """Whether a name is of the form MODULE:FUNCTION.

    Examples:
        >>> is_factory("my_models:small_net"), is_factory("my_models.small_net")
        (True, False)
    """
    return isinstance(name, str) and _FACTORY.fullmatch(name) is not None


def grouping(start: int, stop: int, size: int) -> tuple[tuple[int, int], ...]:
    """Return groups of at most ``size`` runs from ``start`` up to ``stop``, as even as can be.

    Examples:
        >>> grouping(0, 50, 20)
        ((0, 16), (16, 33), (33, 50))
    """
    count = -(-(stop - start) // size)
    ends = [start + (stop - start) * part // count for part in range(count + 1)] if count else [start]
    return tuple(pairwise(ends))


def check_same_recipe(root: Path, found: Recipe, wanted: Recipe) -> None:
    """Accept to continue a study only with the recipe it began with.

    Raises:
        StudyError: The recipes differ; the message lists the fields.
    """
    there, now = _flat(as_tree(found)), _flat(as_tree(wanted))
    differing = sorted(name for name in there.keys() | now.keys() if there.get(name) != now.get(name))
    if differing:
        shown = "; ".join(f"{name}: {there.get(name)!r} there, {now.get(name)!r} now" for name in differing)
        raise StudyError(
            f"{str(root)!r} already holds a study of another recipe ({shown}). Choose another {argument('out')}, or "
            "delete the folder."
        )


def _flat(tree: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in tree.items():
        flat |= _flat(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def check_same_study(root: Path, found: Header, wanted: Header) -> None:
    """Accept to continue a study only with what it began with.

    Raises:
        StudyError: Something else than how many runs there are and which weights are kept differs; the message
            lists what.
    """
    if bool(found.groups) != bool(wanted.groups):
        one, other = ("stacked", "one by one") if found.groups else ("one by one", "stacked")
        raise StudyError(
            f"the runs of {str(root)!r} were trained {one}, now they would be {other}, which rounds differently. "
            f"Choose the engine it began with, or another {argument('out')}."
        )
    same_in_all = {"runs", "notes", "parameters", "format", "groups"}
    names = [item.name for item in dataclasses.fields(Header) if item.name not in same_in_all]
    found, wanted = (replace(one, record=replace(one.record, weights="auto")) for one in (found, wanted))
    differing = [name for name in names if getattr(found, name) != getattr(wanted, name)]
    if differing:
        shown = "; ".join(f"{name}: {_brief(found, name)} there, {_brief(wanted, name)} now" for name in differing)
        raise StudyError(
            f"{str(root)!r} already holds another study ({shown}). Choose another {argument('out')}, or delete the "
            "folder."
        )


def _brief(header: Header, name: str) -> str:
    value: Any = getattr(header, name)
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
