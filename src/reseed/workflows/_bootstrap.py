"""Bootstrap instability of a recipe: models of resampled training sets against the model of all data."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from reseed._arguments import argument
from reseed._bounds import check_bound
from reseed._errors import InputError, TrainingError
from reseed._notebook import show_link
from reseed._shown import AbstractResult
from reseed.instability import BootstrapInstability, bootstrap_instability
from reseed.report import DesignPage, bootstrap_page
from reseed.studies import (
    Samples,
    Study,
    check_runs,
    inside,
    json_writer,
    local_folder,
    read_header,
    table_writer,
    to_stderr,
    train_study,
)
from reseed.training import STREAMS, Recipe, RecordConfig, SeedPlan, Weights, check_vary
from reseed.workflows._design import (
    check_design_folder,
    damaged_numbers,
    design_folder,
    draws_of,
    prepare_once,
    read_numbers,
    share_files,
    told,
    write_design,
)
from reseed.workflows._recipe import TrainingArguments, chosen_recipe

if TYPE_CHECKING:
    import pyarrow as pa

BOOTSTRAP, BOOTSTRAP_PAGE = "bootstrap.json", "bootstrap.html"
TABLE = "bootstrap.parquet"
PLOT = "bootstrap-plot.parquet"
_BASE, _RESAMPLED = "study-original", "study-resampled"
_ADVISED = 200  # resamples that the reference asks for


@dataclass(frozen=True, eq=False, repr=False)
class BootstrapMeasurement(AbstractResult):
    """What another training sample does to predictions.

    Attributes:
        instability: Models of resamples against the original model: errors, class changes, and percentiles.
        seeds: The same of models of other seeds on the whole training set; None where there are none.
        study: The study whose runs trained on resamples.
        original: The study whose run 0 is the original model.
        path: The folder of the numbers.
        notes: What a reader should know before believing the numbers.
        threshold: Of two classes, the probability of the second from which on it is predicted; None where the larger
            probability decides.
    """

    instability: BootstrapInstability
    seeds: BootstrapInstability | None
    study: Study
    original: Study
    path: Path
    notes: tuple[str, ...]
    threshold: float | None = None

    def __repr__(self) -> str:
        found = self.instability
        told = f"{found.bootstraps} bootstraps, mean error {found.mape_estimate.value:.4f}"
        return f"BootstrapMeasurement({str(self.path)!r}: {told})"

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers, every one with its 95 % interval: what ``bootstrap.json`` holds."""
        header, found = self.study.header, self.instability
        numbers: dict[str, Any] = {
            "reseed": version("reseed"),
            "dataset": header.dataset,
            "model": header.model,
            "recipe": header.recipe,
            "data": header.data,
            "base_seed": header.base_seed,
            "bootstraps": found.bootstraps,
            "samples": found.mape_estimate.samples,
            "threshold": self.threshold,
            "ci_covers": found.mape_estimate.method,
            "vary": [stream for stream in STREAMS if stream in header.vary] or ["data"],
            **told("mape", found.mape_estimate),
            **told("classification_instability_index", found.index_estimate),
        }
        if self.seeds is not None:
            numbers |= {
                "seed_runs": self.seeds.bootstraps,
                **told("seed_mape", self.seeds.mape_estimate),
                **told("seed_classification_instability_index", self.seeds.index_estimate),
            }
        return numbers | {"notes": list(self.notes)}

    @property
    def samples(self) -> pa.Table:
        """One row a sample: the original model's label, the mean error and how often the label is another one."""
        import pyarrow as pa

        samples, found = self.study.samples, self.instability
        error = np.asarray(found.mape)
        columns: dict[str, Any] = {
            "sample_id": list(samples.ids),
            "target": samples.targets,
            "prediction": np.asarray(found.label),
            "mape": error.reshape(len(samples), -1).mean(axis=-1),
            "classification_instability_index": np.asarray(found.index),
        }
        return pa.table(columns)

    @property
    def plot_data(self) -> pa.Table:
        """The data of the instability plot, one row a sample and class: prediction, percentiles, and mean error.

        With a threshold it has the second class only.
        """
        import pyarrow as pa

        found, samples = self.instability, self.study.samples
        shown = samples.class_names if self.threshold is None else samples.class_names[1:]
        classes = len(shown)
        names = pa.DictionaryArray.from_arrays(
            np.tile(np.arange(classes, dtype=np.int32), len(samples)), pa.array(shown)
        )
        parts = {"prediction": found.prediction, "low": found.low, "high": found.high, "mape": found.mape}
        ids = pa.array(samples.ids).take(pa.array(np.repeat(np.arange(len(samples)), classes)))
        return pa.table(
            {"sample_id": ids, "class": names} | {name: np.asarray(part).ravel() for name, part in parts.items()}
        )

    @property
    def page(self) -> DesignPage:
        """What the page of it shows."""
        return bootstrap_page(
            self.instability, self.seeds, self.samples, self.original, self.study, self.path, self.notes
        )

    def write(self) -> Path:
        """Write ``bootstrap.parquet``, ``bootstrap-plot.parquet``, ``bootstrap.json`` and ``bootstrap.html``.

        All are made before the first is put in place; nothing is trained.

        Returns:
            The page's path.

        Raises:
            StorageError: They cannot be written.
        """
        files = {
            TABLE: table_writer(self.samples),
            PLOT: table_writer(self.plot_data),
            BOOTSTRAP: json_writer(self.summary),
        }
        return write_design(self.path, files, BOOTSTRAP_PAGE, self.page)


def open_bootstrap(root: Path) -> BootstrapMeasurement:
    """Return the bootstrap measurement in a folder, from what is kept; nothing is trained.

    Raises:
        StudyError: It cannot be read.
        TrainingError: The original model diverged, or all others did.
    """
    numbers = read_numbers(root, BOOTSTRAP)
    if read_header(root) is None:
        return _compared(Study.open(inside(root, _BASE)), Study.open(inside(root, _RESAMPLED)), root)
    with damaged_numbers(root, BOOTSTRAP):
        return one_study_compared(Study.open(root), numbers["threshold"], tuple(map(str, numbers["notes"])))


def one_study_compared(
    study: Study, threshold: float | None, notes: tuple[str, ...] | None = None
) -> BootstrapMeasurement:
    """Compare the runs of a study with its run 0, the original model.

    Args:
        study: Whose other runs are of resamples.
        threshold: Of two classes, the probability of the second from which on it is predicted; None: the larger.
        notes: What a reader should know; default: what is known of any such study.
    """
    probabilities = study.final("probabilities")
    if threshold is None:
        found = bootstrap_instability(probabilities[0], probabilities[1:])
    else:
        found = bootstrap_instability(probabilities[0, :, 1], probabilities[1:, :, 1], threshold=threshold)
    if notes is None:
        notes = bootstrap_notes(found, study.header.runs - 1, study.samples)
    return BootstrapMeasurement(found, None, study, study, study.path, notes, threshold)


def measure_bootstrap(
    data: object = "digits",
    model: object = None,
    *,
    recipe: Recipe | None = None,
    bootstraps: int = _ADVISED,
    base_runs: int = 10,
    out: str | Path | None = None,
    vary: Iterable[str] = ("data",),
    seed: int = 0,
    weights: Weights = "auto",
    announce: Callable[[str], None] | None = None,
    **options: Unpack[TrainingArguments],
) -> BootstrapMeasurement:
    """Measure how far predictions move when a recipe is trained on another sample of its training data.

    Trains two studies below ``out``: in ``study-original`` run 0 is the original model, of the whole training set, and
    the other runs have other seeds; the runs of ``study-resampled`` train on bootstrap resamples of that set. Both are
    compared with the original on the evaluation samples. Finished runs are kept whatever happens: the same call
    continues, and more of either extend what is there. Writes ``bootstrap.json``, ``bootstrap.parquet`` (a row a
    sample), ``bootstrap-plot.parquet`` (the instability plot's data) and the page ``bootstrap.html``.

    Args:
        data: What is learned, as `measure` takes it: a name, a file, or what is in memory.
        model: A model's name, or a function that makes a network; default: what suits the data. Not used when
            ``recipe`` is given.
        recipe: The whole recipe, see `recipe_for`; default: that of ``data`` and ``model``.
        bootstraps: Resamples, two or more; 200 are asked for by Riley and Collins, for the percentiles above all.
        base_runs: Runs on the whole training set, two or more: the original and others that tell what the seed
            does by itself.
        out: The folder of both studies; default: ``reseed-studies/`` and a name made of data, model and recipe.
        vary: The seed streams that differ between resamples, ``data`` among them. Those that do not are the original's.
        seed: Base seed from which all seeds and resamples derive.
        weights: Which weights the studies keep, see `RecordConfig`.
        announce: Takes a line before long work begins; default: standard error.
        **options: Changes of the recipe, such as ``text``, ``label`` or ``epochs``, see `RecipeArguments`; and where
            and how runs execute: ``engine``, ``jobs``, ``address``, ``group``, ``device``, ``threads``,
            ``deterministic`` and ``probe``, as `measure` takes them.

    Returns:
        The measures, and the studies behind them.

    Raises:
        InputError: An argument, the recipe or the data is unusable.
        DeterminismError: The probe failed.
        StudyError: The folder holds something else.
        StorageError: The folder cannot be written.
        TrainingError: Some runs did not finish, or the original diverged; those that did finish are kept.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = measure_bootstrap(
        ...         "digits", epochs=1, bootstraps=3, base_runs=2, out=folder, announce=lambda line: None
        ...     )
        ...     sorted(path.name for path in found.path.glob("bootstrap*"))
        ['bootstrap-plot.parquet', 'bootstrap.html', 'bootstrap.json', 'bootstrap.parquet']
    """
    recipe, execution = chosen_recipe(data, model, recipe, options)
    announce = announce or to_stderr
    streams = check_vary(vary)
    if "data" not in streams:
        raise InputError(
            f"{argument('vary')} is {', '.join(sorted(streams))}, without data: all models would train on one sample; "
            "add data."
        )
    check_bootstraps(bootstraps)
    check_runs(base_runs)
    root = local_folder(design_folder(recipe, "bootstrap") if out is None else out)
    check_design_folder(root, "bootstrap measurement", (BOOTSTRAP, TABLE, PLOT, BOOTSTRAP_PAGE), "study-")
    prepare_once(recipe, root, announce)
    announce(f"{base_runs} runs on all training data, {bootstraps} on resamples: {base_runs + bootstraps} trainings")

    def train(name: str, runs: int, plan: SeedPlan) -> Study:
        announce(f"{name.removeprefix('study-')}: runs differ in {', '.join(s for s in STREAMS if s in plan.vary)}")
        share_files(root, root / name)
        return train_study(
            recipe,
            root / name,
            runs=runs,
            plan=plan,
            record=RecordConfig(every="final", level="full", weights=weights),
            announce=announce,
            **execution,
        )

    draws = draws_of(root)
    original = train(_BASE, base_runs, SeedPlan(seed, draws=draws))
    found = _compared(original, train(_RESAMPLED, bootstraps, SeedPlan(seed, streams, draws=draws)), root)
    show_link(found.write())
    return found


def check_bootstraps(bootstraps: int) -> None:
    """Accept a number of resamples that can be compared.

    Raises:
        InputError: Fewer than two, or more than a study can have runs.
    """
    check_bound("runs", bootstraps, argument("bootstraps"))
    if bootstraps < 2:
        raise InputError(f"{argument('bootstraps')} must be 2 or more, got {bootstraps}; pass {_ADVISED} or more.")


def _compared(original: Study, resampled: Study, root: Path) -> BootstrapMeasurement:
    runs = [manifest.run for manifest in original.manifests]
    if 0 not in runs:
        raise TrainingError(
            f"run 0 of the study {str(original.path)!r} diverged, and it is the original model; lower the learning "
            "rate, or choose another seed."
        )
    if not resampled.manifests:
        raise TrainingError(f"all runs of the study {str(resampled.path)!r} diverged; lower the learning rate.")
    base = original.final("probabilities")
    found = bootstrap_instability(base[0], resampled.final("probabilities"))
    seeds = bootstrap_instability(base[0], base[1:]) if len(base) > 1 else None
    notes = bootstrap_notes(found, resampled.header.runs, resampled.samples)
    if resampled.header.vary == ("data",):
        notes += ("Models of resamples keep the original's seeds: what differs is the sample.",)
    return BootstrapMeasurement(found, seeds, resampled, original, root, notes)


def bootstrap_notes(found: BootstrapInstability, asked: int, samples: Samples) -> tuple[str, ...]:
    """Return what a reader of any bootstrap measurement should know."""

    def notes() -> Iterator[str]:
        if found.bootstraps < asked:
            yield f"{asked - found.bootstraps} of {asked} models diverged; the others are compared."
        if found.bootstraps < _ADVISED:
            yield f"{found.bootstraps} resamples: means are unbiased, percentiles want {_ADVISED} or more."
        yield "Intervals do not cover another original model."
        if len(samples.class_names) > 2:
            yield f"The prediction error is a mean over {len(samples.class_names)} classes, most near probability 0."

    return tuple(notes())
