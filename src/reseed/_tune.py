"""A search for a recipe that keeps predictions in place, and its confirmation on unseen samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from reseed._design import check_design_folder, design_folder, share_cache
from reseed._errors import InputError, TrainingError
from reseed._measure import recipe_for
from reseed._tune_plan import Score, choose, plan_search
from reseed._tune_space import Candidate, candidates
from reseed.data import DataConfig, load
from reseed.instability import Comparison, accuracy_difference, compare_studies, label_entropy
from reseed.studies import ExecutionArguments, Study, local_folder, replace_json, replace_text, to_stderr, train_study
from reseed.training import Recipe, RecordConfig, SeedPlan

TUNING, TUNED = "tune.json", "tuned.toml"
_SEARCH, _CONFIRM = "search", "confirm"
_OWN_VALIDATION = ("clinc150", "massive", "massive-domain")
_HELD_OUT = 0.2
_FEWEST = 30
_ONE_SIDED = 0.90  # a two-sided interval of 90 % has the ends of one-sided ones of 95 %


@dataclass(frozen=True)
class Trial:
    """A candidate on a rung.

    Attributes:
        name: what it sets.
        recipe: digest of its recipe in the search.
        runs: runs that are compared.
        label_entropy: mean label entropy in nats; NaN where runs diverged.
        reduction: by how many percent that is lower than the control's.
        accuracy_difference: accuracy less the control's, a share.
        accuracy_bound: upper end of its one-sided 95 % interval over samples, paired.
        cost: samples that a training sees, relative to the control's.
        goes_on: whether it is on the next rung, or won.
    """

    name: str
    recipe: str
    runs: int
    label_entropy: float
    reduction: float
    accuracy_difference: float
    accuracy_bound: float
    cost: float
    goes_on: bool = False

    @property
    def loses_accuracy(self) -> bool:
        """Whether accuracy is significantly lower than the control's."""
        return self.accuracy_bound < 0


@dataclass(frozen=True, eq=False)
class Tuning:
    """What a search found.

    Attributes:
        path: the folder of all studies.
        rungs: candidates of each rung.
        winner: the name of the best candidate, or None.
        recipe: its recipe, for the evaluation split; None without a winner.
        comparison: the confirmation; None without a winner.
        budget: trainings of the control that were allowed.
        spent: those that were used.
    """

    path: Path
    rungs: tuple[tuple[Trial, ...], ...]
    winner: str | None
    recipe: Recipe | None
    comparison: Comparison | None
    budget: float
    spent: float

    @property
    def holds(self) -> bool:
        """Whether the winner is distinguishably more stable on unseen samples, without a significant loss."""
        if self.comparison is None:
            return False
        effect = self.comparison.methods[0].effect
        return effect.beyond_null is not None and effect.beyond_null.low > 0 and not effect.loses_accuracy

    @property
    def conclusion(self) -> str:
        """What to use, in one line."""
        if self.winner is None:
            return "tuned recipe: none; no candidate was more stable than the control without a loss of accuracy."
        if self.holds:
            return f"tuned recipe: {self.winner}; it holds up with other seeds on the evaluation split."
        return f"tuned recipe: none; {self.winner} won the search but does not hold up on the evaluation split."

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers of all rungs and of the confirmation."""
        return {
            "budget": self.budget,
            "spent": self.spent,
            "winner": self.winner,
            "holds": self.holds,
            "conclusion": self.conclusion,
            "rungs": [[asdict(trial) for trial in rung] for rung in self.rungs],
            "confirmation": None if self.comparison is None else self.comparison.summary,
        }


def tune(
    data: str | DataConfig = "digits",
    model: str | None = None,
    *,
    recipe: Recipe | None = None,
    budget: float = 40.0,
    max_cost: float = 2.0,
    out: str | Path | None = None,
    seed: int = 0,
    announce: Callable[[str], None] | None = None,
    **execution: Unpack[ExecutionArguments],
) -> Tuning:
    """Search for a recipe whose predictions change less, without a loss of accuracy, and confirm it.

    Candidates are compared on validation samples by successive halving; the winner, the control and a second control
    are then trained with other seeds and compared on the evaluation split. Finished runs are kept whatever happens:
    the same call continues. Writes ``tune.json``, and ``tuned.toml`` if the winner holds up.

    Args:
        data: A data set's name, a file, or a `DataConfig`. Not used when ``recipe`` is given.
        model: A model's name; default: what suits the data. Not used when ``recipe`` is given.
        recipe: The control's recipe, see `recipe_for`; default: that of ``data`` and ``model``.
        budget: Trainings in all, in trainings of the control; one that sees twice the samples counts twice.
        max_cost: The most that training the tuned recipe may cost, relative to the control.
        out: The folder of all studies; default: ``reseed-studies/`` and a name made of data, model and recipe.
        seed: Base seed of the search and of the candidates' order; the confirmation has the next two.
        announce: Takes a line before long work begins; default: standard error.
        **execution: Where and how runs execute: ``engine``, ``jobs``, ``address``, ``group``, ``device``, ``threads``,
            ``deterministic`` and ``probe``, as `measure` takes them.

    Returns:
        All rungs, the winner and its confirmation.

    Raises:
        InputError: An argument, the recipe or the data is unusable, the budget is too small, or there are too few
            samples with a known class.
        DeterminismError: The probe failed.
        StudyError: The folder holds something else.
        StorageError: The folder cannot be written.
        TrainingError: Runs of the control did not finish; those that did are kept.
    """
    recipe = recipe or recipe_for(data, model)
    if not max_cost >= 1:
        raise InputError(f"max_cost must be 1 or more, got {max_cost!r}; the control itself costs 1.")
    every = candidates(recipe, max_cost, seed)
    plan = plan_search(budget, [candidate.cost for candidate in every])
    search = validation_data(recipe.data)
    for source in (search, recipe.data):
        _check_samples(source)
    root = local_folder(design_folder(recipe, "tune") if out is None else out)
    check_design_folder(root, "search", (TUNING, TUNED, _SEARCH, _CONFIRM))
    announce = announce or to_stderr
    train = partial(
        _train,
        root,
        record=RecordConfig(every="final"),
        announce=announce,
        **execution,
    )
    left = every[: plan.rungs[0].count]
    spent = 0.0
    before = 0
    rungs: list[tuple[Trial, ...]] = []
    keeps = [*(rung.count for rung in plan.rungs[1:]), 1]
    for rung, keep in zip(plan.rungs, keeps, strict=True):
        announce(f"rung {len(rungs)}: {len(left)} candidates, {rung.runs} runs each")
        control = train(_SEARCH, replace(recipe, data=search), seed, rung.runs)
        if len(control.manifests) < rung.runs:
            raise TrainingError("runs of the control diverged, so there is nothing to compare with; lower its lr.")
        trials = []
        for candidate in left:
            study = train(_SEARCH, replace(candidate.recipe, data=search), seed, rung.runs)
            trials.append(_trial(candidate, study, control, rung.runs))
        chosen = choose([Score(trial.label_entropy, trial.accuracy_bound) for trial in trials], keep)
        if rung is plan.rungs[-1]:  # the winner must beat the control as well
            chosen = tuple(place for place in chosen if trials[place].reduction > 0)
        rungs.append(tuple(replace(trial, goes_on=place in chosen) for place, trial in enumerate(trials)))
        spent += (rung.runs - before) * (1 + sum(trial.cost for trial in trials))
        before = rung.runs
        left = tuple(left[place] for place in chosen)
        if not left:
            break
    winner = left[0] if left else None
    comparison = None
    if winner is not None:
        announce(f"confirmation: {winner.name}, {plan.confirmed} runs")
        control = train(_CONFIRM, recipe, seed + 1, plan.confirmed)
        null = train(_CONFIRM, recipe, seed + 2, plan.confirmed)
        tuned = train(_CONFIRM, winner.recipe, seed + 1, plan.confirmed)
        comparison = compare_studies({"control": control, winner.name: tuned}, null=null)
        spent += plan.confirmed * (2 + _seen(tuned) / _seen(control))
    name, tuned_recipe = (None, None) if winner is None else (winner.name, winner.recipe)
    found = Tuning(root, tuple(rungs), name, tuned_recipe, comparison, float(budget), spent)
    replace_json(root / TUNING, found.summary)
    if winner is not None and found.holds:
        replace_text(root / TUNED, winner.recipe.to_toml())
    else:
        (root / TUNED).unlink(missing_ok=True)  # of an earlier, smaller budget
    return found


def validation_data(data: DataConfig) -> DataConfig:
    """Return the data of a search: a data set's own validation split, else a part of the training samples."""
    if data.name in _OWN_VALIDATION and data.eval_split != "validation" and data.holdout is None:
        return replace(data, eval_split="validation")
    return replace(data, holdout=_HELD_OUT)


def _train(root: Path, part: str, recipe: Recipe, seed: int, runs: int, **options: Any) -> Study:
    """Return a study of a search with at least so many runs, which may be there already."""
    folder = root / part / f"{recipe.digest}-{seed}"
    if (folder / "study.json").exists():
        study = Study.open(folder)
        if len(study.manifests) + len(study.diverged) >= runs:
            return study
    first = next(iter(sorted((root / part).glob("*"))), folder)
    if first != folder:
        share_cache(first, folder)
    return train_study(recipe, folder, runs=runs, plan=SeedPlan(seed), **options)


def _trial(candidate: Candidate, study: Study, control: Study, runs: int) -> Trial:
    cost = _seen(study) / _seen(control) if study.manifests else candidate.cost
    if len(study.manifests) < runs:
        nan = float("nan")
        return Trial(candidate.name, study.header.recipe or "", runs, nan, nan, nan, nan, cost)
    known = study.targets >= 0
    labels, untreated = study.final()[:runs], control.final()[:runs]
    difference = accuracy_difference(
        labels[:, known], untreated[:, known], study.targets[known], interval="samples", level=_ONE_SIDED
    )
    entropy, base = (float(np.mean(label_entropy(part))) for part in (labels, untreated))
    reduction = 100 * (1 - entropy / base) if base else 0.0
    return Trial(
        candidate.name,
        study.header.recipe or "",
        runs,
        entropy,
        reduction,
        difference.value,
        difference.high,
        cost,
    )


def _seen(study: Study) -> float:
    """Return the samples that one training sees, its teacher's included."""
    cost = study.manifests[0].cost
    return float(cost["samples_seen"] + cost.get("shared_samples_seen", 0))


def _check_samples(data: DataConfig) -> None:
    known = int((load(data).evaluation.labels >= 0).sum())
    if known < _FEWEST:
        what = "no class labels" if known == 0 else f"{known} samples with a known class"
        raise InputError(
            f"{data.name}: there are {what} to compare recipes on; a search needs {_FEWEST} or more, in the evaluation "
            "split and in the validation part."
        )
