"""Remedies against unstable training: which learning rate each lets a network be trained at, and at what price."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Unpack, final

from reseed._arguments import argument
from reseed._choices import IN_MEMORY
from reseed._errors import InputError, RecipeError, StudyError, TrainingError
from reseed._notebook import show_link
from reseed._shown import AbstractResult
from reseed.curvature import StabilityTest, StabilityTrial, trial_of
from reseed.data import load
from reseed.instability import estimate
from reseed.mitigations import parse_mitigations
from reseed.report import DesignPage, stabilisation_page, table_of
from reseed.statistics import Method
from reseed.studies import Study, check_runs, json_writer, local_folder, table_writer, to_stderr, train_study
from reseed.training import OptimizerConfig, Recipe, RecordConfig, ScheduleConfig, SeedPlan, mitigated, steps_per_epoch
from reseed.workflows._compare import METHOD, method_folder, method_name
from reseed.workflows._design import (
    check_design_folder,
    damaged_numbers,
    design_folder,
    draws_of,
    kept_studies,
    prepare_once,
    read_numbers,
    share_files,
    write_design,
)
from reseed.workflows._recipe import TrainingArguments, chosen_recipe, given_fields

STABILISATION, STABILISATION_PAGE = "stabilisation.json", "stabilisation.html"
REMEDIES = (
    "warmup",
    "gradient-clipping",
    "init-scale",
    "metainit",
    "gradinit",
    "fixup",
    "batch-norm",
    "layer-norm",
)
"""What `stabilise` compares when it is not told, those of it that suit the model."""

_CONTROL, _RATE, _TABLE = "control", "lr-", "stabilisation.parquet"
_KNOWN = (STABILISATION, STABILISATION_PAGE, _TABLE)
_NORMS: dict[str, Literal["batch", "group", "layer"]] = {
    "batch-norm": "batch",
    "group-norm": "group",
    "layer-norm": "layer",
}
_NORMALISED = ("cnn", "resnet", "small-inception")  # models whose layers `model.norm` is about
_BEGIN, _MOST = 4, 12  # without rates: from a quarter of the recipe's, doubled so often at most
_MEASUREMENTS, _SAMPLES = 12, 128  # along each training: enough for its early course, at about the training's own price


@final
@dataclass(frozen=True, eq=False, repr=False)
class Stabilisation(AbstractResult):
    """What remedies against unstable training do.

    Attributes:
        test: The numbers and curves.
        studies: The studies behind them, by remedy and rate, such as ``warmup@0.1``.
        path: The folder that holds them.
    """

    test: StabilityTest
    studies: dict[str, Study]
    path: Path

    def __repr__(self) -> str:
        return f"Stabilisation({str(self.path)!r}: {len(self.test.by_remedy)} remedies, {len(self.studies)} studies)"

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers, every mean with its 95 % interval: what ``stabilisation.json`` holds."""
        header = next(iter(self.studies.values())).header
        return {
            "reseed": version("reseed"),
            "dataset": header.dataset,
            "model": header.model,
            "base_seed": header.base_seed,
            **self.test.numbers,
            "studies": {name: study.path.relative_to(self.path).as_posix() for name, study in self.studies.items()},
            "notes": list(self.test.notes),
        }

    def write(self) -> Path:
        """Write ``stabilisation.json``, ``stabilisation.parquet`` and ``stabilisation.html``; return the page's path.

        Raises:
            StorageError: They cannot be written.
        """
        files = {STABILISATION: json_writer(self.summary), _TABLE: table_writer(table_of(self.test.rows))}
        return write_design(self.path, files, STABILISATION_PAGE, self.page)

    @property
    def page(self) -> DesignPage:
        """What the page of it shows."""
        rates = [tuple(one.rate for one in trials) for trials in self.test.by_remedy.values()]
        is_grid = len(set(rates)) == 1  # else each went up by itself, from where all began
        asked = {"--rates": ",".join(map(str, rates[0]))} if is_grid else {"--lr": _BEGIN * rates[0][0]}
        return stabilisation_page(self.test, self.studies, self.path, asked)


def stabilise(
    data: object = "digits",
    model: object = None,
    *,
    recipe: Recipe | None = None,
    remedies: Sequence[str] = ("default",),
    rates: Sequence[float] | None = None,
    runs: int = 5,
    level: float = 0.5,
    out: str | Path | None = None,
    seed: int = 0,
    announce: Callable[[str], None] | None = None,
    **options: Unpack[TrainingArguments],
) -> Stabilisation:
    """Train a recipe with each of several remedies at growing learning rates, and say which rate each remedy buys.

    A network without normalisation, warm-up or clipping is the control. Of each remedy it says up to which rate every
    run trains, how far above the optimiser's threshold the sharpness was early on, and what the rate does to accuracy
    and to label entropy. By Gilmer et al. (2021) remedies help since they lead the early training to where the loss
    bends less; whether that tells runs that train from runs that do not, at equal rates, is said with its null.

    Each remedy at each rate is a study below ``out``, whose runs train together. Finished runs are kept: the same call
    continues, more ``runs`` extend, and other ``remedies`` and ``rates`` join.

    Args:
        data: What is learned, as `measure` takes it: a name, a file, or what is in memory.
        model: A model's name, or a function that makes a network; default: what suits the data. Not used when
            ``recipe`` is given.
        recipe: The whole recipe, of which normalisation, warm-up and clipping are taken away; default: that of ``data``
            and ``model``, with SGD of momentum 0.9 and a constant rate where neither is given.
        remedies: Methods such as ``warmup:share=0.3`` (see `reseed.mitigations.parse_mitigations`), the normalisations
            ``batch-norm``, ``group-norm`` and ``layer-norm``, and several with ``+`` between them; ``default`` stands
            for those of `reseed.workflows.REMEDIES` that suit the model. The control is always there.
        rates: Peak learning rates, all of which are trained. Default: a quarter of the recipe's, and for each remedy
            twice as much again until no run trains any more.
        runs: Trainings of each remedy at each rate, two or more.
        level: The share of the wrong answers of chance, the most frequent label, that a run must be rid of to count as
            trained.
        out: The folder of all studies; default: ``reseed-studies/`` and a name made of data, model and recipe.
        seed: Base seed from which all seeds derive.
        announce: Takes a line before long work begins; default: standard error.
        **options: Changes of the recipe, and where and how runs execute, as `measure` takes them.

    Returns:
        The numbers, the curves, and the studies behind them.

    Raises:
        InputError: An argument, the recipe or the data is unusable, or a remedy does not suit the model.
        StudyError: The folder holds something else.
        StorageError: The folder cannot be written.
        TrainingError: Some runs did not finish; those that did are kept. Where a remedy learns initial weights, and may
            not be able to at a rate, it is left out from there on, and the notes say why.

    Examples:
        >>> import tempfile
        >>> options = {"runs": 2, "epochs": 1, "hidden": [4], "engine": "serial", "announce": lambda line: None}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = stabilise("digits", remedies=["warmup"], rates=[0.1], out=folder, **options)
        ...     [row["remedy"] for row in found.summary["remedies"]]
        ['control', 'warmup']

    References:
        Gilmer et al., "A Loss Curvature Perspective on Training Instabilities of Deep Learning Models", ICLR 2022.
    """
    announce = announce or to_stderr
    check_runs(runs)
    if not 0 < level < 1:
        raise InputError(f"{argument('level')} must be in (0, 1), got {level!r}; 0.5 asks for half of chance's errors.")
    whole, execution = chosen_recipe(data, model, recipe, options)
    plain = _laid_bare(whole, None if recipe is not None else given_fields(options))
    splits = load(plain.data)
    if not bool((splits.evaluation.labels >= 0).any()):
        raise InputError("no evaluation sample has a known label, so nothing says which runs train; give labels.")
    tried, notes = _remedies(plain, remedies)
    ladder = _ladder(plain, rates)
    root = local_folder(design_folder(plain, "stabilise") if out is None else out)
    check_design_folder(root, "comparison of remedies", _KNOWN, METHOD)
    _check_same(root, plain, seed)
    if splits.train.is_text:
        prepare_once(plain, root, announce)
    steps = plain.steps or plain.epochs * steps_per_epoch(len(splits.train), plain.batch_size)
    record = RecordConfig(
        "final",
        level="scores",
        weights="none",
        track=f"curvature:every={max(1, steps // _MEASUREMENTS)}:samples={min(_SAMPLES, len(splits.train))}",
    )
    plan = SeedPlan(seed, draws=draws_of(root))
    most = f"up to {len(ladder)}" if rates is None else str(len(ladder))
    announce(f"the control and {len(tried) - 1} remedies, {most} rates each; {runs} runs of {steps:,} steps")
    trained: dict[Path, Study] = {}
    unprepared: dict[Path, str] = {}
    for remedy, changed in tried.items():
        has_trained = False
        for rate in ladder:
            announce(f"{remedy}, learning rate {rate:g}")
            folder = root / method_folder(remedy) / f"{_RATE}{rate}"
            share_files(root, folder)
            recipe_there = replace(changed, optimizer=replace(changed.optimizer, lr=rate))
            try:
                study = train_study(
                    recipe_there, folder, runs=runs, plan=plan, record=record, announce=announce, **execution
                )
            except TrainingError as error:
                if not any(method.prepares for method in changed.mitigations):
                    raise
                unprepared[folder] = f"Left out: {remedy} at {rate:g}, and all above: {error}"
                announce(unprepared[folder])
                break
            trained[folder] = study
            trains = bool(_trial(study, remedy).trained(level).any())
            if rates is None and has_trained and not trains:
                break
            has_trained |= trains
    studies, left_out = _opened(root, trained, runs, without=unprepared)
    notes += [*unprepared.values(), *left_out]
    found = Stabilisation(_tested(studies, level, notes), studies, root)
    show_link(found.write())
    return found


def open_stabilisation(root: Path) -> Stabilisation:
    """Return the comparison of remedies in a folder, from the studies that are kept; nothing is trained.

    Raises:
        StudyError: It cannot be read.
    """
    numbers = read_numbers(root, STABILISATION)
    studies = kept_studies(root, numbers)
    with damaged_numbers(root, STABILISATION):
        level, notes = float(numbers["level"]), tuple(map(str, numbers["notes"]))
    return Stabilisation(_tested(studies, level, notes), studies, root)


def _laid_bare(recipe: Recipe, given: Collection[str] | None) -> Recipe:
    """Return a recipe without remedies.

    Args:
        recipe: What is learned and how.
        given: Dotted names of fields that somebody set; None where it is somebody's whole recipe. Where nobody chose an
            optimiser, it becomes the one that thresholds are exact for, at a constant rate.
    """
    if given is not None and "optimizer.name" not in given:
        kept = {name: getattr(recipe.optimizer, name) for name in ("lr", "momentum") if f"optimizer.{name}" in given}
        recipe = replace(recipe, optimizer=OptimizerConfig(weight_decay=recipe.optimizer.weight_decay, **kept))
        if "schedule.name" not in given:
            recipe = replace(recipe, schedule=ScheduleConfig())
    return replace(
        recipe,
        model=replace(recipe.model, norm="none"),
        optimizer=replace(recipe.optimizer, clip_norm=None),
        schedule=replace(recipe.schedule, warmup=0.0),
    )


def _check_same(root: Path, plain: Recipe, seed: int) -> None:
    """Accept a folder whose controls are those of a recipe, at whatever rate.

    Raises:
        StudyError: They are another recipe's, or have other seeds; they would be compared as if they were not.
    """
    for file in sorted(root.glob(f"{method_folder(_CONTROL)}/*/study.json")):
        study = Study.open(file.parent)
        own = replace(plain, optimizer=replace(plain.optimizer, lr=float(file.parent.name.removeprefix(_RATE))))
        if study.recipe != own or study.header.base_seed != seed:
            raise StudyError(
                f"{str(root)!r} holds a comparison of remedies of another recipe or seed, such as "
                f"{str(study.path)!r}; choose another {argument('out')}, or repeat the recipe and the seed."
            )


def _remedies(plain: Recipe, texts: Sequence[str]) -> tuple[dict[str, Recipe], list[str]]:
    """Return the recipe of each remedy by its text, the control first, and what was left out of the default ones."""
    if isinstance(texts, str):
        raise InputError(f"{argument('remedies')} must be several texts, got {texts!r}; pass [{texts!r}].")
    found, left_out = {_CONTROL: plain}, []
    for text in texts:
        for name in REMEDIES if text == "default" else (text,):
            try:
                found[name] = _changed(plain, name)
            except RecipeError:
                if text != "default":
                    raise
                left_out.append(name)
    name = plain.model.name.removeprefix(IN_MEMORY)
    notes = [f"Left out, since they do not suit model {name}: {', '.join(left_out)}."] if left_out else []
    return found, notes


def _changed(plain: Recipe, text: str) -> Recipe:
    """Return a recipe with the parts of a remedy.

    Raises:
        RecipeError: It does not suit the model, is unknown, or changes nothing.
    """
    parts = text.split("+")
    norms = [_NORMS[part] for part in parts if part in _NORMS]
    methods = "+".join(part for part in parts if part not in _NORMS)
    changed = plain
    if norms and plain.model.name not in _NORMALISED:
        raise RecipeError(
            f"remedy {text!r} is for layers that model {plain.model.name.removeprefix(IN_MEMORY)!r} does not have; "
            f"choose one of {', '.join(_NORMALISED)}, or another remedy."
        )
    if len(norms) > 1:
        raise RecipeError(f"remedy {text!r} names two normalisations; a network has one.")
    if norms:
        changed = replace(changed, model=replace(changed.model, norm=norms[0]))
    if methods:
        changed = mitigated(changed, parse_mitigations(methods))
    if changed == plain and text != _CONTROL:
        raise RecipeError(f"remedy {text!r} changes nothing, so it is the control itself; raise its strength.")
    return changed


def _ladder(recipe: Recipe, rates: Sequence[float] | None) -> list[float]:
    """Return the rates, ascending."""
    if rates is None:
        return [recipe.optimizer.lr / _BEGIN * 2**place for place in range(_MOST)]
    if not rates or not all(0 < rate < math.inf for rate in rates):
        raise InputError(f"{argument('rates')} must be one or more positive numbers, got {list(rates)!r}.")
    return sorted({float(rate) for rate in rates})


def _opened(
    root: Path, trained: Mapping[Path, Study], runs: int, *, without: Collection[Path]
) -> tuple[dict[str, Study], list[str]]:
    """Return what was just trained and what earlier calls trained, by remedy and rate, and what has too few runs."""
    earlier = (file.parent for file in sorted(root.glob(f"{METHOD}*/*/study.json")))
    folders = [folder for folder in dict.fromkeys((*trained, *earlier)) if folder not in without]
    studies: dict[str, Study] = {}
    left_out = []
    for folder in folders:
        study = trained[folder] if folder in trained else Study.open(folder)
        name = f"{method_name(folder.parent.name)}@{folder.name.removeprefix(_RATE)}"
        if (finished := len(study.manifests) + len(study.diverged)) < runs:
            left_out.append(f"Left out: {name}, which has {finished} of {runs} runs; name it to go on.")
        else:
            studies[name] = study
    return studies, left_out


def _tested(studies: Mapping[str, Study], level: float, notes: Sequence[str]) -> StabilityTest:
    return StabilityTest(
        tuple(_trial(study, name.rpartition("@")[0]) for name, study in studies.items()), level, tuple(notes)
    )


def _trial(study: Study, remedy: str) -> StabilityTrial:
    labels = study.final("labels") if study.manifests else ()
    method: Method = "two-way" if len(labels) > 2 else "samples"
    return trial_of(study, remedy, estimate(labels, method=method) if len(labels) > 1 else None)
