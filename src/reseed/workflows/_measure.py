"""The main job: train one recipe with many seeds and say which predictions change."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from reseed._choices import SAVE_EVERY_S
from reseed._errors import TrainingError
from reseed._notebook import show_link
from reseed._parts import Parts
from reseed._shown import AbstractResult
from reseed.engines import Engine
from reseed.instability import SampleGroups, Stability, describe_columns, evaluate, sample_groups
from reseed.report import Page, make_page, report_data
from reseed.scores import Scores
from reseed.studies import (
    Study,
    is_estimator,
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
)
from reseed.workflows._estimator import check_no_recipe, estimator_training
from reseed.workflows._foretell import foretelling_for_page
from reseed.workflows._lenses import tracked_scores
from reseed.workflows._recipe import RecipeArguments, chosen_recipe, default_folder
from reseed.workflows._until import train_until

if TYPE_CHECKING:
    import pyarrow as pa

SUMMARY, SAMPLES, REPORT = "summary.json", "samples.parquet", "report.html"
"""What `Measurement.write` writes, in this order."""


@dataclass(frozen=True, eq=False, repr=False)
class Measurement(AbstractResult):
    """A study and what it says.

    Attributes:
        study: The recorded predictions.
        stability: Every measure.
    """

    study: Study
    stability: Stability

    def __repr__(self) -> str:
        unstable = "unstable_fraction" if self.stability.pairs is not None else "expected_unstable_fraction"
        told = "unstable" if self.stability.pairs is not None else "expected to be unstable"
        return f"Measurement({self.study!r}: {self.summary[unstable]:.1%} of the samples {told})"

    @property
    def summary(self) -> dict[str, Any]:
        """Flat numbers of the whole study; see `Stability`.

        Where a lens measured along the trainings, ``tracked_notes`` says in sentences how stable they were, and which
        step of those that diverged crossed what.
        """
        told = {} if self.tracked is None else {"tracked_notes": list(self.tracked.notes)}
        return self.stability.summary | told

    @property
    def tracked(self) -> Scores | None:
        """What a lens measured along the trainings, of a study whose record says ``track``."""
        return self._tracked[0]

    @cached_property
    def _tracked(self) -> tuple[Scores | None, list[str]]:
        """What was measured along the trainings, and what is missing from that."""
        parts = Parts()
        gap = "What was measured along the trainings is missing"
        return parts.make(gap, lambda: tracked_scores(self.study), None), parts.notes

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
        gaps = (*self._table[1], *self._tracked[1])
        parts = Parts()
        data = report_data(self.study, self.stability, self.groups)
        if self.tracked is not None and self.tracked.lens not in {scores.lens for scores in data.scores}:
            data = replace(data, scores=(*data.scores, self.tracked))  # else what the lens keeps holds it
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
    try:
        return Measurement(opened, evaluate(opened))
    except TrainingError as error:
        # Often since the trainings diverged, and what was measured along them says why.
        tracked = Parts().make("", lambda: tracked_scores(opened), None)
        if tracked is None:
            raise
        raise TrainingError("\n".join((str(error), *tracked.notes))) from error


def measure(
    data: object = "digits",
    model: object = None,
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
    device: str = "auto",
    threads: int | None = None,
    deterministic: bool = False,
    probe: bool = True,
    save_every: float | None = SAVE_EVERY_S,
    announce: Callable[[str], None] | None = None,
    **changes: Unpack[RecipeArguments],
) -> Measurement:
    """Train one recipe with many seeds and measure which predictions change.

    Writes the study with ``summary.json``, ``samples.parquet`` and ``report.html``. Finished runs are kept whatever
    happens: calling again with the same arguments continues, and more ``runs`` extend the study.

    Args:
        data: A data set's name, a file, a `DataConfig`, or what is in memory: a DataFrame, ``(X, y)``, a Hugging Face
            ``Dataset`` or ``DatasetDict``, a `Dataset` or `Splits`; see `reseed.data.in_memory`. Where ``recipe`` is
            given, its data is what is learned, unless this is in memory.
        model: A model's name, a function of ``(input_shape, num_classes)`` that makes a fresh network, or an unfitted
            scikit-learn estimator, which is fitted with every seed as `run` does it; default: what suits the data. Not
            used when ``recipe`` is given.
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
        device: Where runs train: ``cpu``, ``cuda``, ``cuda:1``, ``mps``; or ``auto``: a GPU of CUDA that can be used,
            else the CPU; a study that is there goes on where it began.
        threads: Threads of arithmetic; default: one, or all cores for the engine stacked; when a study is continued,
            what it began with.
        deterministic: Whether to use torch's deterministic kernels only; for GPUs.
        probe: Whether to check determinism first.
        save_every: Seconds after which trainings that are under way are kept, again and again, so that an interruption
            costs no more; 0 or None: never.
        announce: Takes a line before long work begins; default: standard error.
        **changes: Changes of the recipe, such as ``text="utterance"``, ``label="intent"``, ``epochs=5``, ``lr=0.01`` or
            ``mitigations=["ema"]``; see `RecipeArguments`.

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
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = measure("digits", epochs=2, runs=3, out=folder + "/digits", engine="serial")
        ...     sorted(path.name for path in found.study.path.glob("[!.]*"))
        ['evaluation.parquet', 'recipe.toml', 'report.html', 'runs', 'samples.parquet', 'study.json', 'summary.json']
    """
    announce = announce or to_stderr
    if is_estimator(model):
        given = {
            "recipe": recipe is not None,
            "vary": frozenset(vary) != DEFAULT_VARY,
            "record": record is not None,
            "group": group is not None,
            "device": device != "auto",
            "threads": threads is not None,
            "deterministic": deterministic,
            "save_every": save_every != SAVE_EVERY_S,
        }
        check_no_recipe(model, [name for name, is_given in given.items() if is_given])
        train = estimator_training(data, model, out, changes, seed=seed, engine=engine, jobs=jobs, address=address)
    else:
        recipe, _ = chosen_recipe(data, model, recipe, changes)
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
            save_every=save_every,
            announce=announce,
        )

    def trained(runs: int) -> Study:
        return train(runs=runs)

    found = inspect(trained(runs) if until is None else train_until(trained, until, runs, announce))
    show_link(found.write())
    return found
