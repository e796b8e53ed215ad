"""The search for a recipe: its plan, its choice, its parts, and one real search."""

import json
from contextlib import suppress

import pytest

import reseed
from reseed._errors import InputError, StudyError
from reseed._tune import validation_data
from reseed._tune_plan import Score, choose, plan_search
from reseed._tune_space import candidates
from reseed.data import DataConfig, load
from reseed.training import load_recipe


@pytest.mark.parametrize("budget", [15, 16, 23.5, 40, 100, 400])
@pytest.mark.parametrize("costs", [[1.0] * 40, [1.0, 1.0, 1.0, 2.0] * 10, [2.0, 1.0] * 10])
def test_plans_never_exceed_the_budget(budget, costs):
    """Counted by hand for the dearest candidates on every rung, a plan costs what it says and no more than allowed."""
    if budget < 21 and costs[0] == 2.0:
        return
    plan = plan_search(budget, costs)
    dearest = sorted(costs[: plan.rungs[0].count], reverse=True)
    spent = plan.confirmed * (2 + dearest[0])
    done = 0
    for rung in plan.rungs:
        spent += (rung.runs - done) + sum((rung.runs - done) * cost for cost in dearest[: rung.count])
        done = rung.runs
    assert spent == pytest.approx(plan.cost)
    assert spent <= budget


@pytest.mark.parametrize("budget", [0, 14.9, -3, float("nan"), float("inf")])
def test_too_small_budgets_are_refused(budget):
    """The message says how many trainings one candidate and its confirmation need."""
    with pytest.raises(InputError, match="is too small or no number; pass at least 15 trainings"):
        plan_search(budget, [1.0, 1.0])


def test_choice_rejects_what_loses_accuracy():
    """A candidate of no label entropy that is significantly wrong never goes on; nor does one without numbers."""
    nan = float("nan")
    scores = [Score(0.0, -0.01), Score(0.2, 0.1), Score(0.1, 0.0), Score(0.1, 0.2), Score(nan, nan)]
    assert choose(scores, 2) == (2, 3)
    assert choose(scores[:1], 1) == ()


def test_candidates_are_the_same_for_the_same_seed():
    """Well-known ones come first, the control never, dear ones only where they are allowed."""
    recipe = reseed.recipe_for("digits")
    found = candidates(recipe, 1.1, 3)
    assert found == candidates(recipe, 1.1, 3) != candidates(recipe, 1.1, 4)
    assert found[0].recipe.average.name == "ema"
    assert found[0].recipe.model.init_scale == 0.3
    assert found[3].recipe.schedule.name == "cosine"
    assert {one.cost for one in found} == {1.0}
    assert {one.cost for one in candidates(recipe, 2.0, 3)} == {1.0, 2.0}
    assert recipe not in [one.recipe for one in found]


def test_validation_samples_come_from_training():
    """Held-out samples are part of the training split, and no longer trained on."""
    whole, part = load(DataConfig("digits")), load(validation_data(DataConfig("digits")))
    held, kept = set(part.evaluation.sample_ids), set(part.train.sample_ids)
    assert not held & kept
    assert held | kept == set(whole.train.sample_ids)
    assert validation_data(DataConfig("massive")).eval_split == "validation"


def test_a_search_resumes_and_confirms_on_the_test_split(tmp_path):
    """After an interruption the same call gives the same numbers, from the runs that were there."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 1, "model.hidden": [8]})
    options = {"budget": 15, "max_cost": 1.0, "engine": "serial", "probe": False}
    lines = []

    def interrupt(line):
        lines.append(line)
        if line.startswith("confirmation"):
            raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):  # a search without a winner has no confirmation to interrupt
        reseed.tune(recipe=recipe, out=tmp_path / "a", announce=interrupt, **options)
    found = reseed.tune(recipe=recipe, out=tmp_path / "a", announce=lines.append, **options)
    fresh = reseed.tune(recipe=recipe, out=tmp_path / "b", announce=lines.append, **options)
    assert found.rungs == fresh.rungs
    assert found.winner == fresh.winner
    assert found.spent == fresh.spent <= 15
    assert json.loads((tmp_path / "a" / "tune.json").read_text())["winner"] == found.winner
    if found.comparison is not None:
        assert len(found.comparison.control.study.samples) == 360
    if found.holds:
        assert load_recipe(tmp_path / "a" / "tuned.toml") == found.recipe


def test_another_folder_is_refused(tmp_path):
    """Files that are no search are never mixed with one."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StudyError, match="exists and holds no search; choose another --out"):
        reseed.tune("digits", out=tmp_path)


def test_a_cost_below_the_control_is_refused(tmp_path):
    """Nothing costs less than one training."""
    with pytest.raises(InputError, match=r"max_cost must be 1 or more, got 0.5"):
        reseed.tune("digits", max_cost=0.5, out=tmp_path / "none")
