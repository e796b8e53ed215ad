"""The one-run estimate: its weights, its calibration and the table that tests it."""

import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.special
import scipy.stats
import sklearn.metrics
import torch

from reseed import InputError, Recipe, StorageError, Study, StudyError
from reseed.cli import main
from reseed.instability import (
    SingleRunModel,
    calibrate,
    label_entropy,
    single_run_score,
    single_run_signals,
    single_run_table,
)
from reseed.models import ModelConfig
from reseed.studies import train_study

MODEL = SingleRunModel(("mean_margin", "margin_std"), (0.5, 0.1), (0.2, 0.1), (-2.0, 1.0), -1.0, 0.3, 5, ("a",))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Six recorded trainings of a small network on digits, some of whose answers differ."""
    recipe = Recipe(model=ModelConfig(hidden=(8,)), epochs=12, batch_size=64)
    return train_study(recipe, tmp_path_factory.mktemp("trained") / "study", runs=6, engine="serial")


def signals_of(study, run):
    """The signals of one run, from its recorded arrays."""
    names = ("margin", "confidence", "entropy", "own_probability")
    arrays = {name: study.recorded(name).to_numpy()[run] for name in names}
    return single_run_signals(study.labels.to_numpy()[run], **arrays)


def test_score_is_the_logistic_formula_with_exact_zeros():
    """The score is the logistic function of the standardised signals, and zero below the cut."""
    margin, std = np.array([0.2, 0.5, 0.9]), np.array([0.3, 0.1, 0.0])
    raw = scipy.special.expit(-1.0 - 2.0 * (margin - 0.5) / 0.2 + (std - 0.1) / 0.1)
    score = single_run_score({"mean_margin": margin, "margin_std": std}, MODEL)
    np.testing.assert_allclose(score, np.where(raw < 0.3, 0.0, raw), atol=1e-15)
    assert score[1] == score[2] == 0.0
    tensor = single_run_score({"mean_margin": torch.tensor(margin), "margin_std": torch.tensor(std)}, MODEL)
    np.testing.assert_array_equal(tensor.numpy(), score)


def test_weights_survive_json(tmp_path):
    """What is written is read back equal."""
    MODEL.write(tmp_path / "weights.json")
    assert SingleRunModel.read(tmp_path / "weights.json") == MODEL
    with pytest.raises(StorageError, match="cannot write"):
        MODEL.write(tmp_path / "weights.json" / "inside")


def test_wrong_weights_are_told(tmp_path):
    """Files without weights and inconsistent weights say what is wrong and what to do."""
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(
        InputError, match=r"other.json' holds no weights.*'centers'\); make them with `reseed calibrate`"
    ):
        SingleRunModel.read(tmp_path / "other.json")
    with pytest.raises(InputError, match="one center, scale and coefficient for each of its signals"):
        replace(MODEL, centers=(0.0,))
    with pytest.raises(InputError, match="must be finite numbers"):
        replace(MODEL, intercept=np.nan)
    with pytest.raises(InputError, match=r"positive scales, a cut in 0 \.\. 1 and a run or more, got .*cut=2"):
        replace(MODEL, cut=2)


def test_wrong_signals_are_told():
    """A missing signal and signals of different samples are named."""
    with pytest.raises(InputError, match="signals lack margin_std, which the model needs; pass `margin`"):
        single_run_score({"mean_margin": [0.1]}, MODEL)
    with pytest.raises(InputError, match=r"margin_std is float64\[2\] but mean_margin is float64\[1\]"):
        single_run_score({"mean_margin": [0.1], "margin_std": [0.1, 0.2]}, MODEL)


def test_calibration_maximises_the_penalised_likelihood(study):
    """The learnt weights are a stationary point of the logistic loss with scikit-learn's default penalty."""
    model = calibrate([study])
    final = study.final("labels")
    table, flips = [], []
    for run in range(6):
        found = signals_of(study, run)
        table.append(np.stack([found[name] for name in model.signals], 1))
        flips.append(label_entropy(np.delete(final, run, 0)) > 0)
    table, flips = np.concatenate(table), np.concatenate(flips)
    scaled = (table - np.array(model.centers)) / np.array(model.scales)
    residual = scipy.special.expit(scaled @ model.coefficients + model.intercept) - flips
    gradient = np.append(scaled.T @ residual + model.coefficients, residual.sum())
    assert np.abs(gradient).max() < 0.02 * len(flips) ** 0.5
    assert model.runs == 5
    assert model.trained_on == ("digits, mlp",)


def test_table_equals_independent_measures(study):
    """The score's figures are those of scipy and scikit-learn against the other runs, averaged over runs."""
    model = calibrate([study])
    rows = {row.signal: row for row in single_run_table(study, model, top=20)}
    final = study.final("labels")
    expected = {name: [] for name in ("spearman", "kendall", "auroc", "precision")}
    for run in range(6):
        score, entropy = single_run_score(signals_of(study, run), model), label_entropy(np.delete(final, run, 0))
        expected["spearman"].append(scipy.stats.spearmanr(score, entropy).statistic)
        expected["kendall"].append(scipy.stats.kendalltau(score, entropy).statistic)
        expected["auroc"].append(sklearn.metrics.roc_auc_score(entropy > 0, score))
        expected["precision"].append(np.mean(entropy[np.lexsort((np.arange(len(score)), -score))[:20]] > 0))
    for name, values in expected.items():
        found = getattr(rows["score"], name)
        low, high = scipy.stats.t.interval(0.95, 5, np.mean(values), scipy.stats.sem(values))
        assert (found.mean, found.low, found.high) == pytest.approx((np.mean(values), low, high))
        assert found.n == 6
    assert rows["mean_margin"].auroc.mean > 0.8
    assert rows["score"].auroc.mean > 0.7
    assert {"late_label_entropy", "half_of_the_runs"} <= set(rows)


def test_the_packaged_weights_rank_samples(study):
    """Without a model the package's own weights serve, and tell flipping samples from the others."""
    assert single_run_table(study)[0].auroc.mean > 0.65


def test_what_cannot_be_learnt_from_is_told(study, tmp_path):
    """Too few runs, labels alone, unknown signals and no studies are refused with what to do."""
    labels = np.random.default_rng(0).integers(0, 3, (4, 20))
    with pytest.raises(StudyError, match="holds no margins at several checkpoints; measure it with every='epoch'"):
        calibrate([Study.from_predictions(labels, tmp_path / "labels")])
    with pytest.raises(StudyError, match="has 2 complete runs; 3 or more are needed"):
        single_run_table(Study.from_predictions(labels[:2], tmp_path / "two"))
    with pytest.raises(InputError, match="has no signal nonsense; it has: late_label_entropy"):
        calibrate([study], signals=["nonsense"])
    with pytest.raises(InputError, match="calibrate needs a study and a signal or more, got 0 and 2"):
        calibrate([])
    with pytest.raises(InputError, match="top must be 1 or more samples, got 0"):
        single_run_table(study, top=0)


def test_the_command_writes_weights(study, tmp_path, capsys):
    """`reseed calibrate` writes what the function returns, and prints where."""
    with pytest.raises(SystemExit) as ended:
        main(["calibrate", str(study.path), "--out", str(tmp_path / "weights.json")])
    assert ended.value.code == 0
    assert capsys.readouterr().out.strip() == str(tmp_path / "weights.json")
    assert SingleRunModel.read(tmp_path / "weights.json") == calibrate([study])
    assert json.loads((tmp_path / "weights.json").read_text())["runs"] == 5
