"""Dropout passes in a study, and as signals of one run."""

import numpy as np
import pytest

from reseed import InputError, ModelError, Recipe, Study, StudyError
from reseed.instability import calibrate, evaluate, single_run_score, single_run_signals, single_run_table
from reseed.instability.one_run._foretold import signals_by_run
from reseed.models import ModelConfig
from reseed.studies import train_study
from reseed.training import RecordConfig

RECIPE = Recipe(model=ModelConfig(hidden=(8,), dropout=0.2), epochs=4, batch_size=64)
PASSES = RecordConfig(dropout_passes=6)
NAMES = {"dropout_label_entropy": "label_entropy", "dropout_margin": "margin"}


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Four trainings on digits with dropout passes; tests only read it."""
    folder = tmp_path_factory.mktemp("passes") / "study"
    return train_study(RECIPE, folder, runs=4, engine="serial", record=PASSES, probe=False)


@pytest.fixture(scope="module")
def without(tmp_path_factory):
    """The same trainings without passes."""
    return train_study(RECIPE, tmp_path_factory.mktemp("none") / "study", runs=4, engine="serial", probe=False)


def test_predictions_are_bit_for_bit_those_without_passes(study, without):
    """Recording passes changes nothing else, not even the name of the recipe; the passes are counted."""
    assert study.header.recipe == without.header.recipe
    assert study.recorded_names() == without.recorded_names()
    for name in study.recorded_names():
        np.testing.assert_array_equal(study.recorded(name), without.recorded(name))
    samples = len(study.samples)
    for one, other in zip(study.manifests, without.manifests, strict=True):
        assert one.cost["forward_passes"] - other.cost["forward_passes"] == 6 * samples
        assert one.accuracy == other.accuracy


def test_they_are_one_array_a_run(study, tmp_path):
    """The study gives [run, sample] in single precision, the same when its runs train as one program."""
    for name in NAMES.values():
        assert study.dropout(name).shape == (4, len(study.samples))
        assert study.dropout(name).dtype == np.float32
    stacked = train_study(RECIPE, tmp_path / "study", runs=4, engine="stacked", record=PASSES, probe=False, threads=1)
    np.testing.assert_allclose(stacked.dropout("margin"), study.dropout("margin"), atol=1e-3)
    assert np.mean(stacked.dropout("label_entropy") != study.dropout("label_entropy")) < 0.01
    assert study.recordings().sizes["checkpoint"] == 4


def test_without_passes(without, tmp_path):
    """A study without passes says how to record them; a model without dropout is refused before anything is there."""
    assert not without.has_dropout_passes
    with pytest.raises(StudyError, match="recorded no dropout passes; measure it with dropout_passes=20"):
        without.dropout("margin")
    with pytest.raises(ModelError, match="model 'mlp' has no dropout layer"):
        train_study(Recipe(epochs=2), tmp_path / "study", runs=2, record=PASSES)
    assert not (tmp_path / "study" / "study.json").exists()


def test_they_are_signals_of_each_run(study, without):
    """Signals are the recorded arrays, and only where they were recorded."""
    for run, signals in enumerate(signals_by_run(study)):
        for signal, name in NAMES.items():
            np.testing.assert_array_equal(signals[signal], study.dropout(name)[run])
    assert not set(NAMES) & set(next(signals_by_run(without)))
    assert set(next(signals_by_run(study, names=["dropout_margin"]))) == {"dropout_margin"}
    with pytest.raises(InputError, match="dropout_margin is"):
        single_run_signals([[0, 1], [0, 1]], dropout_margin=[0.5])


def test_calibrate_uses_them_where_all_studies_have_them(study, without):
    """With passes in all studies the weights know them; with one study without, they do not."""
    both = calibrate([study])
    assert set(NAMES) < set(both.signals)
    assert not set(NAMES) & set(calibrate([study, without]).signals)
    rows = {row.signal: row for row in single_run_table(study, both)}
    assert set(NAMES) < set(rows)
    assert rows["dropout_margin"].auroc.mean > 0.5  # a large margin is safe
    assert rows["dropout_label_entropy"].auroc.mean > 0.5


def test_they_outlive_being_opened_again(study):
    """A study that is opened anew has them."""
    np.testing.assert_array_equal(Study.open(study.path).dropout("margin"), study.dropout("margin"))


def test_the_packages_own_weights_do_not_need_them(study, without):
    """Scores of equal trainings are equal with and without passes."""
    for one, other in zip(signals_by_run(study), signals_by_run(without), strict=True):
        np.testing.assert_array_equal(single_run_score(one), single_run_score(other))
    for name in ("single_run_score", "label_entropy"):
        np.testing.assert_array_equal(evaluate(study).samples[name], evaluate(without).samples[name])


def test_a_single_run_with_passes(tmp_path):
    """A study of one run with passes is measured as one without."""
    one = train_study(RECIPE, tmp_path / "study", runs=1, engine="serial", record=PASSES, probe=False)
    assert one.dropout("margin").shape == (1, len(one.samples))
    assert evaluate(one).summary["runs"] == 1
