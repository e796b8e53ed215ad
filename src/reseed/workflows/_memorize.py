"""Which training labels are wrong: networks on folds of the training set, or a study that is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from reseed._arguments import argument, setting
from reseed._errors import InputError
from reseed._numbers import check_whole, is_whole
from reseed._shown import AbstractResult
from reseed.data import load
from reseed.memorization import suspect_labels
from reseed.scores import Scores
from reseed.studies import Study, bytes_writer, replace_files, to_stderr, train_study
from reseed.training import DEFAULT_VARY, Recipe, RecordConfig, SeedPlan, Weights, check_vary, trained_on
from reseed.workflows._design import design_folder
from reseed.workflows._recipe import TrainingArguments, chosen_recipe
from reseed.workflows._suspects_table import csv_writer, suspects_table

if TYPE_CHECKING:
    import pyarrow as pa

SUSPECTS = "suspects.csv"
_FOLDS, _LEAST_FOLDS, _MOST_REPEATS = 5, 2, 1000


@dataclass(frozen=True, eq=False, repr=False)
class Memorized(AbstractResult):
    """What networks say of the labels that they were trained with.

    Attributes:
        study: The networks' study.
        scores: Every training sample's columns, as the study keeps them; see `reseed.memorization.suspect_labels`.
    """

    study: Study
    scores: Scores

    def __repr__(self) -> str:
        return f"Memorized({self.study!r}: {self.suspects.num_rows} suspicious labels)"

    @property
    def summary(self) -> dict[str, Any]:
        """Flat numbers, and how many trainings of the whole set the networks cost."""
        share = self.scores.summary["trained_on_share"]
        return dict(self.scores.summary) | {"trainings": round(self.scores.summary["networks"] * share, 2)}

    @property
    def suspects(self) -> pa.Table:
        """The samples whose labels are thought wrong, the most suspicious first: what ``suspects.csv`` holds."""
        return self._table[0]

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know."""
        return self.scores.notes

    @cached_property
    def _table(self) -> tuple[pa.Table, dict[str, bytes]]:
        return suspects_table(self.study, self.scores)

    def write(self) -> Path:
        """Write ``suspects.csv``, and of images their pictures, into the study's folder; return the table's path.

        Raises:
            StorageError: They cannot be written.
        """
        table, pictures = self._table
        root = self.study.path
        files = {name: bytes_writer(content) for name, content in pictures.items()}
        files[SUSPECTS] = csv_writer(table)  # the last: its paths then lead somewhere
        replace_files({root / name: write for name, write in files.items()})
        self.study.publish(*files)
        return root / SUSPECTS


def memorize(
    data: object = "digits",
    model: object = None,
    *,
    recipe: Recipe | None = None,
    folds: int | None = None,
    share: float | None = None,
    repeats: int = 1,
    out: str | Path | None = None,
    vary: Iterable[str] = DEFAULT_VARY,
    seed: int = 0,
    weights: Weights = "auto",
    announce: Callable[[str], None] | None = None,
    **options: Unpack[TrainingArguments],
) -> Memorized:
    """Say which training labels are likely wrong.

    Trains networks each of which leaves a fold of the training set out, all as one program where the model allows it,
    records what they say of every training sample at every epoch, and ranks the samples by
    `reseed.memorization.rank_suspects`. Of a study that is there, whose training split is recorded, nothing is trained:
    samples are ranked by what it says, see `reseed.memorization.suspect_labels`. Writes ``suspects.csv``; the study
    keeps the columns, which `profile` with ``split="train"``, `export` and the report show. Finished runs are kept
    whatever happens: the same call continues, and more ``repeats`` extend the study.

    Args:
        data: What is learned, as `measure` takes it: a name, a file, or what is in memory; or a `Study`.
        model: A model's name, or a function that makes a network; default: what suits the data. Not used when
            ``recipe`` is given.
        recipe: The whole recipe, see `recipe_for`; default: that of ``data`` and ``model``.
        folds: Into how many folds the training set is divided, 2 or more: each costs a training of all but its share.
            Default: 5.
        share: In place of folds, the share in (0, 1) of the training set that each network trains on, drawn at random:
            0.7 with 60 ``repeats`` or so for `reseed.memorization.memorization`, whose estimates need many networks.
        repeats: How often it is divided, or a share is drawn; more make memorisation's intervals narrower.
        out: The folder or URL of the study; default: ``reseed-studies/`` and a name made of data, model and recipe.
        vary: The seed streams that differ between runs besides the fold: ``init``, ``order``, ``dropout``, ``augment``.
        seed: Base seed of networks and folds.
        weights: Which weights the study keeps, see `RecordConfig`.
        announce: Takes a line before long work begins; default: standard error.
        **options: Changes of the recipe, and where and how runs execute, as `measure` takes them.

    Returns:
        The study with scores of every training sample, and the suspects.

    Raises:
        InputError: An argument, the recipe or the data is unusable.
        StudyError: The folder holds something else; or the study given did not record its training split.
        DeterminismError: The probe failed.
        StorageError: The folder cannot be written.
        TrainingError: Some runs did not finish; those that did are kept.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = memorize("digits", epochs=2, folds=2, out=folder + "/study", announce=lambda line: None)
        ...     found.suspects.column_names[:4], found.summary["trainings"]
        (['sample_id', 'image', 'given_label', 'likely_label'], 1.0)
    """
    if isinstance(data, Study):
        if recipe is not None or model is not None or out is not None:
            raise InputError("a study is given, whose networks are there; leave model, recipe and out out.")
        return _written(data)
    if folds is not None and (not is_whole(folds) or folds < _LEAST_FOLDS):
        raise InputError(
            f"{argument('folds')} must be a whole number of {_LEAST_FOLDS} or more, got {folds!r}; pass for example 5."
        )
    check_whole("repeats", repeats)
    if repeats > _MOST_REPEATS:
        raise InputError(f"{argument('repeats')} must be at most {_MOST_REPEATS:,}, got {repeats:,}.")
    recipe, execution = chosen_recipe(data, model, recipe, options)
    announce = announce or to_stderr
    folds = _FOLDS if folds is None and share is None else folds
    plan = SeedPlan(seed, check_vary(vary), folds=folds, share=share)
    samples = len(load(recipe.data).train)
    if folds is not None and folds > samples:
        raise InputError(f"folds is {folds}, more than the {samples:,} training samples; pass for example 5.")
    runs = repeats * (folds or 1)
    inside = trained_on(plan, [0], samples).sum()
    if share is not None:
        _check_shares(plan, runs, samples)
    length = f"{recipe.steps:,} steps" if recipe.steps else f"{recipe.epochs} epochs"
    announce(
        f"plan: {runs} networks, each on {inside:,} of {samples:,} training samples for {length}: the cost of "
        f"{runs * inside / samples:.1f} trainings on all"
    )
    study = train_study(
        recipe,
        design_folder(recipe, "memorize") if out is None else out,
        runs=runs,
        plan=plan,
        record=RecordConfig(level="full", train=True, weights=weights),
        announce=announce,
        **execution,
    )
    return _written(study)


def _check_shares(plan: SeedPlan, runs: int, samples: int) -> None:
    """Accept as many runs as leave out every sample, and are trained on it, at least once each."""
    enough = _enough_runs(plan, samples)
    if enough is None:
        raise InputError(
            f"{argument('share')}={plan.share} of {samples:,} training samples: even {_MOST_REPEATS:,} networks do not "
            "leave out every sample, and train on it, at least once each; pass for example {setting('share', 0.7)}."
        )
    if enough > runs:
        seen = trained_on(plan, range(runs), samples).sum(0)
        missing = np.count_nonzero((seen == 0) | (seen == runs))
        raise InputError(
            f"{argument('share')}={plan.share} with {argument('repeats')}={runs}: {missing:,} of {samples:,} training "
            f"samples are left out by no network, or by all; it takes {enough} networks: pass "
            f"{setting('repeats', enough)} or more, 60 for memorisation."
        )


def _enough_runs(plan: SeedPlan, samples: int) -> int | None:
    seen, unseen = np.zeros((2, samples), np.bool_)
    for run in range(_MOST_REPEATS):
        inside = trained_on(plan, [run], samples)[0]
        seen, unseen = seen | inside, unseen | ~inside
        if (seen & unseen).all():
            return run + 1
    return None


def _written(study: Study) -> Memorized:
    found = Memorized(study, suspect_labels(study))
    found.write()
    return found
