"""A search for a recipe that keeps predictions in place, and its confirmation on unseen samples."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, Unpack

import numpy as np

from reseed._arguments import argument
from reseed._choices import IN_MEMORY, MARGIN
from reseed._errors import InputError, TrainingError
from reseed._notebook import show_link
from reseed._numbers import check_margin, check_whole
from reseed._shown import AbstractResult
from reseed.data import DataConfig, load
from reseed.instability import Comparison, accuracy_difference, label_entropy
from reseed.report import DesignPage, Search, tuning_page
from reseed.studies import (
    Study,
    json_writer,
    local_folder,
    text_writer,
    to_stderr,
    train_study,
)
from reseed.training import DEFAULT_VARY, Recipe, RecordConfig, SeedPlan
from reseed.workflows._child_reports import write_reports
from reseed.workflows._compare import COMPARISON_FILES, comparison_files
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
from reseed.workflows._fresh_data import is_continued, plans_for
from reseed.workflows._recipe import TrainingArguments, chosen_recipe
from reseed.workflows._tune_confirm import CONTROL, FRESH_DATA, NULL, confirmation, why_not
from reseed.workflows._tune_plan import Trial, check_budget, choose, plan_rungs
from reseed.workflows._tune_space import Candidate, candidates

TUNING, TUNED, TUNING_PAGE = "tune.json", "tuned.toml", "tune.html"
_SEARCH, _CONFIRM = "search", "confirm"
_OWN_VALIDATION = ("clinc150", "massive", "massive-domain")
_HELD_OUT = 0.2
_FEWEST = 30
_ONE_SIDED = 0.90  # a two-sided interval of 90 % has the ends of one-sided ones of 95 %


@dataclass(frozen=True, eq=False, repr=False)
class Tuning(AbstractResult):
    """What a search found.

    Attributes:
        path: the folder of all studies.
        rungs: candidates of each rung.
        winner: the name of the best candidate, or None.
        recipe: its recipe, for the evaluation split; None without a winner.
        comparison: the confirmation; None without a winner, or where its runs diverged.
        budget: trainings of the control that were allowed.
        spent: those that were used.
        title: of which data and model.
        studies: those of the confirmation: the control, a second one, and the winner's, and the three under fresh data;
            empty without a winner.
        fresh: whether the search was made under fresh data, and the confirmation both ways.
    """

    path: Path
    rungs: tuple[tuple[Trial, ...], ...]
    winner: str | None
    recipe: Recipe | None
    comparison: Comparison | None
    budget: float
    spent: float
    title: str
    studies: dict[str, Study]
    fresh: bool = False

    def __repr__(self) -> str:
        return f"Tuning({str(self.path)!r}: {self.conclusion})"

    @property
    def holds(self) -> bool:
        """Whether the winner is distinguishably more stable on unseen samples while accuracy stays within the margin.

        Under fresh data too, where it was trained so.
        """
        return self.comparison is not None and self.comparison.recommended is not None

    @property
    def conclusion(self) -> str:
        """What to use, in one line."""
        if self.comparison is None and self.winner is not None:
            return f"tuned recipe: none; {self.winner} won the search, but diverged with other seeds."
        if self.comparison is None:
            tried = len({trial.recipe for rung in self.rungs for trial in rung})
            return f"tuned recipe: none; none that was tried ({tried}) is more stable without a loss of accuracy."
        if self.holds:
            ways = "with other seeds" if self.comparison.fresh is None else "with other seeds and under fresh data"
            return (
                f"tuned recipe: {self.winner}; it holds up {ways} on the evaluation split, where accuracy stays within "
                f"{self.comparison.margin:g} points."
            )
        return f"tuned recipe: none; {self.winner} won the search, {why_not(self.comparison)}"

    @property
    def summary(self) -> dict[str, Any]:
        """JSON-ready numbers of all rungs and of the confirmation."""
        return {
            "reseed": version("reseed"),
            "title": self.title,
            "budget": self.budget,
            "spent": self.spent,
            "fresh_data": self.fresh,
            "winner": self.winner,
            "holds": self.holds,
            "conclusion": self.conclusion,
            "rungs": [[asdict(trial) | {"outcome": trial.outcome} for trial in rung] for rung in self.rungs],
            "confirmation": None if self.comparison is None else self.comparison.summary,
            "studies": {name: f"{_CONFIRM}/{study.path.name}" for name, study in self.studies.items()},
        }

    @property
    def search(self) -> Search:
        """What was tried and what came of it, as charts and pages show it."""
        return Search(
            self.title,
            self.summary["rungs"],
            self.winner,
            self.holds,
            self.conclusion,
            self.spent,
            self.budget,
            self.comparison,
        )

    @property
    def page(self) -> DesignPage:
        """What the page of it shows."""
        return tuning_page(self.search, self.studies, self.path)

    def write(self) -> Path:
        """Write all files of the search, in place of those that one with another budget left; nothing is trained.

        Returns:
            The page's path, ``tune.html``.

        Raises:
            StorageError: They cannot be written.
        """
        if self.comparison is not None:
            write_reports(self.studies.values())
        files = {} if self.comparison is None else comparison_files(self.comparison, self.path)
        if self.recipe is not None and self.holds:
            files[TUNED] = text_writer(self.recipe.to_toml())
        files[TUNING] = json_writer(self.summary)
        page = write_design(self.path, files, TUNING_PAGE, self.page)
        for name in {*COMPARISON_FILES, TUNED} - files.keys():
            (self.path / name).unlink(missing_ok=True)
        return page


def open_tuning(root: Path) -> Tuning:
    """Return the search in a folder, from its numbers and the studies of its confirmation; nothing is trained.

    Raises:
        StudyError: It cannot be read.
        TrainingError: Fewer than two runs of a study are complete.
    """
    numbers = read_numbers(root, TUNING)
    studies = kept_studies(root, numbers)
    with damaged_numbers(root, TUNING):
        rungs = tuple(tuple(_kept_trial(trial) for trial in rung) for rung in numbers["rungs"])
        winner = numbers["winner"]
        kept = numbers["confirmation"]
        comparison = None if kept is None else confirmation(studies, winner, kept.get("margin", MARGIN))
        recipe = None if winner is None else studies[winner].recipe
        budget, spent = float(numbers["budget"]), float(numbers["spent"])
        title, fresh = str(numbers["title"]), numbers.get("fresh_data") is True
        return Tuning(root, rungs, winner, recipe, comparison, budget, spent, title, studies, fresh)


def _kept_trial(told: Mapping[str, Any]) -> Trial:
    """Return the trial that ``tune.json`` holds, where what has no value is null."""

    def number(name: str) -> float:
        return math.nan if told[name] is None else float(told[name])

    return Trial(
        str(told["name"]),
        str(told["recipe"]),
        int(told["runs"]),
        number("label_entropy"),
        number("reduction"),
        number("accuracy_difference"),
        number("accuracy_bound"),
        number("cost"),
        told["goes_on"] is True,
    )


def tune(
    data: object = "digits",
    model: object = None,
    *,
    recipe: Recipe | None = None,
    budget: float = 40.0,
    max_cost: float = 2.0,
    margin: float = MARGIN,
    vary: Iterable[str] = DEFAULT_VARY,
    fresh_data: float | None = None,
    out: str | Path | None = None,
    seed: int = 0,
    announce: Callable[[str], None] | None = None,
    **options: Unpack[TrainingArguments],
) -> Tuning:
    """Search for a recipe whose predictions change less, without a loss of accuracy, and confirm it.

    Candidates are compared on validation samples by successive halving. Where all of them diverge, lose accuracy
    significantly or are no more stable than the control, others are tried, as long as the budget allows. The winner,
    the control and a second control are then trained with other seeds, by half of the budget or more, and compared on
    the evaluation split. Finished runs are kept whatever happens: the same call continues. Writes ``tune.json`` and the
    page ``tune.html``; the confirmation's ``comparison.json``, ``comparison.parquet`` and ``comparison.html``, and the
    reports of its studies; and ``tuned.toml`` if the winner holds up.

    With ``fresh_data`` the search is made under fresh data alone, since what helps there mostly helps with other seeds
    too; the confirmation is made both ways, and the winner must hold up in both. A training under fresh data counts as
    one, so the confirmation costs twice as much for a run.

    Args:
        data: What is learned, as `measure` takes it: a name, a file, or what is in memory.
        model: A model's name, or a function that makes a network; default: what suits the data. Not used when
            ``recipe`` is given.
        recipe: The control's recipe, see `recipe_for`; default: that of ``data`` and ``model``.
        budget: Trainings in all, in trainings of the control; one that sees twice the samples counts twice.
        max_cost: The most that training the tuned recipe may cost, relative to the control.
        margin: How many percentage points of accuracy the winner may lose in the confirmation: the lower end of the
            interval of the difference must be above ``-margin``. Few runs would fail that whatever they lose, so the
            search asks for no significant loss.
        vary: The seed streams that differ between runs; ``data`` among others stands for a bootstrap as fresh data.
        fresh_data: The share of the training set that each run trains on under fresh data, such as 0.9; default: runs
            differ in their seeds alone.
        out: The folder of all studies; default: ``reseed-studies/`` and a name made of data, model and recipe.
        seed: Base seed of the search and of the candidates' order; the confirmation has the next two.
        announce: Takes a line before long work begins; default: standard error.
        **options: Changes of the recipe, such as ``text``, ``label`` or ``epochs``, see `RecipeArguments`; and where
            and how runs execute: ``engine``, ``jobs``, ``address``, ``group``, ``device``, ``threads``,
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
    recipe, execution = chosen_recipe(data, model, recipe, options)
    if not max_cost >= 1:
        raise InputError(f"{argument('max_cost')} must be 1 or more, got {max_cost!r}; the control itself costs 1.")
    if recipe.data.holdout is not None:
        raise InputError(
            f"data.holdout is {recipe.data.holdout!r}, but a search holds out training samples itself and confirms on "
            "the evaluation split; leave it out."
        )
    check_whole("seed", seed, 0)
    check_margin(margin)
    plan, fresh_plan = plans_for(vary, fresh_data)
    ways = {"": plan} if fresh_plan is None else {"": plan, FRESH_DATA: fresh_plan}
    every = candidates(recipe, max_cost, seed)
    check_budget(budget, [candidate.cost for candidate in every], len(ways))
    searched = replace(recipe, data=validation_data(recipe.data))
    for source in (searched.data, recipe.data):
        _check_samples(source)
    root = local_folder(design_folder(recipe, "tune") if out is None else out)
    check_design_folder(root, "search", (TUNING, TUNED, TUNING_PAGE, _SEARCH, _CONFIRM, *COMPARISON_FILES))
    announce = announce or to_stderr
    # Of a search a recipe is wanted, whose runs `measure` then trains and keeps.
    record = RecordConfig(every="final", weights="none")
    train = partial(_train, root, record=record, announce=announce, **execution)
    prepare_once(searched, root, announce)
    searching = partial(train, _SEARCH, replace(fresh_plan or plan, base=seed))
    rungs, winner, spent = _search(every, searched, budget, len(ways), searching, announce)
    comparison = None
    studies: dict[str, Study] = {}
    if winner is not None:
        runs = int((budget - spent) / (len(ways) * (2 + winner.cost)))
        also = ", and as many under fresh data" if fresh_plan is not None else ""
        announce(f"confirmation: {winner.name}, {runs} runs{also}")
        prepare_once(recipe, root, announce)
        for where, varied in ways.items():
            control = train(_CONFIRM, replace(varied, base=seed + 1), recipe, runs)
            null = train(_CONFIRM, replace(varied, base=seed + 2), recipe, runs)
            tuned = train(_CONFIRM, replace(varied, base=seed + 1), winner.recipe, runs)
            studies |= {f"{CONTROL}{where}": control, f"{NULL}{where}": null, f"{winner.name}{where}": tuned}
            spent += runs * (2 + (_seen(tuned) / _seen(control) if tuned.manifests else winner.cost))
        comparison = confirmation(studies, winner.name, margin)
    name, tuned_recipe = (None, None) if winner is None else (winner.name, winner.recipe)
    title = f"{load(recipe.data).evaluation.name}, {recipe.model.name.removeprefix(IN_MEMORY)}"
    fresh = fresh_plan is not None
    found = Tuning(root, rungs, name, tuned_recipe, comparison, float(budget), spent, title, studies, fresh)
    show_link(found.write())
    return found


def _search(
    every: tuple[Candidate, ...],
    searched: Recipe,
    budget: float,
    ways: int,
    train: Callable[[Recipe, int], Study],
    announce: Callable[[str], None],
) -> tuple[tuple[tuple[Trial, ...], ...], Candidate | None, float]:
    """Return all rungs, the best candidate if there is one, and what was spent."""
    rungs: list[tuple[Trial, ...]] = []
    spent, done = 0.0, 0
    while plan := plan_rungs(budget - spent, [candidate.cost for candidate in every], done, ways):
        if rungs:
            announce("none of them may go on: others are tried")
        left, every = every[: plan[0].count], every[plan[0].count :]
        before = 0
        for rung, keep in zip(plan, [*(later.count for later in plan[1:]), 1], strict=True):
            announce(f"rung {len(rungs)}: {len(left)} candidate{'s'[: len(left) > 1]}, {rung.runs} runs each")
            control = train(searched, rung.runs)
            if len(control.manifests) < rung.runs:
                raise TrainingError(
                    f"runs of the control diverged, so there is nothing to compare with; lower its {argument('lr')}."
                )
            studies = [train(replace(one.recipe, data=searched.data), rung.runs) for one in left]
            trials = [_trial(one, study, control, rung.runs) for one, study in zip(left, studies, strict=True)]
            chosen = choose(trials, keep)
            rungs.append(tuple(replace(trial, goes_on=place in chosen) for place, trial in enumerate(trials)))
            spent += max(rung.runs - done, 0) + (rung.runs - before) * sum(trial.cost for trial in trials)
            done, before = max(done, rung.runs), rung.runs
            left = tuple(left[place] for place in chosen)
            if not left:
                break
        if left:
            return tuple(rungs), left[0], spent
    return tuple(rungs), None, spent


def validation_data(data: DataConfig) -> DataConfig:
    """Return the data of a search: a data set's own validation split, else a part of the training samples."""
    if data.name in _OWN_VALIDATION and data.eval_split != "validation":
        return replace(data, eval_split="validation")
    return replace(data, holdout=_HELD_OUT)


def _train(root: Path, part: str, plan: SeedPlan, recipe: Recipe, runs: int, **options: Any) -> Study:
    """Return a study of a search with at least so many runs, which may be there already."""
    data = f"-share-{plan.share:g}" if plan.share is not None else "-bootstrap" if plan.bootstrap else ""
    folder = root / part / f"{recipe.digest}-{plan.base}{data}"
    if (folder / "study.json").exists():
        study = Study.open(folder)
        if is_continued(study.header, plan) and len(study.manifests) + len(study.diverged) >= runs:
            return study
    share_files(root, folder)
    return train_study(recipe, folder, runs=runs, plan=replace(plan, draws=draws_of(root)), **options)


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
