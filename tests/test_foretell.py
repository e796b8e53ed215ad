"""`reseed.foretell`: every column of single runs of every lens, held against what the other runs answer."""

import json
import math
import shutil
from dataclasses import asdict

import numpy as np
import pytest

import reseed
from reseed import InputError, RecordConfig, Study, StudyError
from reseed.instability import ONE_RUN, label_entropy, single_run_signals, single_run_table
from reseed.instability.one_run._columns import name_of
from reseed.scores import HALF, LOWER, Column, Scores, Targets, auroc, foretold, half_of_the_runs, keep_scores

DISTANCE = Column("distance to the boundary", "lower_is_worse", "[0, inf]", "pixels", "attack")
RUNS = 5


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Five short trainings on digits; not to be changed."""
    recipe = reseed.recipe_for("digits", changes={"epochs": 4, "model.hidden": (8,)})
    root = tmp_path_factory.mktemp("foretell") / "study"
    return reseed.measure(recipe=recipe, runs=RUNS, out=root, record=RecordConfig(level="scores"), probe=False).study


@pytest.fixture(scope="module")
def found(trained):
    """What foretells its flips."""
    return reseed.foretell(trained)


def keep(study, runs, rows, name="distance"):
    """Keep a column of some runs with a study."""
    parts = {"columns": {name: DISTANCE}, "by_run": {name: rows}, "runs": tuple(runs)}
    keep_scores(study, Scores(lens="attack", ids=study.samples.ids, **parts))


def test_signals_are_those_of_the_one_run_table(trained, found):
    """AUROC and tau-b of every signal are the means that `single_run_table` gives."""
    rows = {(row.lens, row.name): row.found for row in found.rows}
    expected = {row.signal: row for row in single_run_table(trained)}
    assert "score" in expected
    for signal, figures in expected.items():
        its = found.half.found if signal == HALF else rows["one_run", name_of(signal)]
        assert its.auroc.value == pytest.approx(figures.auroc.mean, abs=1e-12)
        assert its.kendall.value == pytest.approx(figures.kendall.mean, abs=1e-12)
    assert {name for lens, name in rows if lens == "one_run"} == {
        *(name_of(signal) for signal in expected if signal != HALF),
        "final_confidence",
    }


def test_columns_of_a_run_are_compared_with_the_other_runs(trained, found):
    """The final confidence and training dynamics, by hand."""
    labels = trained.final("labels")
    confidence = trained.final("confidence")
    flips = [np.asarray(label_entropy(np.delete(labels, run, 0))) > 0 for run in range(RUNS)]
    rows = {row.name: row for row in found.rows}
    expected = np.mean([auroc(-confidence[run], flips[run]) for run in range(RUNS)])
    assert rows["final_confidence"].found.auroc.value == pytest.approx(expected, abs=1e-12)
    changes = (np.diff(trained.labels.to_numpy(), axis=1) != 0).sum(1)
    expected = np.mean([auroc(changes[run], flips[run]) for run in range(RUNS)])
    assert rows["label_flips"].found.auroc.value == pytest.approx(expected, abs=1e-12)
    assert rows["label_flips"].lens == "dynamics"
    assert found.flipping == pytest.approx(np.mean(flips), abs=1e-15)


def test_the_best_comes_first(found):
    """In rows, table and chart; the half of the runs stands where it belongs."""
    values = [row.found.auroc.value for row in found.ranked]
    assert values == sorted(values, reverse=True)
    assert len(found.ranked) == len(found.rows) + 1
    table = found.table
    assert table["column"].to_pylist() == [*(row.name for row in found.rows), HALF]
    assert table["lift_low"].to_pylist() == [row.found.lift.low for row in (*found.rows, found.half)]
    assert all(field.metadata[b"description"] for field in table.schema)
    series = found.chart.series[0]
    assert found.chart.kind == "bars"
    assert series.y == tuple(values[:12])
    assert series.x[0] == found.rows[0].name
    assert all(low < value < high for low, value, high in zip(series.low, series.y, series.high, strict=True))
    assert f"{found.ranked[0].name} ranks them best" in found.chart.sentence
    assert json.loads(json.dumps(found.tree))["columns"][0] == json.loads(
        json.dumps(
            {"lens": found.rows[0].lens, "column": found.rows[0].name}
            | found.rows[0].column.metadata
            | asdict(found.rows[0].found)
        )
    )


def test_what_any_lens_keeps_is_asked_too(trained, tmp_path):
    """Of all runs or of some; the targets are all other runs."""
    study = Study.open(shutil.copytree(trained.path, tmp_path / "study"))
    labels = study.final("labels")
    exact = -np.stack([np.asarray(label_entropy(np.delete(labels, run, 0))) for run in range(RUNS)])
    keep(study, range(RUNS), exact)
    found = reseed.foretell(study)
    assert (found.rows[0].name, found.rows[0].found.auroc.value) == ("distance", 1)
    assert found.notes == ()
    keep(study, (3, 1), exact[[3, 1]])
    some = reseed.foretell(study.path)
    assert (some.rows[0].name, some.rows[0].found.auroc.value, some.rows[0].found.runs) == ("distance", 1, 2)
    assert some.notes == ("The columns of attack are of 2 of the 5 runs, whose targets are all others.",)
    keep(study, (3,), exact[[3]])
    assert reseed.foretell(study).notes[0].endswith("with one run, their intervals are over samples alone.")
    assert reseed.foretell(study).rows[0].found.auroc.method == "samples"
    (study.path / "scores" / "attack" / "evaluation.json").write_text("{")
    told = reseed.foretell(study)
    assert len(told.rows) == len(found.rows) - 1
    assert "The scores of attack are missing" in told.notes[0]


def test_predictions_alone_have_what_was_recorded(tmp_path):
    """Probabilities of one checkpoint: the final scores; labels alone have nothing."""
    rng = np.random.default_rng(0)
    lean = rng.normal(0, 2, (40, 3))
    probabilities = np.exp(lean + rng.normal(0, 1, (4, 40, 3)))
    probabilities /= probabilities.sum(-1, keepdims=True)
    study = Study.from_predictions(probabilities, tmp_path / "study", targets=lean.argmax(1))
    found = reseed.foretell(study)
    names = {"final_confidence", "final_margin", "final_entropy", "final_own_probability"}
    assert {row.name for row in found.rows} == names
    labels = study.final()
    by_hand = foretold(study.final("margin"), Targets.of(labels), LOWER)
    row = next(row for row in found.rows if row.name == "final_margin")
    assert row.found == by_hand
    assert row.column == ONE_RUN["final_margin"]
    assert found.half.found == half_of_the_runs(labels)
    bare = Study.from_predictions(labels, tmp_path / "bare")
    with pytest.raises(StudyError, match="no lens has columns of single runs; record scores with level='scores'"):
        reseed.foretell(bare)


def test_too_few_runs_are_told(tmp_path):
    """Two others are needed that can differ; of three runs a note says what their intervals lack."""
    labels = np.random.default_rng(0).integers(0, 3, (3, 20))
    with pytest.raises(StudyError, match=r"has 2 complete runs; 3 or more are needed to tell how well one foretells"):
        reseed.foretell(Study.from_predictions(labels[:2], tmp_path / "two"))
    study = Study.from_predictions(labels, tmp_path / "three")
    keep(study, range(3), np.random.default_rng(1).random((3, 20)))
    found = reseed.foretell(study)
    assert found.half is None
    assert found.notes == ("Of three runs none can be left out, so intervals are somewhat too narrow.",)


def test_nothing_to_rank_is_told(tmp_path):
    """All agree, or a column has no values."""
    study = Study.from_predictions(np.zeros((4, 20), int), tmp_path / "study", class_names=("a", "b"))
    keep(study, range(4), np.random.default_rng(1).random((4, 20)))
    found = reseed.foretell(study)
    assert found.notes == ("The runs answer every sample differently, or none, so there is nothing to rank.",)
    assert math.isnan(found.rows[0].found.auroc.value)
    assert found.chart.series[0].x == ()
    labels = np.random.default_rng(0).integers(0, 2, (4, 20)) * (np.arange(20) > 9)
    other = Study.from_predictions(labels, tmp_path / "other")
    columns = {"a": DISTANCE, "b": DISTANCE}
    by_run = {"a": np.full((4, 20), np.nan), "b": np.random.default_rng(1).random((4, 20))}
    keep_scores(other, Scores(lens="x", ids=other.samples.ids, columns=columns, by_run=by_run, runs=(0, 1, 2, 3)))
    found = reseed.foretell(other)
    assert [row.name for row in found.rows] == ["b", "a"]
    assert found.notes == ("Columns without a value that can be ranked: a.",)


def test_directions_say_which_signals_are_safe_when_large(trained):
    """The signals of a run are described, in one direction each."""
    recorded = {name: trained.recorded(name)[0].to_numpy() for name in ("margin", "confidence", "entropy")}
    own = trained.recorded("own_probability")[0].to_numpy()
    signals = single_run_signals(trained.labels[0].to_numpy(), own_probability=own, **recorded)
    passes = {"dropout_label_entropy", "dropout_margin"}
    assert {name_of(name) for name in signals} | passes | {"one_run_score", "final_confidence"} == set(ONE_RUN)
    with pytest.raises(InputError, match="labels must be"):
        Targets.of(np.zeros((2, 4), int))


@pytest.mark.parametrize("size", [25_000])
def test_many_samples_say_what_tau_is_of(tmp_path, size):
    """A drawn part of them."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, (3, size)) * (rng.random(size) < 0.05)
    study = Study.from_predictions(labels, tmp_path / "study")
    keep(study, (1,), rng.random((1, size)))
    found = reseed.foretell(study)
    assert "Tau-b is of 20,000 of the 25,000 samples, drawn at random." in found.notes
