"""Seed noise against data noise: several runs on each of several resamples of the training set."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields
from importlib.metadata import version
from math import isinf
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import argument
from reseed._bounds import check_bound
from reseed._errors import InputError, TrainingError
from reseed._notebook import show_link
from reseed._numbers import is_whole
from reseed._shown import AbstractResult
from reseed.instability import Estimate, NestedEstimates, nested_estimates, nested_instability, nested_variance
from reseed.report import DesignPage, nested_page
from reseed.studies import (
    Study,
    check_runs,
    json_writer,
    local_folder,
    table_writer,
    to_stderr,
    train_study,
)
from reseed.training import DEFAULT_VARY, STREAMS, Recipe, RecordConfig, SeedPlan, Weights, check_vary
from reseed.workflows._design import (
    check_design_folder,
    damaged_numbers,
    design_folder,
    draws_of,
    kept_studies,
    prepare_once,
    read_numbers,
    share_files,
    told,
    write_design,
)
from reseed.workflows._recipe import TrainingArguments, chosen_recipe

if TYPE_CHECKING:
    import pyarrow as pa

NESTED, NESTED_PAGE = "nested.json", "nested.html"
_TABLE = "nested.parquet"
_STUDY = "sample-"


@dataclass(frozen=True, eq=False, repr=False)
class NestedMeasurement(AbstractResult):
    """What the seed does to a recipe's predictions, and what the training sample adds.

    Attributes:
        estimates: Divergences, variances and churn, with intervals.
        samples: A row a sample: inconsistency, instability, and both variances.
        studies: The studies behind them, one for each training sample.
        path: The folder that holds them.
        epsilon: Share of the uniform distribution in what divergences compare, or None.
        notes: What a reader should know before believing the numbers.
    """

    estimates: NestedEstimates
    samples: pa.Table
    studies: tuple[Study, ...]
    path: Path
    epsilon: float | None
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        found = self.estimates
        sizes = f"{found.training_sets} training sets, {found.runs} runs of each"
        return f"NestedMeasurement({str(self.path)!r}: {sizes}, churn {found.churn.value:.1%})"

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers, every one with its 95 % interval: what ``nested.json`` holds."""
        header = self.studies[0].header
        found = {item.name: getattr(self.estimates, item.name) for item in fields(self.estimates)}
        numbers: dict[str, Any] = {}
        for name, value in found.items():
            numbers |= told(name, value) if isinstance(value, Estimate) else {}
        return {
            "reseed": version("reseed"),
            "dataset": header.dataset,
            "model": header.model,
            "recipe": header.recipe,
            "data": header.data,
            "base_seed": header.base_seed,
            "training_sets": self.estimates.training_sets,
            "runs": self.estimates.runs,
            "samples": self.estimates.churn.samples,
            "ci_covers": self.estimates.churn.method,
            "vary": [stream for stream in STREAMS if stream in header.vary],
            "epsilon": self.epsilon,
            **numbers,
            "studies": [study.path.name for study in self.studies],
            "notes": list(self.notes),
        }

    @property
    def page(self) -> DesignPage:
        """What the page of it shows."""
        return nested_page(self.estimates, self.samples, self.studies, self.path, self.notes)

    def write(self) -> Path:
        """Write ``nested.parquet``, ``nested.json`` and ``nested.html``; nothing is trained.

        Returns:
            The page's path.

        Raises:
            StorageError: They cannot be written.
        """
        files = {_TABLE: table_writer(self.samples), NESTED: json_writer(self.summary)}
        return write_design(self.path, files, NESTED_PAGE, self.page)


def open_nested(root: Path) -> NestedMeasurement:
    """Return the nested measurement in a folder, from the studies that are kept; nothing is trained.

    Raises:
        StudyError: It cannot be read.
        TrainingError: Fewer than two runs are complete on every training sample.
    """
    numbers = read_numbers(root, NESTED)
    studies = kept_studies(root, numbers)
    with damaged_numbers(root, NESTED):
        return _measured(tuple(studies.values()), root, numbers["epsilon"])


def measure_nested(
    data: object = "digits",
    model: object = None,
    *,
    recipe: Recipe | None = None,
    training_sets: int = 5,
    runs: int = 4,
    epsilon: float | None = None,
    out: str | Path | None = None,
    vary: Iterable[str] = DEFAULT_VARY,
    seed: int = 0,
    weights: Weights = "auto",
    announce: Callable[[str], None] | None = None,
    **options: Unpack[TrainingArguments],
) -> NestedMeasurement:
    """Measure how much of the instability the seed causes, and how much another training sample adds.

    Trains one study on each of several bootstrap resamples of the training set; within a study runs differ in their
    seeds only, and run r has the same seeds on every resample. Each is a folder below ``out`` that `inspect` opens,
    such as ``sample-0``. Finished runs are kept whatever happens: the same call continues, and more ``runs`` or
    ``training_sets`` extend what is there. Writes ``nested.json``, ``nested.parquet`` and the page ``nested.html``.

    Args:
        data: What is learned, as `measure` takes it: a name, a file, or what is in memory.
        model: A model's name, or a function that makes a network; default: what suits the data. Not used when
            ``recipe`` is given.
        recipe: The whole recipe, see `recipe_for`; default: that of ``data`` and ``model``.
        training_sets: Resamples of the training set, two or more; three or more for intervals that cover others.
        runs: Trainings on each, two or more; three or more for intervals that cover other seeds.
        epsilon: None, or a share in (0, 1) of the uniform distribution that is mixed into predictions before
            divergences are computed, see `reseed.instability.nested_instability`.
        out: The folder of all studies; default: ``reseed-studies/`` and a name made of data, model and recipe.
        vary: The seed streams that differ between runs: ``init``, ``order``, ``dropout``, ``augment``.
        seed: Base seed from which all seeds and resamples derive.
        weights: Which weights the studies keep, see `RecordConfig`.
        announce: Takes a line before long work begins; default: standard error.
        **options: Changes of the recipe, such as ``text``, ``label`` or ``epochs``, see `RecipeArguments`; and where
            and how runs execute: ``engine``, ``jobs``, ``address``, ``group``, ``device``, ``threads``,
            ``deterministic`` and ``probe``, as `measure` takes them.

    Returns:
        The estimates, and the studies behind them.

    Raises:
        InputError: An argument, the recipe or the data is unusable.
        DeterminismError: The probe failed.
        StudyError: The folder holds something else.
        StorageError: The folder cannot be written.
        TrainingError: Some runs did not finish, or fewer than two left usable predictions on every resample; those
            that did are kept.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = measure_nested(
        ...         "digits", epochs=1, training_sets=2, runs=2, out=folder, announce=lambda line: None
        ...     )
        ...     sorted(path.name for path in found.path.iterdir())
        ['nested.html', 'nested.json', 'nested.parquet', 'sample-0', 'sample-1']
    """
    recipe, execution = chosen_recipe(data, model, recipe, options)
    announce = announce or to_stderr
    streams = check_vary(vary)
    if "data" in streams:
        raise InputError(
            f"{argument('vary')} names data, which differs between the training samples in any case; name the streams "
            "that differ between runs on one sample: init, order, dropout, augment."
        )
    if not is_whole(training_sets) or training_sets < 2:
        raise InputError(f"{argument('training_sets')} must be 2 or more, got {training_sets}; pass for example 5.")
    if epsilon is not None and not 0 < epsilon < 1:
        raise InputError(
            f"{argument('epsilon')} must be strictly between 0 and 1, got {epsilon}; pass None to mix nothing in."
        )
    check_runs(runs)
    check_bound("runs", training_sets * runs, f"{argument('training_sets')} times {argument('runs')}")
    root = local_folder(design_folder(recipe, "nested") if out is None else out)
    check_design_folder(root, "nested measurement", (NESTED, _TABLE, NESTED_PAGE), _STUDY)
    prepare_once(recipe, root, announce)
    announce(f"{training_sets} training samples, {runs} runs on each: {training_sets * runs} trainings")
    draws = draws_of(root)
    studies = []
    for number in range(training_sets):
        announce(f"training sample {number + 1} of {training_sets}")
        folder = root / f"{_STUDY}{number}"
        share_files(root, folder)
        study = train_study(
            recipe,
            folder,
            runs=runs,
            plan=SeedPlan(seed, streams, resample=number, draws=draws),
            record=RecordConfig(every="final", level="full", weights=weights),
            announce=announce,
            **execution,
        )
        studies.append(study)
    found = _measured(tuple(studies), root, epsilon)
    show_link(found.write())
    return found


def _measured(studies: tuple[Study, ...], root: Path, epsilon: float | None) -> NestedMeasurement:
    import pyarrow as pa

    complete = [{manifest.run for manifest in study.manifests} for study in studies]
    runs = sorted(set.intersection(*complete))
    if len(runs) < 2:
        raise TrainingError(
            f"of the studies in {str(root)!r} only {len(runs)} runs are complete on every training sample; two or "
            "more are needed. Others diverged: lower the learning rate, or pass more runs."
        )
    array = np.stack([_final(study, runs) for study in studies])
    estimates = nested_estimates(array, epsilon=epsilon)
    apart, spread = nested_instability(array, epsilon=epsilon), nested_variance(array)
    samples = studies[0].samples
    table = pa.table(
        {
            "sample_id": list(samples.ids),
            "target": samples.targets,
            "inconsistency": apart.inconsistency,
            "instability": apart.instability,
            "seed_variance": spread.seed,
            "data_variance": spread.data,
        }
    )
    notes = tuple(_notes(estimates, len(runs) < max(map(len, complete)), epsilon))
    return NestedMeasurement(estimates, table, studies, root, epsilon, notes)


def _final(study: Study, runs: list[int]) -> NDArray[Any]:
    """Return the probabilities of some runs, [run, sample, class]."""
    position = {manifest.run: index for index, manifest in enumerate(study.manifests)}
    return study.final("probabilities")[[position[run] for run in runs]]


def _notes(estimates: NestedEstimates, is_reduced: bool, epsilon: float | None) -> Iterator[str]:
    if is_reduced:
        yield f"Some runs did not leave predictions; {estimates.runs} runs on each training sample are compared."
    missing = [
        name for name, count in (("training samples", estimates.training_sets), ("seeds", estimates.runs)) if count < 3
    ]
    if missing:
        yield f"With two of a kind the intervals do not cover other {' or other '.join(missing)}."
    if isinf(estimates.divergence.value):
        yield (
            "Some runs rule out a class (probability 0) that others do not, which makes divergences infinite; pass "
            "epsilon, such as 0.001, or read variances and churn."
        )
    yield (
        "Training samples are bootstrap resamples, which hold about 63 % of the distinct samples each: both the "
        "seed's effect and the data's are those of such training sets."
    )
    yield (
        f"Instability still carries seed noise in the means of {estimates.runs} runs and falls as runs are added; "
        "variances and churn have no such bias."
    )
    if estimates.data_variance.value < 0:
        yield "The variance of the training sample is below 0: it is too small to tell from chance."
