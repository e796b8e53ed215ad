"""The search for a recipe: its plan, its choice, its parts, and real searches."""

import json
from dataclasses import replace
from functools import partial

import pytest
from tests.instability.methods import made

import reseed
from reseed import Study
from reseed._errors import InputError, StorageError, StudyError, TrainingError
from reseed.data import DataConfig, load
from reseed.instability import Comparison
from reseed.mitigations import parse_mitigations
from reseed.training import STREAMS, load_recipe, mitigated, with_settings
from reseed.workflows import open_design
from reseed.workflows._tune import Tuning, validation_data
from reseed.workflows._tune_plan import Trial, check_budget, choose, plan_rungs
from reseed.workflows._tune_space import Candidate, candidates

NAN = float("nan")
OPTIONS = {"max_cost": 1.0, "engine": "serial", "probe": False, "announce": lambda line: None}


@pytest.fixture
def recipe():
    """A control that trains in no time, at a rate so high that averaging helps whatever the seeds are."""
    return reseed.recipe_for("digits", changes={"epochs": 3, "model.hidden": [16], "optimizer.lr": 0.3})


def trial(entropy, bound=0.1, reduction=10.0):
    """What a rung says of a candidate."""
    return Trial("swa", "0", 2, entropy, reduction, bound, bound, 1.0)


@pytest.mark.parametrize("ways", [1, 2])
@pytest.mark.parametrize("done", [0, 2, 4])
@pytest.mark.parametrize("budget", [19, 26, 33.5, 40, 100, 400])
@pytest.mark.parametrize("costs", [[1.0] * 40, [1.0, 1.0, 1.0, 2.0] * 10, [2.0, 1.0] * 10])
def test_plans_leave_half_of_the_budget(budget, costs, done, ways):
    """Counted by hand for the dearest candidates on every rung, half is left, and five runs of each study at least."""
    rungs = plan_rungs(budget, costs, done, ways)
    if not rungs:
        assert budget < (26 if ways == 1 else 46)
        return
    dearest = sorted(costs[: rungs[0].count], reverse=True)
    spent = max(rungs[-1].runs - done, 0)
    before = 0
    for rung in rungs:
        spent += sum((rung.runs - before) * cost for cost in dearest[: rung.count])
        before = rung.runs
    assert spent <= budget / 2
    assert spent + 5 * ways * (2 + dearest[0]) <= budget


def test_runs_of_the_control_that_are_there_leave_more_for_candidates():
    """After a rung in which all failed, the same budget tries more."""
    costs = [1.0] * 20
    assert plan_rungs(30, costs, done=2)[0].count > plan_rungs(30, costs)[0].count


@pytest.mark.parametrize("budget", [0, 18.9, -3, NAN, float("inf")])
def test_too_small_budgets_are_refused(budget):
    """The message says how many trainings one candidate and its confirmation need."""
    with pytest.raises(InputError, match="is too small or no number; pass at least 19 trainings"):
        check_budget(budget, [1.0, 1.0])
    check_budget(19, [1.0, 1.0])
    assert plan_rungs(19, [1.0, 1.0])
    with pytest.raises(InputError, match="budget 33 is too small or no number; pass at least 34 trainings"):
        check_budget(33, [1.0, 1.0], ways=2)
    assert plan_rungs(34, [1.0, 1.0], ways=2)


def test_choice_rejects_what_may_not_go_on():
    """Neither what is significantly wrong, nor what diverged, nor what is no more stable, however few there are."""
    trials = [trial(0.0, -0.01), trial(0.2), trial(0.1, 0.0), trial(0.1), trial(NAN, NAN, NAN), trial(0.05, 0.1, 0.0)]
    assert choose(trials, 2) == (2, 3)
    assert choose(trials[:1], 1) == choose(trials[4:], 2) == ()
    outcomes = [one.outcome for one in (*trials, replace(trials[1], goes_on=True))]
    better = "others are better"
    assert outcomes == ["loses accuracy", better, better, better, "diverged", "not more stable", "goes on"]


def test_candidates_are_the_same_for_the_same_seed():
    """Those that were found to help come first, the control never, dear ones only where they are allowed."""
    recipe = reseed.recipe_for("digits")
    found = candidates(recipe, 1.1, 3)
    assert found == candidates(recipe, 1.1, 3) != candidates(recipe, 1.1, 4)
    first = [
        "fixed-init+ema+label-smoothing",
        "pca-init+ema+label-smoothing",
        "fixed-init+init-scale+ema+label-smoothing",
        "ema+init-scale+label-smoothing",
        "ema",
        "swa",
        "cosine-decay+init-scale+learning-rate:factor=2.0",
    ]
    assert [set(one.name.split("+")) for one in found[: len(first)]] == [set(name.split("+")) for name in first]
    assert {one.cost for one in found} == {1.0}
    assert {one.cost for one in candidates(recipe, 2.0, 3)} == {1.0, 2.0}
    assert recipe not in [one.recipe for one in found]
    assert any("label-smoothing:epsilon=0.2" in one.name for one in found)


def test_methods_that_do_not_go_with_the_model_are_not_tried():
    """Networks on images have no features whose principal directions were known; a fixed seed all networks have."""
    names = [one.name for one in candidates(reseed.recipe_for("digits", "cnn"), 2.0, 0)]
    assert not any("pca-init" in name for name in names)
    assert any("fixed-init" in name for name in names)


def test_candidates_are_named_as_the_command_line_names_methods():
    """A candidate's name is what --mitigation takes."""
    recipe = reseed.recipe_for("digits")
    for one in candidates(recipe, 2.0, 0):
        assert mitigated(recipe, parse_mitigations(one.name)) == one.recipe


def test_methods_of_the_control_are_not_tried_twice():
    """What cannot be combined with the control's own methods is left out."""
    recipe = reseed.recipe_for("digits", mitigations="label-smoothing+ema")
    names = [one.name for one in candidates(recipe, 2.0, 0)]
    assert names
    assert not any("label-smoothing" in name for name in names)
    assert "ema" not in names


def test_validation_samples_come_from_training():
    """Held-out samples are part of the training split, and no longer trained on."""
    whole, part = load(DataConfig("digits")), load(validation_data(DataConfig("digits")))
    held, kept = set(part.evaluation.sample_ids), set(part.train.sample_ids)
    assert not held & kept
    assert held | kept == set(whole.train.sample_ids)
    assert validation_data(DataConfig("massive")).eval_split == "validation"


def test_a_search_resumes_and_confirms_on_the_test_split(recipe, tmp_path):
    """Interrupted twice, the same call gives the same numbers as one that was not, from the runs that were there."""
    options = OPTIONS | {"budget": 33}
    lines = []

    def interrupting(when, line):
        lines.append(line)
        if line.startswith(when):
            raise KeyboardInterrupt

    for when in ("rung 1", "confirmation"):
        with pytest.raises(KeyboardInterrupt):
            reseed.tune(recipe=recipe, out=tmp_path / "a", **(options | {"announce": partial(interrupting, when)}))
    assert [line for line in lines if "rung" in line][:2] == [
        "rung 0: 4 candidates, 2 runs each",
        "rung 1: 2 candidates, 4 runs each",
    ]
    assert not (tmp_path / "a" / "tune.json").exists()
    there = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").rglob("manifest.json")}
    assert there
    found = reseed.tune(recipe=recipe, out=tmp_path / "a", **options)
    assert there == {path: path.stat().st_mtime_ns for path in there}
    fresh = reseed.tune(recipe=recipe, out=tmp_path / "b", **options)
    assert found.rungs == fresh.rungs
    assert found.spent == fresh.spent <= 33
    assert not list(tmp_path.rglob("*.safetensors"))
    assert json.loads((tmp_path / "a" / "tune.json").read_text())["winner"] == found.winner
    assert found.comparison is not None
    assert fresh.comparison is not None
    assert found.comparison.samples == fresh.comparison.samples
    assert len(found.comparison.control.study.samples) == 360
    assert found.comparison.summary == json.loads((tmp_path / "a" / "comparison.json").read_text())
    assert "<html" in (tmp_path / "a" / "comparison.html").read_text()
    assert (tmp_path / "a" / "tuned.toml").exists() == found.holds
    if found.holds:
        assert load_recipe(tmp_path / "a" / "tuned.toml") == found.recipe


def test_others_are_tried_where_a_whole_rung_fails(recipe, tmp_path, monkeypatch):
    """Three that diverge and one that is the control: the search goes on while it can, and says that none helps."""
    wild = [with_settings(recipe, {"optimizer.lr": rate}) for rate in (1e30, 2e30, 3e30)]
    every = tuple(Candidate(f"wild {place}", one, 1.0) for place, one in enumerate(wild))
    monkeypatch.setattr("reseed.workflows._tune.candidates", lambda *_: (*every, Candidate("tame", recipe, 1.0)))
    (tmp_path / "comparison.html").write_text("of an earlier search, with another budget")
    lines = []
    found = reseed.tune(recipe=recipe, out=tmp_path, budget=26, **(OPTIONS | {"announce": lines.append}))
    assert [[one.outcome for one in rung] for rung in found.rungs] == [["diverged"] * 3, ["not more stable"]]
    assert "none of them may go on: others are tried" in lines
    assert found.spent == 2 * (1 + 3) + 2  # the control's runs are trained once
    assert found.winner is None
    assert not found.holds
    assert found.conclusion.startswith("tuned recipe: none; none that was tried (4) is more stable")
    told = json.loads((tmp_path / "tune.json").read_text())
    assert told["rungs"][0][0]["label_entropy"] is None
    assert told["rungs"][0][0]["outcome"] == "diverged"
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["tune.html", "tune.json"]


def test_an_earlier_search_stays_until_the_next_is_written(tmp_path):
    """Where the files of a search cannot be written, those of an earlier one stay, all of them."""
    (tmp_path / "tune.json").mkdir()
    (tmp_path / "comparison.html").write_text("of an earlier search")
    found = Tuning(tmp_path, (), None, None, None, 8, 8, "digits, mlp", {})
    with pytest.raises(StorageError, match=r"tune\.json"):
        found.write()
    assert (tmp_path / "comparison.html").read_text() == "of an earlier search"


def test_features_are_computed_once_for_all_studies(recipe, tmp_path, monkeypatch):
    """Every study finds what was computed for the whole search."""
    monkeypatch.setattr("reseed.workflows._tune.candidates", lambda *_: (Candidate("same", recipe, 1.0),))
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "features-0.npy").touch()
    assert reseed.tune(recipe=recipe, out=tmp_path, budget=19, **OPTIONS).comparison is None
    studies = list((tmp_path / "search").iterdir())
    assert [(study / "cache" / "features-0.npy").exists() for study in studies] == [True]


def compared(reduction, accuracy, reach, fresh=None):
    """A confirmation with such estimates, in percent and points, give or take so much, and of accuracy 0.2."""
    row = made("swa", reduction, accuracy=accuracy / 100, reach=reach)
    control = replace(row, name="control", role="control")
    return Comparison(control, None, (row,), 6, "two-way", (), 0.5, fresh)


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (
            compared(30, 0, 5),
            "tuned recipe: swa; it holds up with other seeds on the evaluation split, where accuracy stays within 0.5 "
            "points.",
        ),
        (compared(30, -1, 5), "swa won the search, but loses accuracy on the evaluation split."),
        (compared(30, -0.4, 5), "swa won the search, but loses accuracy on the evaluation split."),
        (
            replace(compared(30, -0.1, 5), margin=0.1),
            "but may lose more than 0.1 points of accuracy (a larger budget tells) on the evaluation split.",
        ),
        (compared(30, 0, 40), "but has an effect that 6 runs cannot tell from chance (a larger budget goes on) on the"),
        (compared(-1, 0, 5), "but is no more stable than a second control on the evaluation split."),
        (compared(NAN, 0, NAN), "but is no more stable than a second control on the evaluation split."),
        (
            compared(30, 0, 5, compared(20, 0, 5)),
            "tuned recipe: swa; it holds up with other seeds and under fresh data on the evaluation split, where",
        ),
        (
            compared(30, 0, 5, compared(-1, 0, 5)),
            "but is no more stable than a second control under fresh data on the evaluation split.",
        ),
        (
            compared(30, -1, 5, compared(20, 0, 30)),
            "but loses accuracy and has an effect that 6 runs cannot tell from chance (a larger budget goes on) under "
            "fresh data on the evaluation split.",
        ),
        (compared(30, 0, 5, replace(compared(1, 0, 1), methods=())), "but diverged under fresh data."),
    ],
)
def test_the_conclusion_says_why_a_winner_fails(recipe, tmp_path, comparison, expected):
    """It holds up where label entropy is lower than both controls' and accuracy stays; else the reason is named."""
    found = Tuning(tmp_path, ((trial(0.1),),), "swa", recipe, comparison, 40.0, 39.0, "digits, mlp", {})
    assert expected in found.conclusion
    assert found.holds == expected.startswith("tuned recipe: swa")


def test_a_winner_that_diverges_with_other_seeds_does_not_hold(recipe, tmp_path, monkeypatch):
    """The search ends with an answer, and every file says it."""
    train = reseed.workflows._tune._train

    def diverging(root, part, seed, trained, runs, **options):
        is_winner = part == "confirm" and trained.average.name != "none"
        return train(
            root, part, seed, with_settings(trained, {"optimizer.lr": 1e30}) if is_winner else trained, runs, **options
        )

    monkeypatch.setattr("reseed.workflows._tune._train", diverging)
    monkeypatch.setattr(
        "reseed.workflows._tune.candidates",
        lambda *_: (Candidate("swa", mitigated(recipe, parse_mitigations("swa")), 1.0),),
    )
    found = reseed.tune(recipe=recipe, out=tmp_path, budget=19, **OPTIONS)
    assert (found.comparison, found.holds) == (None, False)
    expected = "tuned recipe: none; swa won the search, but diverged with other seeds."
    assert json.loads((tmp_path / "tune.json").read_text())["conclusion"] == found.conclusion == expected


def test_a_control_that_diverges_is_an_error(recipe, tmp_path):
    """There is nothing to compare with, and the message says what to lower."""
    wild = with_settings(recipe, {"optimizer.lr": 1e30})
    with pytest.raises(TrainingError, match="diverged"):
        reseed.tune(recipe=wild, out=tmp_path, budget=19, **OPTIONS)


def test_another_folder_is_refused(tmp_path):
    """Files that are no search are never mixed with one."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(StudyError, match="exists and holds no search; choose another out"):
        reseed.tune("digits", out=tmp_path)


def test_under_fresh_data_a_search_is_confirmed_both_ways(recipe, tmp_path, monkeypatch):
    """Rungs train on shares, the confirmation both ways; the folder opens again, and the page has both."""
    monkeypatch.setattr(
        "reseed.workflows._tune.candidates",
        lambda *_: (Candidate("swa", mitigated(recipe, parse_mitigations("swa")), 1.0),),
    )
    lines = []
    options = OPTIONS | {"announce": lines.append, "budget": 34, "fresh_data": 0.8, "margin": 2}
    found = reseed.tune(recipe=recipe, out=tmp_path / "a", **options)
    assert "confirmation: swa, 5 runs, and as many under fresh data" in lines
    assert found.spent == 2 * 2 + 2 * 3 * 5
    assert list(found.studies) == [
        *("control", "second control", "swa"),
        *("control, fresh data", "second control, fresh data", "swa, fresh data"),
    ]
    assert [study.header.share for study in found.studies.values()] == [1, 1, 1, 0.8, 0.8, 0.8]
    searched = [Study.open(path).header for path in (tmp_path / "a" / "search").iterdir()]
    assert {header.share for header in searched} == {0.8}
    assert (found.comparison.margin, found.comparison.fresh.runs) == (2, 5)
    again = open_design(tmp_path / "a").result
    assert again.summary == found.summary == json.loads((tmp_path / "a" / "tune.json").read_text())
    assert "Rung 0: 2 runs, validation samples, fresh data" in again.report()
    page = (tmp_path / "a" / "tune.html").read_text()
    assert "--budget 68 --margin 2 --fresh-data 0.8" in page
    assert "Under fresh data" in page
    lines.clear()
    reseed.tune(recipe=recipe, out=tmp_path / "a", **options)
    assert not any("runs of" in line for line in lines), lines  # nothing is trained again
    other = reseed.tune(recipe=recipe, out=tmp_path / "a", **(OPTIONS | {"budget": 34, "vary": STREAMS}))
    assert ["data" in study.header.vary for study in other.studies.values()] == [False] * 3 + [True] * 3
    with pytest.raises(StudyError, match="already holds another study"):
        reseed.tune(recipe=recipe, out=tmp_path / "a", budget=19, vary=("init",), **OPTIONS)


@pytest.mark.parametrize("cost", [0.5, NAN, -1])
def test_a_cost_below_the_control_is_refused(tmp_path, cost):
    """Nothing costs less than one training."""
    with pytest.raises(InputError, match=rf"max_cost must be 1 or more, got {cost}"):
        reseed.tune("digits", max_cost=cost, out=tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_holdout_of_ones_own_is_refused(tmp_path):
    """Candidates would be compared on the samples that confirm the winner."""
    with pytest.raises(InputError, match=r"data.holdout is 0.3, but a search holds out training samples itself"):
        reseed.tune(DataConfig("digits", holdout=0.3), out=tmp_path / "none")
