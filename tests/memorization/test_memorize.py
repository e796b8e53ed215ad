"""`reseed.memorize`: a file with a few wrong labels has them first, studies are ranked, mistakes are told."""

import csv
import json
import re
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

import reseed
from reseed import DataConfig, InputError, RecipeError, RecordConfig, SeedPlan, StudyError
from reseed.cli._main import main
from reseed.data import load
from reseed.memorization import memorization, suspect_labels
from reseed.studies import train_study
from reseed.training import trained_on
from reseed.workflows._suspects_table import csv_writer

WORDS = {
    "weather": ("rain", "sun", "cloud", "storm"),
    "music": ("play", "song", "jazz", "album"),
    "food": ("cook", "bread", "dinner", "salt"),
}
WRONG = 8


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A CSV of texts about three topics, and the ids of those that are labelled as another one."""
    draw, folder = np.random.default_rng(0), tmp_path_factory.mktemp("own")
    topics = list(WORDS)
    rows = []
    for number in range(200):
        topic = topics[number % 3]
        label = topics[(number + 1) % 3] if number in range(20, 20 + WRONG) else topic
        text = " ".join(draw.choice(WORDS[topic], 4))
        rows.append([f"s{number}", text, label, "test" if number >= 160 else "train"])
    with (folder / "own.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["id", "text", "label", "part"], *rows])
    return folder / "own.csv", {f"s{number}" for number in range(20, 20 + WRONG)}


@pytest.fixture(scope="module")
def recipe(own):
    """A small one for the file."""
    data = DataConfig(str(own[0]), text="text", label="label", id="id", split="part")
    return reseed.recipe_for(data, changes={"epochs": 12, "batch_size": 16, "optimizer.lr": 0.01})


@pytest.fixture(scope="module")
def found(recipe, tmp_path_factory):
    """What five folds say."""
    folder = tmp_path_factory.mktemp("memorize") / "study"
    said = []
    return reseed.memorize(recipe=recipe, out=folder, probe=False, announce=said.append), said


def test_wrong_labels_are_first(own, found):
    """The most suspicious samples are the wrongly labelled ones, with the right label as the likely one."""
    memorized, said = found
    with (memorized.study.path / "suspects.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert {row["sample_id"] for row in rows[:WRONG]} == own[1] or {row["sample_id"] for row in rows} <= own[1]
    topic = {word: name for name, words in WORDS.items() for word in words}
    assert all(
        row["likely_label"] == topic[row["text"].split()[0]] for row in rows[:WRONG] if row["sample_id"] in own[1]
    )
    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert {row["is_label_issue"] for row in rows} == {"True"}
    assert {"text", "given_label", "predicted_label", "label_quality"} <= rows[0].keys()
    order = np.argsort(-memorized.scores.samples["suspicion"])[:WRONG]
    assert {memorized.scores.ids[place] for place in order} == own[1]
    assert said[0] == (
        "plan: 5 networks, each on 128 of 160 training samples for 12 epochs: the cost of 4.0 trainings on all"
    )


def test_every_training_sample_has_columns(found):
    """They join the profile of the training split, and the page shows the suspects."""
    memorized, _ = found
    table = reseed.profile(memorized.study, split="train")
    assert len(table) == 160
    assert {"suspicion", "memorization", "train_forgetting", "label_posterior"} <= set(table.column_names)
    assert [chart.kind for chart in memorized.scores.charts] == ["texts", "bars"]
    assert memorized.summary["trainings"] == 4


def test_it_goes_on_for_free(recipe, found):
    """The same call trains nothing; more repeats extend the study, and the scores are made anew."""
    memorized, _ = found
    again = reseed.memorize(recipe=recipe, out=memorized.study.path, probe=False, announce=lambda line: None)
    assert [one.predictions for one in again.study.manifests] == [one.predictions for one in memorized.study.manifests]
    assert reseed.memorize(again.study).suspects.equals(memorized.suspects)


def test_a_study_of_whole_trainings_is_ranked_by_what_it_recorded(own, recipe, tmp_path):
    """By margins along the training, with a note that folds say more."""
    record = RecordConfig(train=True)
    study = train_study(recipe, tmp_path / "study", runs=2, record=record, engine="stacked", probe=False)
    scores = suspect_labels(study)
    order = np.argsort(-scores.samples["suspicion"])[: 2 * WRONG]
    assert {scores.ids[place] for place in order} >= own[1]
    assert "reseed memorize DATASET" in scores.notes[0]
    assert "held_out_probability" not in scores.samples


@pytest.mark.parametrize(
    ("record", "argument", "option"),
    [
        (RecordConfig(), "make it with train=True", "make it with --record-train"),
        (
            RecordConfig(train=True, level="labels"),
            "train=True and level='scores' or full",
            "--record-train and --level scores or full",
        ),
    ],
)
def test_what_is_not_recorded_is_named_with_its_option(recipe, tmp_path, capsys, record, argument, option):
    """The training split has to be recorded, with scores."""
    short = replace(recipe, epochs=1)
    study = train_study(short, tmp_path / "study", runs=2, record=record, engine="stacked", probe=False)
    with pytest.raises(StudyError, match=argument):
        reseed.memorize(study)
    with pytest.raises(SystemExit):
        main(["memorize", str(study.path)])
    assert option in capsys.readouterr().err
    remedy = "`reseed memorize` of the study makes some" if record.train else "record them with train=True"
    with pytest.raises(StudyError, match=remedy):
        reseed.profile(study, split="train")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"folds": 1}, "folds must be a whole number of 2 or more, got 1; pass for example 5"),
        ({"folds": 500}, "folds is 500, more than the 160 training samples"),
        ({"repeats": 0}, "repeats must be a whole number of 1 or more, got 0"),
        ({"vary": {"data"}}, "vary names data, but folds=5 fixes the training sample"),
        ({"share": 1.5}, "share must be a share of the training set, in (0, 1), or None, got 1.5"),
        ({"share": 0.5, "folds": 5}, "folds and share each say what a run trains on; pass one of them"),
        ({"share": 0.999, "repeats": 60}, "share=0.999 of 160 training samples: even 1,000 networks do not leave out"),
    ],
)
def test_impossible_plans(recipe, arguments, message):
    """Told before anything is trained."""
    with pytest.raises(InputError) as error:
        reseed.memorize(recipe=recipe, **arguments)
    assert message in str(error.value)


@pytest.mark.parametrize("share", [0.7, 0.2])
def test_too_few_networks_on_shares(recipe, share):
    """The message says how many do; one fewer leaves a sample that all networks saw, or none."""
    with pytest.raises(
        InputError, match=r"share=0.\d with repeats=2: \d+ of 160 training samples are left out by"
    ) as error:
        reseed.memorize(recipe=recipe, share=share, repeats=2)
    enough = int(re.search(r"pass repeats=(\d+) or more", str(error.value)).group(1))
    for runs, is_enough in ((enough, True), (enough - 1, False)):
        seen = trained_on(SeedPlan(share=share), range(runs), 160).sum(0)
        assert ((seen > 0) & (seen < runs)).all() == is_enough


def test_networks_on_shares(own, recipe, tmp_path):
    """Each is trained on another random part; the estimate is that of what they recorded, and the plan is told."""
    said = []
    changed = replace(recipe, epochs=4)
    found = reseed.memorize(
        recipe=changed, share=0.7, repeats=20, out=tmp_path / "study", probe=False, announce=said.append
    )
    assert said[0] == (
        "plan: 20 networks, each on 112 of 160 training samples for 4 epochs: the cost of 14.0 trainings on all"
    )
    assert found.summary["networks"] == 20
    assert found.summary["trainings"] == 14
    inside = found.study.trained_on()
    assert (inside.sum(1) == 112).all()
    assert len(np.unique(inside, axis=0)) == 20
    right = found.study.recorded("labels", "train")[:, -1] == load(recipe.data).train.labels.numpy()
    expected = memorization(right, inside)
    np.testing.assert_allclose(found.scores.samples["memorization"], expected.value)


def test_teachers_that_saw_everything_are_refused(tmp_path):
    """A teacher that all runs share would tell a network of the labels it leaves out."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 1}, mitigations="distill:anchor=elsewhere")
    with pytest.raises(RecipeError, match="has teachers that all runs share and that see every training sample"):
        train_study(
            recipe,
            tmp_path / "study",
            runs=2,
            plan=SeedPlan(folds=2),
            record=RecordConfig(train=True),
            engine="serial",
            probe=False,
        )


def test_the_command(found, capsys):
    """Of a study it prints suspects and where they are; options of trainings are refused."""
    place = str(found[0].study.path)
    with pytest.raises(SystemExit) as ended:
        main(["memorize", place, "--top", "2"])
    assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "likely" in out
    assert "suspects.csv" in out
    assert (found[0].study.path / "report.html").exists()
    with pytest.raises(SystemExit):
        main(["memorize", place, "--folds", "3"])
    assert "--folds is for a data set" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["memorize", place, "--share", "0.7"])
    assert "--share is for a data set" in capsys.readouterr().err


def test_the_command_with_shares(own, tmp_path, capsys):
    """It trains as many networks as are asked for, or says how many it takes."""
    arguments = ["memorize", str(own[0]), "--text", "text", "--label", "label", "--id", "id", "--split", "part"]
    arguments += ["--epochs", "1", "--share", "0.5", "--out", str(tmp_path / "study"), "--no-probe", "--json"]
    with pytest.raises(SystemExit):
        main([*arguments, "--repeats", "2"])
    enough = re.search(r"it takes \d+ networks: pass --repeats (\d+)", capsys.readouterr().err).group(1)
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--repeats", enough])
    assert ended.value.code == 0
    assert json.loads(capsys.readouterr().out)["summary"]["networks"] == int(enough)


def test_labels_made_wrong_on_purpose_are_found_and_counted(tmp_path):
    """The study knows which labels it was given wrong, and the summary says how well the ranking finds them."""
    changes = {"data.limit": 300, "epochs": 8, "data.corruption.kind": "labels", "data.corruption.rate": 0.1}
    recipe = reseed.recipe_for("digits", changes=changes)
    found = reseed.memorize(recipe=recipe, out=tmp_path / "study", probe=False, announce=lambda line: None)
    done = found.study.corruption
    wrong = done.true_labels != done.given_labels
    assert found.summary["known_wrong_labels"] == wrong.sum()
    first = np.argsort(-found.scores.samples["suspicion"], kind="stable")[: wrong.sum()]
    assert found.summary["precision_of_known"] == wrong[first].mean()
    assert found.summary["average_precision_of_known"] > 0.7
    low, high = found.summary["auroc_of_known_ci95_samples"]
    assert 0.5 < low <= found.summary["auroc_of_known"] <= high <= 1
    table = reseed.profile(found.study, split="train")
    assert {"is_corrupted", "label_true", "suspicion"} <= set(table.column_names)


def test_texts_are_no_formulas_in_the_table(tmp_path):
    """As in every CSV that people open in a spreadsheet."""
    table = pa.table({"sample_id": ["a"], "text": ["=1+1"]})
    csv_writer(table)(tmp_path / "suspects.csv")
    assert (tmp_path / "suspects.csv").read_text().splitlines()[1] == "a,'=1+1"
