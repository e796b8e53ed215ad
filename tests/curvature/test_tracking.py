"""Curvature along a training: what is measured, that nothing changes, and what is said of it."""

import numpy as np
import pytest
import torch

import reseed
from reseed import RecipeError, RecordConfig, StudyError
from reseed.curvature import empirical_risk, hessian, preconditioned, stability_threshold
from reseed.models import Networks
from reseed.training import Training, TrainingSet

TRACK = "curvature:every=10:samples=60:products=40"


def recipe(**changes):
    """A small network on digits."""
    return reseed.recipe_for("digits", changes={"model.hidden": [6], "epochs": 1, **changes})


def measured(folder, engine="serial", track=TRACK, **changes):
    """A study of three runs."""
    record = RecordConfig(level="full", track=track)
    return reseed.measure(recipe=recipe(**changes), runs=3, engine=engine, out=folder, record=record).study


@pytest.mark.parametrize("engine", ["serial", "stacked"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_nothing_of_the_training_changes(tmp_path, engine, optimizer):
    """Predictions are bit for bit those of a study that measures nothing."""
    changes = {"optimizer.name": optimizer, "optimizer.lr": 0.01, "average.name": "ema"}
    one = measured(tmp_path / "one", engine, **changes)
    other = measured(tmp_path / "other", engine, track="", **changes)
    for name in ("labels", "probabilities"):
        np.testing.assert_array_equal(one.recorded(name).values, other.recorded(name).values)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_engines_measure_the_same(tmp_path, optimizer):
    """One run at a time and all together; steps are those asked for, from before the first to after the last."""
    changes = {"optimizer.name": optimizer, "optimizer.lr": 0.01}
    one, other = (measured(tmp_path / engine, engine, **changes).tracked() for engine in ("serial", "stacked"))
    steps = one["step"].values.tolist()
    assert steps[:-1] == list(range(0, steps[-1], 10))
    for name in set(one) - {"error", "preconditioned_error"}:  # estimates, which depend on who else had converged
        np.testing.assert_allclose(other[name].values, one[name].values, rtol=1e-2, equal_nan=True)


def test_numbers_are_those_of_the_network_at_that_step(tmp_path):
    """A training stopped there by hand, its dense Hessian, and torch's own optimiser's memory."""
    made = recipe(**{"optimizer.name": "adam", "optimizer.lr": 0.01})
    study = measured(tmp_path / "study", **{"optimizer.name": "adam", "optimizer.lr": 0.01})
    kept = study.inputs("train")
    data = TrainingSet(kept.inputs, torch.from_numpy(kept.targets), 10)
    training = Training(made, reseed.models.architecture(made.model), data, study.header.plan.seeds(0))
    for step in training.steps():
        if step.number == 10:
            break
    rows = np.sort(np.random.default_rng(0).permutation(len(data.labels))[:60])
    risk = empirical_risk(Networks([training.model]), data.inputs[rows], data.labels[rows])
    found = study.tracked().sel(run=0, step=10)
    assert float(found["loss"]) == pytest.approx(float(risk.losses()[0]), rel=1e-5)
    dense = hessian(risk)
    assert float(found["sharpness"]) == pytest.approx(
        float(torch.linalg.eigvalsh(dense.dense()[0].double())[-1]), rel=1e-2
    )
    squares = torch.cat([training.squares()[0][name].flatten() for name in risk.shapes])
    divisor = (squares / (1 - 0.999**10)).sqrt() + 1e-8
    values = torch.linalg.eigvalsh(preconditioned(dense, divisor[None]).dense()[0].double())
    assert float(found["preconditioned_sharpness"]) == pytest.approx(float(values[-1]), rel=2e-2)
    assert float(found["threshold"]) == pytest.approx(stability_threshold(made).value)


def test_the_lens_has_the_course(tmp_path):
    """Series of every run, a chart, and a verdict in words; the threshold is that of the present rate."""
    study = measured(tmp_path / "study", **{"schedule.name": "linear"})
    found = study.tracked()
    assert (np.diff(found["threshold"].values, axis=1) > 0).all()  # the rate falls
    scores = reseed.curvature.evaluate(study, samples=50, probes=2, steps=10)
    assert scores.steps == tuple(found["step"].values)
    ratio = found["sharpness"].values / found["threshold"].values
    np.testing.assert_allclose(scores.series["tracked_ratio"], ratio)
    titles = [chart.title for chart in scores.charts[:3]]
    assert titles == ["Sharpness and threshold", "Training loss", "Learning rate"]
    assert [series.name for series in scores.charts[0].series] == ["runs that did not diverge", "threshold"]
    np.testing.assert_allclose(scores.charts[0].series[1].y, found["threshold"].values[0])
    np.testing.assert_allclose(scores.charts[2].series[0].y, found["learning_rate"].values[0])
    assert any(note.startswith("Trainings measured: 3 stable") for note in scores.notes)


def test_why_a_training_diverged(tmp_path):
    """One sentence says which step crossed what."""
    study = measured(tmp_path / "study", **{"optimizer.lr": 40.0})
    notes = reseed.curvature.evaluate(study, samples=50, probes=2, steps=10).notes
    assert any(note.startswith("Run 0: Diverged at step 10") and "had crossed the threshold" in note for note in notes)


def test_nothing_measured(tmp_path):
    """The message says how to."""
    study = measured(tmp_path / "study", track="")
    with pytest.raises(StudyError, match=r"train it with track='curvature:every=50'"):
        study.tracked()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("curvatur:every=5", r"track names 'curvatur'.*Did you mean 'curvature'\?"),
        ("curvature:every=0", "track says 'every=0'; write OPTION=NUMBER"),
        ("curvature:often=3", "unexpected keyword argument 'often'"),
    ],
)
def test_mistakes(text, message):
    """Refused before anything is trained."""
    with pytest.raises(RecipeError, match=message):
        RecordConfig(track=text)


def test_several_networks_a_run(tmp_path):
    """A run must be one network."""
    with pytest.raises(RecipeError, match="measures runs of one network"):
        reseed.measure(
            recipe=reseed.recipe_for("digits", mitigations="prediction-ensemble"),
            runs=2,
            out=tmp_path / "study",
            record=RecordConfig(track="curvature:every=10"),
        )
