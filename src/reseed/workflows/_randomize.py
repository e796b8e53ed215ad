"""The randomisation test of a recipe: the same training on true, random and destroyed data."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal, Unpack, final

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import argument, recipe_field
from reseed._errors import InputError, StudyError
from reseed._notebook import show_link
from reseed._numbers import check_whole
from reseed._shown import AbstractResult
from reseed.data import CorruptionConfig, Splits, load
from reseed.instability import Estimate, estimate
from reseed.memorization import RandomizationTest, Randomized, sign_correlation
from reseed.report import DesignPage, randomization_page
from reseed.studies import Study, check_runs, data_for, json_writer, local_folder, to_stderr, train_study
from reseed.training import Recipe, RecordConfig, SeedPlan, steps_per_epoch
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

RANDOMIZATION, RANDOMIZATION_PAGE = "randomization.json", "randomization.html"
LEVELS = (0.2, 0.4, 0.6, 0.8)
_CHECKPOINTS = 100
# With these, MLPs fit random labels and Gaussian inputs of digits and MNIST in time; with twice the batch or the
# learning rate some do not, and twice the nodes take twice as long.
_TIMES_AS_LONG, _LEAST_EPOCHS, _WIDE, _BATCH = 6, 60, (256, 256), 64
_CONVOLUTIONAL = ("cnn", "resnet")  # learn images where nobody names a model; random labels take them long
_LABELS = "labels-"
_DRAW = f"{_LABELS}draw-"
_INPUTS: dict[Literal["shuffled-pixels", "random-pixels", "gaussian"], str] = {
    "shuffled-pixels": "shuffled: one order for all",
    "random-pixels": "shuffled: each its own order",
    "gaussian": "Gaussian noise in place of inputs",
}
_REGULARISERS = ("weight-decay", "dropout", "augmentation", "no-norm")
_BASES = ("true", "random-labels")
_FOLDERS = (*_BASES, *_INPUTS, *(f"{base}+{option}" for base in _BASES for option in _REGULARISERS))


@final
@dataclass(frozen=True)
class _Version:
    name: str
    said: str
    recipe: Recipe
    runs: int
    rate: float | None = None


@final
@dataclass(frozen=True, eq=False, repr=False)
class Randomization(AbstractResult):
    """What a recipe makes of true, random and destroyed data.

    Attributes:
        test: The numbers and curves.
        studies: The studies behind them, by version.
        path: The folder that holds them.
    """

    test: RandomizationTest
    studies: dict[str, Study]
    path: Path

    def __repr__(self) -> str:
        return f"Randomization({str(self.path)!r}: {len(self.test.versions)} versions)"

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers, every mean with its 95 % interval: what ``randomization.json`` holds."""
        header = next(iter(self.studies.values())).header
        curves = {
            each.name: {
                "epochs": [step / each.steps_per_epoch for step in each.steps],
                "train_accuracy": each.train_accuracy.tolist(),
                "test_accuracy": each.test_accuracy.tolist(),
            }
            for each in self.test.versions
        }
        return {
            "reseed": version("reseed"),
            "dataset": header.dataset,
            "model": header.model,
            "base_seed": header.base_seed,
            "level": self.test.level,
            "versions": self.test.rows,
            **self.test.complexity,
            "curves": curves,
            "studies": {name: study.path.name for name, study in self.studies.items()},
            "notes": list(self.test.notes),
        }

    def write(self) -> Path:
        """Write ``randomization.json`` and ``randomization.html``, and return the page's path.

        Raises:
            StorageError: They cannot be written.
        """
        return write_design(self.path, {RANDOMIZATION: json_writer(self.summary)}, RANDOMIZATION_PAGE, self.page)

    @property
    def page(self) -> DesignPage:
        """What the page of it shows."""
        return randomization_page(self.test, self.studies, self.path)


def open_randomization(root: Path) -> Randomization:
    """Return the randomisation test in a folder, from the studies that are kept; nothing is trained.

    Raises:
        StudyError: It cannot be read.
        DataError: The data of its studies, whose labels accuracies are of, is not there any more.
    """
    numbers = read_numbers(root, RANDOMIZATION)
    studies = kept_studies(root, numbers)
    with damaged_numbers(root, RANDOMIZATION):
        level = float(numbers["level"])
        said = {str(row["version"]): str(row["said"]) for row in numbers["versions"]}
    found: list[Randomized] = []
    correlations: list[float] = []
    for name, study in studies.items():
        recipe = study.recipe
        if recipe is None:
            raise StudyError(f"the study {str(study.path)!r} holds no recipe, so it is none of a randomisation test.")
        splits = data_for(recipe, study.path)
        each = _Version(name, said.get(name, name), recipe, len(study.manifests), _rate(name, recipe))
        if each.rate == 1 or name.startswith(_DRAW):
            correlations.append(_correlation(study, splits))
        if not name.startswith(_DRAW):
            found.append(_randomized(each, study, splits))
    plain = studies["true"].recipe if "true" in studies else None
    if plain is None:
        raise StudyError(f"the numbers in {str(root)!r} name no study of true labels; they were changed by hand.")
    test = RandomizationTest(tuple(found), level, tuple(correlations), tuple(_notes(found, level, plain)))
    return Randomization(test, studies, root)


def randomize(
    data: object = "digits",
    model: object = None,
    *,
    recipe: Recipe | None = None,
    runs: int = 3,
    levels: Sequence[float] = LEVELS,
    grid: bool = False,
    draws: int = 3,
    level: float = 1.0,
    out: str | Path | None = None,
    seed: int = 0,
    announce: Callable[[str], None] | None = None,
    **options: Unpack[TrainingArguments],
) -> Randomization:
    """Train one recipe on true labels, random labels and destroyed inputs, with the same hyperparameters.

    If a network fits random labels as it fits true ones, then neither its size nor its training by itself explains that
    it generalises (Zhang et al. 2017). Versions: true labels; labels of which a share is drawn anew, uniformly over all
    classes, the true one included; all labels random; of inputs that are numbers also: positions shuffled alike for all
    samples, for each by itself, and Gaussian noise of the data's mean and deviation. Each is a study below ``out``, in
    which all seeds train together. Finished runs are kept: the same call continues, and more ``runs`` extend.

    The recipe trains with its own augmentation, weight decay and dropout turned off, as in the published test; ``grid``
    adds, for true and for random labels, each of these alone, and networks without normalisation.

    Args:
        data: What is learned, as `measure` takes it: a name, a file, or what is in memory.
        model: A model's name, or a function that makes a network; default: ``text-tfidf`` for texts, else ``mlp``, for
            images too, whose random labels convolutions take long to fit. Not used when ``recipe`` is given.
        recipe: The whole recipe; its epochs are the limit that every version has. Default: that of ``data`` and
            ``model`` with six times its epochs, at least 60, of an MLP with two layers of 256 nodes, in batches of 64.
        runs: Trainings of each version.
        levels: Shares of labels that are drawn anew, each in (0, 1).
        grid: Whether to add the regularisers.
        draws: Of random labels, for the Rademacher complexity; each but the first is one more training.
        level: The training accuracy that counts as fitted.
        out: The folder of all studies; default: ``reseed-studies/`` and a name made of data, model and recipe.
        seed: Base seed from which all seeds derive.
        announce: Takes a line before long work begins; default: standard error.
        **options: Changes of the recipe, and where and how runs execute, as `measure` takes them.

    Returns:
        The numbers, the curves, and the studies behind them.

    Raises:
        InputError: An argument, the recipe or the data is unusable.
        StudyError: The folder holds something else.
        StorageError: The folder cannot be written.
        TrainingError: Some runs did not finish; those that did are kept.
    """
    announce = announce or to_stderr
    check_runs(runs)
    check_whole("draws", draws)
    if not 0 < level <= 1:
        raise InputError(
            f"{argument('level')} must be in (0, 1], got {level!r}; 1 asks for every training sample to be right."
        )
    if wrong := [each for each in levels if not 0 < each < 1]:
        raise InputError(
            f"{argument('levels')} must be in (0, 1), got {wrong[0]!r}; true and wholly random labels are there anyway."
        )
    whole, execution = chosen_recipe(data, model, recipe, options)
    if recipe is None:
        given = given_fields(options)
        is_open = model is None and not any(name.startswith("model.") for name in given)
        if is_open and whole.model.name in _CONVOLUTIONAL:
            whole, execution = chosen_recipe(data, "mlp", None, options)
        whole = _with_room_to_fit(whole, given)
    if whole.data.corruption is not None:
        raise InputError(f"{recipe_field('data.corruption')} is set; the randomisation test makes its own corruptions.")
    root = local_folder(design_folder(whole, "randomized") if out is None else out)
    plain = replace(
        whole,
        augment="none",
        optimizer=replace(whole.optimizer, weight_decay=0.0),
        model=replace(whole.model, dropout=0.0),
    )
    clean = load(plain.data)
    versions = list(_versions(plain, clean, tuple(levels), runs, draws, is_grid=grid))
    check_design_folder(root, "randomisation test", (RANDOMIZATION, RANDOMIZATION_PAGE, *_FOLDERS), _LABELS)
    if clean.train.is_text:
        prepare_once(plain, root, announce)
    trainings = sum(each.runs for each in versions)
    announce(f"{len(versions)} versions, {trainings} trainings of {_length(plain)} each; each version is a study")
    studies: dict[str, Study] = {}
    found: list[Randomized] = []
    correlations: list[float] = []
    draws_version = draws_of(root)
    for number, each in enumerate(versions, start=1):
        announce(f"version {number} of {len(versions)}: {each.said}")
        share_files(root, root / each.name)
        study = train_study(
            each.recipe,
            root / each.name,
            runs=each.runs,
            plan=SeedPlan(seed, draws=draws_version),
            record=RecordConfig(_every(plain, len(clean.train)), level="scores", train=True, weights="none"),
            announce=announce,
            **execution,
        )
        splits = load(each.recipe.data)
        if each.rate == 1 or each.name.startswith(_DRAW):
            correlations.append(_correlation(study, splits))
        if not each.name.startswith(_DRAW):
            found.append(_randomized(each, study, splits))
        studies[each.name] = study
    test = RandomizationTest(tuple(found), level, tuple(correlations), tuple(_notes(found, level, plain)))
    result = Randomization(test, studies, root)
    show_link(result.write())
    return result


def _with_room_to_fit(recipe: Recipe, given: Collection[str]) -> Recipe:
    """Return a recipe whose training can fit random labels: longer, and of an MLP two layers of 256 nodes.

    Args:
        recipe: What suits true labels, without steps.
        given: Dotted names of fields that somebody set, which stay as they are.
    """
    if not {"epochs", "steps"} & set(given):
        recipe = replace(recipe, epochs=max(_TIMES_AS_LONG * recipe.epochs, _LEAST_EPOCHS))
    if recipe.model.name == "mlp" and not {"model.hidden", "optimizer.lr", "batch_size"} & set(given):
        recipe = replace(
            recipe,
            model=replace(recipe.model, hidden=_WIDE),
            optimizer=replace(recipe.optimizer, lr=recipe.optimizer.lr / 2),
            batch_size=_BATCH,
        )
    return recipe


def _rate(name: str, recipe: Recipe) -> float | None:
    """Return which share of a version's labels is drawn anew; None where that is not what it differs in."""
    corruption = recipe.data.corruption
    if corruption is None:
        return 0.0 if "+" not in name else None
    return corruption.rate if corruption.kind == "labels" and "+" not in name else None


def _length(recipe: Recipe) -> str:
    return f"{recipe.epochs} epochs" if recipe.steps is None else f"{recipe.steps:,} steps"


def _every(recipe: Recipe, samples: int) -> int:
    """Return how many steps lie between checkpoints: whole epochs, so many that there are a hundred or fewer."""
    per_epoch = steps_per_epoch(samples, recipe.batch_size)
    epochs = recipe.epochs if recipe.steps is None else math.ceil(recipe.steps / per_epoch)
    return per_epoch * math.ceil(epochs / _CHECKPOINTS)


def _versions(
    recipe: Recipe, splits: Splits, levels: tuple[float, ...], runs: int, draws: int, *, is_grid: bool
) -> Iterator[_Version]:
    """Yield everything that is trained, the true labels first."""

    def drawn(rate: float, seed: int = 0) -> Recipe:
        return _corrupted(recipe, CorruptionConfig("labels", rate=rate, mode="any", seed=seed))

    yield _Version("true", "true labels", recipe, runs, 0.0)
    for rate in sorted(levels):
        yield _Version(f"{_LABELS}{rate:g}", f"{rate:.0%} of labels drawn anew", drawn(rate), runs, rate)
    yield _Version("random-labels", "random labels", drawn(1.0), runs, 1.0)
    if not splits.train.is_text:
        for kind, said in _INPUTS.items():
            yield _Version(kind, said, _corrupted(recipe, CorruptionConfig(kind)), runs)
    if is_grid:
        for name, base, said in (("true", recipe, "true labels"), ("random-labels", drawn(1.0), "random labels")):
            for option, changed, words in _regularised(base, splits):
                yield _Version(f"{name}+{option}", f"{said}, {words}", changed, runs)
    for draw in range(1, draws):
        yield _Version(f"{_DRAW}{draw}", f"random labels, draw {draw + 1}", drawn(1.0, draw), 1)


def _corrupted(recipe: Recipe, corruption: CorruptionConfig) -> Recipe:
    return replace(recipe, data=replace(recipe.data, corruption=corruption))


def _regularised(recipe: Recipe, splits: Splits) -> Iterator[tuple[str, Recipe, str]]:
    """Yield a recipe with each regulariser alone that it can have."""
    decay = replace(recipe, optimizer=replace(recipe.optimizer, weight_decay=5e-4))
    yield "weight-decay", decay, "weight decay 0.0005"
    if recipe.model.name in ("mlp", "text-tfidf", "text-encoder"):
        yield "dropout", replace(recipe, model=replace(recipe.model, dropout=0.5)), "dropout 0.5"
    if splits.train.is_image:
        yield "augmentation", replace(recipe, augment="crop"), "random shifts"
    if recipe.model.name in ("cnn", "resnet", "small-inception") and recipe.model.norm != "none":
        yield "no-norm", replace(recipe, model=replace(recipe.model, norm="none")), "without normalisation"


def _randomized(version: _Version, study: Study, splits: Splits) -> Randomized:
    steps = study.manifests[0].steps
    per_epoch = steps_per_epoch(len(splits.train), version.recipe.batch_size)
    return Randomized(
        version.name,
        version.said,
        tuple(steps),
        per_epoch,
        _accuracy(study, "train", splits.train.labels.numpy()),
        _accuracy(study, "evaluation", splits.evaluation.labels.numpy()),
        _entropy(study),
        version.rate,
    )


def _accuracy(study: Study, split: str, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of right answers where the label is known, [run, checkpoint]; one run is in memory at a time."""
    known, answers = labels >= 0, study.recorded("labels", split)
    if not known.any():
        return np.full(answers.shape[:2], np.nan)
    return np.stack([(np.asarray(run)[:, known] == labels[known]).mean(1) for run in answers])


def _entropy(study: Study) -> Estimate | None:
    labels = study.final("labels")
    return None if len(labels) < 2 else estimate(labels, method="two-way" if len(labels) > 2 else "samples")


def _correlation(study: Study, splits: Splits) -> float:
    """Return the mean over runs of how well the random signs of these labels were fitted."""
    labels = splits.train.labels.numpy()
    answers = study.recorded("labels", "train")[:, -1]
    classes = splits.train.num_classes
    return float(np.mean([sign_correlation(labels, np.asarray(run), num_classes=classes) for run in answers]))


def _notes(found: list[Randomized], level: float, recipe: Recipe) -> Iterator[str]:
    unfitted = [each.said for each in found if np.isnan(each.steps_to_fit(level)).any()]
    if unfitted:
        yield (
            f"Not fitted to {level:.1%} by every run within {_length(recipe)}: {', '.join(unfitted)}. Their times are "
            "of the runs that were; train longer to see the others."
        )
    yield "Times are seen at checkpoints, whole epochs apart, so a short one is coarse; ratios are of equal seeds."
    yield (
        "The Rademacher complexity is a lower bound: no training finds the best fit to random signs. It is near 1 for "
        "every network that fits random labels, and then says nothing about how it generalises."
    )
