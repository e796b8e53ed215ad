"""The main job: train one recipe with many seeds and say which predictions change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseed._errors import RecipeError
from reseed._foreign import parse_toml, read_toml, reason
from reseed._parts import Parts
from reseed.data import DataConfig, load
from reseed.engines import Engine
from reseed.instability import SampleGroups, Stability, describe_columns, evaluate, sample_groups
from reseed.mitigations import AbstractMitigation, parse_mitigations
from reseed.models import ModelConfig, suggested_model
from reseed.report import Page, make_page, report_data
from reseed.studies import (
    Study,
    json_writer,
    local_folder,
    replace_files,
    table_writer,
    text_writer,
    to_stderr,
    train_study,
)
from reseed.training import (
    DEFAULT_VARY,
    Recipe,
    RecordConfig,
    SeedPlan,
    check_vary,
    default_recipe,
    from_tree,
    mitigated,
)
from reseed.workflows._foretell import foretelling_for_page
from reseed.workflows._until import train_until

if TYPE_CHECKING:
    import pyarrow as pa

STUDIES = Path("reseed-studies")
SUMMARY, SAMPLES, REPORT = "summary.json", "samples.parquet", "report.html"
"""What `Measurement.write` writes, in this order."""


@dataclass(frozen=True, eq=False)
class Measurement:
    """A study and what it says.

    Attributes:
        study: The recorded predictions.
        stability: Every measure.
    """

    study: Study
    stability: Stability

    @property
    def summary(self) -> dict[str, Any]:
        """Flat numbers of the whole study; see `Stability`."""
        return self.stability.summary

    @cached_property
    def groups(self) -> SampleGroups:
        """The samples by class, length, confidence and cluster, as far as the study allows; see `sample_groups`."""
        return sample_groups(self.study)

    @property
    def samples(self) -> pa.Table:
        """One row a sample; see `Stability`, and for the groups that it is in `SampleGroups`."""
        return self._table[0]

    @cached_property
    def _table(self) -> tuple[pa.Table, list[str]]:
        """The samples, and what is missing from them."""
        parts, table = Parts(), self.stability.samples
        gap = "The columns of groups are missing"
        table = parts.make(gap, lambda: self.groups.append_to(self.stability.samples, self.study), table)
        notes = (*self.stability.notes, *self.groups.notes, *parts.notes)
        return describe_columns(table, notes), parts.notes

    @property
    def notes(self) -> tuple[str, ...]:
        """What is missing from the files that `write` writes, and why; ``stability.notes`` come besides.

        The page is made for it, once.
        """
        return tuple(note for note in self._page.notes if note not in self.stability.notes)

    @cached_property
    def _page(self) -> Page:
        """The report, whose notes say what is missing from the samples as well."""
        _, gaps = self._table
        parts = Parts()
        data = report_data(self.study, self.stability, self.groups)
        foretelling = parts.make(
            "What foretells flips is missing", lambda: foretelling_for_page(self.study, parts), None
        )
        return make_page(replace(data, foretelling=foretelling, notes=(*data.notes, *gaps, *parts.notes)))

    def write(self, folder: str | Path | None = None) -> Path:
        """Write ``summary.json``, ``samples.parquet`` and ``report.html``, and return the report's path.

        All are made before the first is put in place. Parts of the report and of the table that cannot be made are left
        out; the report says so, and `notes`.

        Args:
            folder: Where to; default: the study's folder, and its URL if it has one.

        Raises:
            StorageError: They cannot be written.
        """
        root = self.study.path if folder is None else local_folder(folder)
        page = text_writer(self._page.html)
        files = {SUMMARY: json_writer(self.summary), SAMPLES: table_writer(self.samples), REPORT: page}
        replace_files({root / name: write for name, write in files.items()})
        if folder is None:
            self.study.publish(*files)
        return root / REPORT


def inspect(study: str | Path | Study) -> Measurement:
    """Measure a study that is already there, in a folder or at a URL; nothing is trained or written.

    Raises:
        StudyError: There is no usable study.
        StorageError: The URL cannot be reached.
        TrainingError: Fewer than two of its runs are complete, and not one with margins at several checkpoints.
    """
    opened = study if isinstance(study, Study) else Study.open(study)
    return Measurement(opened, evaluate(opened))


def measure(
    data: str | DataConfig = "digits",
    model: str | None = None,
    *,
    runs: int = 50,
    until: float | None = None,
    out: str | Path | None = None,
    recipe: Recipe | None = None,
    vary: Iterable[str] = DEFAULT_VARY,
    seed: int = 0,
    record: RecordConfig | None = None,
    engine: str | Engine = "auto",
    jobs: int | None = None,
    address: str | None = None,
    group: int | None = None,
    device: str = "cpu",
    threads: int | None = None,
    deterministic: bool = False,
    probe: bool = True,
    announce: Callable[[str], None] | None = None,
) -> Measurement:
    """Train one recipe with many seeds and measure which predictions change.

    Writes the study with ``summary.json``, ``samples.parquet`` and ``report.html``. Finished runs are kept whatever
    happens: calling again with the same arguments continues, and more ``runs`` extend the study.

    Args:
        data: A data set's name, a file, or a `DataConfig`. Not used when ``recipe`` is given.
        model: A model's name; default: what suits the data. Not used when ``recipe`` is given.
        runs: Trainings in all; with ``until`` the most there may be. Of a single one, which must be recorded with
            scores at several checkpoints, instability is estimated, see `reseed.instability.evaluate`.
        until: Begin with 10 runs and add more until the half-width, in nats, of the 95 % interval of mean label
            entropy over runs is this small.
        out: The study's folder, or a URL that begins with ``s3://``, ``gs://`` or ``az://``; default:
            ``reseed-studies/`` and a name made of data, model and recipe.
        recipe: The whole recipe, see `recipe_for`.
        vary: The seed streams that differ between runs: ``init``, ``order``, ``dropout``, ``augment``, ``data``.
        seed: Base seed from which all seeds derive.
        record: What is recorded, and when.
        engine: ``auto``, ``serial``, ``processes``, ``stacked``: several runs as one program, ``cluster``: a Ray
            cluster, or an `Engine` of one's own; see `train_study`.
        jobs: Worker processes, or groups at once on a cluster; default: one for each core.
        address: Where the cluster is: ``auto`` or HOST[:PORT]; default: a Ray on this machine alone.
        group: Runs in one program; default: what memory allows, at most 64.
        device: Where runs train: ``cpu``, ``cuda``, ``mps`` or ``auto``.
        threads: Threads of arithmetic; default: one, or all cores for the engine stacked; when a study is continued,
            what it began with.
        deterministic: Whether to use torch's deterministic kernels only; for GPUs.
        probe: Whether to check determinism first.
        announce: Takes a line before long work begins; default: standard error.

    Returns:
        The study and its measures.

    Raises:
        InputError: An argument, the recipe or the data is unusable.
        DeterminismError: The probe failed.
        StorageError: The folder cannot be written, or the URL not be reached.
        MissingExtraError: A cluster or a URL needs the extra `cluster`.
        TrainingError: Some runs did not finish; those that did are kept.

    Examples:
        >>> import tempfile
        >>> recipe = recipe_for("digits", changes={"epochs": 2})
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = measure(recipe=recipe, runs=3, out=folder + "/digits", engine="serial")
        ...     sorted(path.name for path in found.study.path.glob("[!.]*"))
        ['evaluation.parquet', 'recipe.toml', 'report.html', 'runs', 'samples.parquet', 'study.json', 'summary.json']
    """
    recipe = recipe or recipe_for(data, model)
    train = partial(
        train_study,
        recipe,
        default_folder(recipe) if out is None else out,
        plan=SeedPlan(seed, check_vary(vary)),
        record=record,
        engine=engine,
        jobs=jobs,
        address=address,
        group=group,
        device=device,
        threads=threads,
        deterministic=deterministic,
        probe=probe,
        announce=announce or to_stderr,
    )
    if until is None:
        study = train(runs=runs)
    else:
        study = train_until(lambda wanted: train(runs=wanted), until, runs, announce or to_stderr)
    found = inspect(study)
    found.write()
    return found


def recipe_for(
    data: str | DataConfig | None = None,
    model: str | None = None,
    *,
    file: str | Path | None = None,
    changes: Mapping[str, Any] | None = None,
    mitigations: str | Sequence[AbstractMitigation] = (),
    trust_code: bool = False,
) -> Recipe:
    """Return the whole recipe: the model's defaults, changed by a file, changed by single values, with methods added.

    Args:
        data: A data set's name, a file, or a `DataConfig`; default: what ``file`` says, else ``digits``.
        model: A model's name; default: what ``file`` says, else what suits the data.
        file: A TOML file with some or all fields of a `Recipe`.
        changes: Values by dotted field name, such as ``{"optimizer.lr": 0.05, "epochs": 5}``.
        mitigations: Methods that keep predictions in place, or text that names them, such as
            ``tgtss:exponent=0.5+swa``; see `reseed.mitigations`.
        trust_code: Whether a model of the form MODULE:FUNCTION that ``file`` names may be imported when the recipe is
            trained. One that ``model`` or ``changes`` names may.

    Raises:
        InputError: A name is unknown or a value is unusable.

    Examples:
        >>> recipe_for("digits", changes={"optimizer.lr": 0.05}).optimizer.lr
        0.05
    """
    tree = {} if file is None else _read_tree(Path(file))
    is_named_there = "name" in _nested(tree, "model")
    if changes and "epochs" in changes:
        tree.pop("steps", None)  # the file's steps would win over the epochs that are asked for
    for name, value in (changes or {}).items():
        _put(tree, name, value)
    source = DataConfig(data) if isinstance(data, str) else data
    described, network = _nested(tree, "data"), _nested(tree, "model")
    if data is not None:
        described.pop("name", None)
    source = from_tree(source or DataConfig(), described, "data.")
    named = from_tree(ModelConfig(), network, "model.").name if "name" in network else None
    chosen = model or named or suggested_model(load(source).train)
    del tree["data"]
    network.pop("name", None)
    default = default_recipe(chosen, source, fine_tune=network.get("fine_tune") is True)
    methods = parse_mitigations(mitigations) if isinstance(mitigations, str) else mitigations
    recipe = mitigated(from_tree(default, tree), methods)
    is_named_here = model is not None or "model.name" in (changes or {})
    is_trusted = trust_code or is_named_here or not is_named_there
    return replace(recipe, model=replace(recipe.model, is_trusted=is_trusted))


def default_folder(recipe: Recipe) -> Path:
    """Return the folder that a recipe's study gets when the user names none."""
    data = Path(recipe.data.name).stem if Path(recipe.data.name).suffix else recipe.data.name
    name = f"{data}-{recipe.model.name}"
    safe = "".join(character if character.isalnum() or character in "-_." else "-" for character in name)
    return STUDIES / f"{safe}-{recipe.digest[:8]}"


def _read_tree(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(read_toml(path, RecipeError))
    except RecipeError:
        raise
    except (OSError, ValueError) as error:
        raise RecipeError(f"cannot read the recipe {str(path)!r}: {reason(error)}.") from error


def _nested(tree: dict[str, Any], name: str) -> dict[str, Any]:
    part = tree.setdefault(name, {})
    if not isinstance(part, dict):
        raise RecipeError(f"recipe field {name} must be a table, got {part!r}.")
    return part


def _put(tree: dict[str, Any], name: str, value: Any) -> None:
    *path, last = name.split(".")
    for part in path:
        tree = _nested(tree, part)
    tree[last] = value
