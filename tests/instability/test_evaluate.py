"""The lens on a study, against plain loops over what was recorded."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import scipy.stats

from reseed import InputError, SeedPlan, Study, TrainingError
from reseed.instability import accuracy_spread, evaluate, single_run_score, single_run_signals
from reseed.models import ModelConfig
from reseed.studies import train_study
from reseed.training import OptimizerConfig, Recipe, RecordConfig

RUNS, SAMPLES, CLASSES = 7, 40, 4


@pytest.fixture
def labels():
    """Labels of seven runs that agree on some samples."""
    rng = np.random.default_rng(0)
    agreed = rng.integers(0, CLASSES, SAMPLES)
    flips = rng.random((RUNS, SAMPLES)) < np.linspace(0, 0.8, SAMPLES) ** 2
    return np.where(flips, rng.integers(0, CLASSES, (RUNS, SAMPLES)), agreed)


@pytest.fixture
def targets():
    """Gold labels."""
    return np.random.default_rng(1).integers(0, CLASSES, SAMPLES)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """Three recorded trainings on digits."""
    recipe = Recipe(model=ModelConfig(hidden=(8,)), epochs=3, batch_size=64)
    return train_study(recipe, tmp_path_factory.mktemp("trained") / "study", runs=3, engine="serial")


@pytest.fixture
def measured(labels, tmp_path):
    """What the study of the labels says, without targets."""
    names = tuple("abcd")
    study = Study.from_predictions(np.array(names)[labels], tmp_path / "study", class_names=names)
    return evaluate(study)


def test_samples_equal_plain_loops(measured, labels):
    """Every column that counts answers equals a loop over samples."""
    rows = measured.samples.to_pylist()
    for sample, row in enumerate(rows):
        counts = Counter(labels[:, sample].tolist())
        most = max(counts.values())
        mode = min(label for label, count in counts.items() if count == most)
        pairs = [one != other for one, other in combinations(labels[:, sample], 2)]
        assert row["sample_id"] == str(sample)
        assert row["label_entropy"] == pytest.approx(scipy.stats.entropy(list(counts.values())), abs=1e-12)
        assert row["jitter"] == pytest.approx(np.mean(pairs))
        assert (row["mode_label"], row["mode_name"]) == (mode, "abcd"[mode])
        assert row["mode_share"] == pytest.approx(most / RUNS)
        assert row["mode_tied"] == (list(counts.values()).count(most) > 1)
        assert row["unstable"] == (len(counts) > 1)
        assert {answer["label"]: answer["count"] for answer in row["answers"]} == dict(counts)
        assert [answer["count"] for answer in row["answers"]] == sorted(counts.values(), reverse=True)
        assert np.isnan(row["confidence_mean"])
        assert row["target_name"] is None


def test_summary_equals_the_samples(measured, labels):
    """Means over the data set are means of the columns, and intervals hold them."""
    summary, table = measured.summary, measured.samples.to_pandas()
    assert summary["label_entropy_mean"] == pytest.approx(table.label_entropy.mean())
    assert summary["jitter"] == pytest.approx(table.jitter.mean())
    assert summary["unstable_fraction"] == pytest.approx((labels != labels[0]).any(0).mean())
    assert summary["unstable_samples"] == int(table.unstable.sum())
    assert summary["high_entropy_fraction"] == pytest.approx((table.label_entropy > 0.56).mean())
    assert summary["flip_upper_bound"] == pytest.approx(1 - 0.05 ** (1 / RUNS))
    assert summary["label_entropy_corrected_mean"] > summary["label_entropy_mean"]
    for name in ("label_entropy", "jitter", "unstable_fraction"):
        low, high = summary[f"{name}_ci95"]
        assert low < summary[{"label_entropy": "label_entropy_mean"}.get(name, name)] < high
        assert summary[f"{name}_ci_method"] == "two-way"
    assert summary["accuracy_mean"] is summary["accuracy_ci95"] is None
    assert (summary["runs"], summary["samples"], summary["classes"]) == (RUNS, SAMPLES, CLASSES)


def test_pairs_and_rarefaction_sum_to_the_summary(measured):
    """Shares of confused pairs sum to the jitter; the rarefaction curve ends at the unstable fraction."""
    assert measured.pairs.share.sum() == pytest.approx(measured.summary["jitter"])
    assert measured.rarefaction.unstable_fraction[-1] == pytest.approx(measured.summary["unstable_fraction"])
    assert measured.rarefaction.unstable_fraction[1] == pytest.approx(measured.summary["jitter"])


def test_targets_give_accuracy_and_classes(labels, targets, tmp_path):
    """Accuracy over runs, with its interval, and the least stable classes follow the gold labels."""
    study = Study.from_predictions(labels, tmp_path / "gold", targets=targets, class_names=list("0123"))
    measured, gold = evaluate(study), targets
    per_run = (labels == gold).mean(1)
    assert measured.summary["accuracy_mean"] == pytest.approx(per_run.mean())
    assert measured.summary["accuracy_std"] == pytest.approx(per_run.std(ddof=1))
    low, high = scipy.stats.t.interval(0.95, RUNS - 1, per_run.mean(), per_run.std(ddof=1) / np.sqrt(RUNS))
    assert measured.summary["accuracy_ci95"] == pytest.approx([low, high])
    spread = accuracy_spread(labels, targets)
    for name, found in (
        ("accuracy_std_of_distribution", spread.std_of_distribution),
        ("best_run_optimism", spread.best_run_optimism),
    ):
        assert measured.summary[name] == pytest.approx(found.value)
        assert measured.summary[f"{name}_ci95"] == pytest.approx([found.low, found.high])
    assert "accuracy_std_if_calibrated" not in measured.summary  # of two classes only
    entropy = np.array(measured.samples["label_entropy"])
    assert [row.label_entropy for row in measured.classes] == sorted(
        (row.label_entropy for row in measured.classes), reverse=True
    )
    for row in measured.classes:
        mine = gold == row.label
        assert row.samples == mine.sum()
        assert row.label_entropy == pytest.approx(entropy[mine].mean())
        assert row.accuracy == pytest.approx((labels == gold)[:, mine].mean())


def test_trajectory_entropy_is_the_mean_over_runs(trained):
    """Entropy along checkpoints equals the formula on each run's stacked trajectory, averaged over runs."""
    measured = evaluate(trained)
    labels = trained.labels.to_numpy()
    assert labels.shape == (3, 3, 360)
    expected = [
        np.mean([scipy.stats.entropy(np.unique(run[:, sample], return_counts=True)[1]) for run in labels])
        for sample in range(360)
    ]
    np.testing.assert_allclose(measured.samples["trajectory_label_entropy"], expected, atol=1e-12)
    assert measured.summary["trajectory_label_entropy_mean"] == pytest.approx(np.mean(expected))


def test_single_run_score_is_the_mean_over_runs(trained, measured):
    """Its column averages each run's own estimate; a study of labels alone has no such column."""
    labels, names = trained.labels.to_numpy(), ("margin", "confidence")
    scores = {name: trained.recorded(name).to_numpy() for name in names}
    each = [
        single_run_score(single_run_signals(labels[run], **{name: scores[name][run] for name in names}))
        for run in range(3)
    ]
    np.testing.assert_allclose(evaluate(trained).samples["single_run_score"], np.mean(each, 0), atol=1e-12)
    assert "single_run_score" not in measured.samples.column_names


def test_recorded_scores_become_means_and_deviations(trained):
    """Confidence, own probability and margin are averaged over runs at the last checkpoint."""
    measured = evaluate(trained)
    for name in ("confidence", "own_probability", "margin"):
        values = trained.final(name).astype(np.float64)
        np.testing.assert_allclose(measured.samples[f"{name}_mean"], values.mean(0), atol=1e-12)
        np.testing.assert_allclose(measured.samples[f"{name}_std"], values.std(0), atol=1e-12)


def test_cost_and_parameters_are_in_the_summary(trained):
    """The summary says what all runs cost together and what the seed re-draws."""
    summary = evaluate(trained).summary
    assert summary["cost_steps"] == 3 * 69
    assert summary["cost_peak_memory_bytes"] == max(m.cost["peak_memory_bytes"] for m in trained.manifests)
    assert summary["parameters_redrawn"] == 64 * 8 + 8 + 80 + 10
    assert summary["parameters_constant"] == summary["parameters_shared"] == 0
    assert not any(isinstance(value, dict) for value in summary.values())


def notes(study):
    """The notes of a study, as one text."""
    return " ".join(evaluate(study).notes)


def test_notes_tell_of_few_missing_and_equal_runs(labels, tmp_path):
    """Few runs, missing runs and identical runs are told; a study without faults says nothing."""
    assert notes(Study.from_predictions(labels, tmp_path / "fine")) == ""
    two = Study.from_predictions(labels[:2], tmp_path / "two")
    assert "2 runs are few" in notes(two)
    assert "the intervals cover other samples only" in notes(two)
    assert evaluate(two).summary["label_entropy_ci_method"] == "samples"
    same = Study.from_predictions(np.repeat(labels[:1], 6, 0), tmp_path / "same")
    assert "All runs gave identical predictions" in notes(same)
    (tmp_path / "fine/runs/run-00003/manifest.json").unlink()
    assert "1 of 7 runs are missing; the numbers speak of 6 runs" in notes(Study.open(tmp_path / "fine"))


def test_diverged_runs_are_told_and_left_out(tmp_path):
    """Diverged runs are counted, named with their step, and no part of any number."""
    recipe = Recipe(optimizer=OptimizerConfig(lr=1e9), epochs=1)
    study = train_study(
        recipe, tmp_path / "study", runs=8, engine="serial", record=RecordConfig("final"), plan=SeedPlan(0)
    )
    measured = evaluate(study)
    assert measured.summary["runs_diverged"] == len(study.diverged) > 0
    assert measured.summary["runs"] == 8 - len(study.diverged)
    first = study.diverged[0]
    assert f"run {first.run} at step {first.diverged_at}" in " ".join(measured.notes)


def test_one_run_is_not_enough(labels, tmp_path):
    """A study with a single complete run cannot be measured and says how many there are."""
    Study.from_predictions(labels[:2], tmp_path / "study")
    (tmp_path / "study/runs/run-00000/manifest.json").unlink()
    with pytest.raises(TrainingError, match=r"has 1 complete runs \(0 diverged, 1 missing\); two or more are needed"):
        evaluate(Study.open(tmp_path / "study"))
    with pytest.raises(InputError):
        Study.from_predictions(labels[:1], tmp_path / "single")


def test_two_classes_have_the_spread_of_calibrated_runs(labels, targets, tmp_path):
    """Of two classes the closed form of the spread that finite samples make stands beside, of known targets."""
    two, gold = labels % 2, targets % 2
    gold[:5] = -1
    study = Study.from_predictions(two, tmp_path / "two", targets=gold, class_names=list("01"))
    error = (two != gold)[:, 5:].mean()
    summary = evaluate(study).summary
    assert summary["accuracy_std_if_calibrated"] == pytest.approx(np.sqrt(error / (2 * (SAMPLES - 5))))
    assert summary["accuracy_std_of_distribution"] == pytest.approx(
        accuracy_spread(two, gold).std_of_distribution.value
    )
