"""Methods beside their control, on studies of made-up predictions."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from reseed import InputError, Study, TrainingError
from reseed.instability import compare_studies, expected_calibration_error, label_entropy_reduction

RUNS, SAMPLES, CLASSES = 6, 90, 3


def _probabilities(seed, noise, runs=RUNS):
    """Probabilities [run, sample, class] around scores that all batches share, noisier or less so."""
    shared = np.random.default_rng(0).normal(size=(SAMPLES, CLASSES)) * 2
    scores = shared + noise * np.random.default_rng(seed).normal(size=(runs, SAMPLES, CLASSES))
    return scipy.special.softmax(scores, axis=-1)


TARGETS = np.random.default_rng(0).normal(size=(SAMPLES, CLASSES)).argmax(1)


@pytest.fixture
def make(tmp_path):
    """Makes a study of probabilities, or of labels."""

    def study(name, predictions, targets=TARGETS, **options):
        return Study.from_predictions(predictions, tmp_path / name, targets=targets, **options)

    return study


@pytest.fixture
def studies(make):
    """A control, a steadier method, and a second control."""
    batches = {"control": (1, 0.8), "steady": (2, 0.3), "null": (3, 0.8)}
    return {name: make(name, _probabilities(*how)) for name, how in batches.items()}


@pytest.fixture
def found(studies):
    """The comparison of a steadier method with a control and its null."""
    return compare_studies({name: studies[name] for name in ("control", "steady")}, null=studies["null"])


def _entropy(labels):
    """Each sample's label entropy, by scipy."""
    return scipy.stats.entropy(np.stack([(labels == k).mean(0) for k in range(CLASSES)]))


def test_numbers_are_those_of_the_raw_predictions(found):
    """Every number follows from the probabilities by numpy, scipy and scikit-learn."""
    raw = {"control": (1, 0.8), "second control": (3, 0.8), "steady": (2, 0.3)}
    labels = {name: _probabilities(*how).argmax(-1) for name, how in raw.items()}
    base = _entropy(labels["control"])
    high = base > 0.56
    for row in found.rows:
        probabilities, mine = _probabilities(*raw[row.name]), labels[row.name]
        entropy, effect = _entropy(mine), row.effect
        pairs = list(itertools.combinations(mine, 2))
        flips = [((a == TARGETS) & (b != TARGETS)).mean() for a, b in itertools.permutations(mine, 2)]
        losses = [sklearn.metrics.log_loss(TARGETS, each, labels=range(CLASSES)) for each in probabilities]
        errors = [
            expected_calibration_error(each.max(-1), each.argmax(-1) == TARGETS, bins=15) for each in probabilities
        ]
        assert effect.accuracy.value == pytest.approx((mine == TARGETS).mean())
        assert effect.label_entropy.value == pytest.approx(entropy.mean())
        assert effect.unstable_fraction.value == pytest.approx((mine != mine[0]).any(0).mean())
        assert effect.jitter.value == pytest.approx(np.mean([(a != b).mean() for a, b in pairs]))
        assert effect.negative_flip_rate.value == pytest.approx(np.mean(flips))
        assert effect.nll.value == pytest.approx(np.mean(losses), rel=1e-5)
        assert effect.ece.value == pytest.approx(np.mean(errors), abs=1e-6)
        assert effect.ece.standard_error == pytest.approx(scipy.stats.sem(errors), abs=1e-6)
        if row.role != "control":
            assert effect.reduction.value == pytest.approx(100 * (1 - entropy.sum() / base.sum()))
            assert effect.high_reduction.value == pytest.approx(100 * (1 - entropy[high].sum() / base[high].sum()))
            difference = (mine == TARGETS).mean() - (labels["control"] == TARGETS).mean()
            assert effect.accuracy_difference.value == pytest.approx(difference)


def test_calibration_is_set_beside_the_controls(found):
    """By how much NLL and calibration error exceed the control's; runs independent, samples paired for the NLL."""
    errors, losses = {}, {}
    for name, how in {"control": (1, 0.8), "steady": (2, 0.3)}.items():
        probabilities = _probabilities(*how).astype(np.float32)
        is_right = probabilities.argmax(-1) == TARGETS
        errors[name] = [
            expected_calibration_error(each.max(-1), hits) for each, hits in zip(probabilities, is_right, strict=True)
        ]
        losses[name] = np.mean(
            [sklearn.metrics.log_loss(TARGETS, each, labels=range(CLASSES)) for each in probabilities]
        )
    effect = found.methods[0].effect
    assert effect.ece_difference.value == pytest.approx(
        np.mean(errors["steady"]) - np.mean(errors["control"]), abs=1e-6
    )
    spread = np.hypot(*(scipy.stats.sem(each) for each in errors.values()))
    assert effect.ece_difference.standard_error == pytest.approx(spread, abs=1e-6)
    assert effect.nll_difference.value == pytest.approx(losses["steady"] - losses["control"], abs=1e-5)
    assert found.control.effect.ece_difference is found.control.effect.nll_difference is None
    assert effect.tempered_ece is effect.tempered_nll is effect.tempered_ece_difference is None


def test_the_method_is_distinguishable_and_the_null_is_the_yardstick(found):
    """A method that halves the noise goes beyond the null; the null itself has no null."""
    assert [row.name for row in found.rows] == ["control", "second control", "steady"]
    steady, null = found.methods[0].effect, found.null.effect
    assert steady.is_distinguishable
    assert steady.beyond_null.value == pytest.approx(steady.reduction.value - null.reduction.value)
    assert (null.beyond_null, null.is_distinguishable) == (None, None)
    control = found.control.effect
    assert (control.reduction, control.accuracy_difference, control.loses_accuracy) == (None, None, None)


def test_a_control_reduces_nothing_of_itself(studies):
    """A study beside itself has a reduction of 0 and changes no sample."""
    found = compare_studies({"control": studies["control"], "again": studies["control"]})
    again = found.methods[0]
    assert again.effect.reduction.value == 0
    assert again.effect.accuracy_difference.value == 0
    assert set(again.samples.values()) == {0}


def test_equal_numbers_of_runs_are_compared(studies, make):
    """Of a longer study the first runs count, and a note says how many were left out."""
    long = make("long", _probabilities(2, 0.3, runs=9))
    found = compare_studies({"control": studies["control"], "long": long})
    assert found.runs == RUNS
    labels = [study.final("labels")[:RUNS] for study in (long, studies["control"])]
    assert found.methods[0].effect.reduction == label_entropy_reduction(*labels)
    assert any("left out: long 3." in note for note in found.notes)
    assert any("There is no second control" in note for note in found.notes)


def test_samples_say_what_became_of_each(make):
    """A sample is settled, eased, worsened, unsettled or none of it, by its label entropy before and after."""
    control = [[0, 0, 0, 1, 1], [1, 1, 0, 1, 1], [1, 0, 1, 1, 1], [1, 1, 1, 1, 1]]
    method = [[1, 1, 0, 1, 1], [1, 0, 0, 0, 1], [1, 0, 1, 0, 1], [1, 0, 1, 1, 1]]
    expected = ["settles", "eases", "none", "unsettles", "none"]
    studies = {
        "control": make("a", control, targets=[1, 0, 0, 1, 1]),
        "method": make("b", method, targets=[1, 0, 0, 1, 1]),
    }
    found = compare_studies(studies)
    rows = found.samples.to_pylist()
    assert [row["effect"] for row in rows[5:]] == expected
    assert {row["method"] for row in rows} == {"control", "method"}
    assert found.methods[0].samples == {"settles": 1, "eases": 1, "worsens": 0, "unsettles": 1}
    first = rows[5]
    assert (first["target_name"], first["mode_name"], first["accuracy"]) == ("1", "1", 1.0)
    assert first["change"] == pytest.approx(-first["control_label_entropy"])
    assert [row["mode_tied"] for row in rows] == [False, True, True, False, False, False, False, True, True, False]
    back = compare_studies({"method": studies["method"], "control": studies["control"]})
    assert back.methods[0].samples == {"settles": 1, "eases": 0, "worsens": 1, "unsettles": 1}


def test_labels_alone_have_no_calibration(make):
    """Without scores NLL and ECE are absent; without targets accuracy and negative flips are as well."""
    labels = [_probabilities(seed, 0.8).argmax(-1) for seed in (1, 2)]
    found = compare_studies({str(place): make(f"known{place}", each) for place, each in enumerate(labels)})
    effect = found.methods[0].effect
    assert (effect.nll, effect.ece) == (None, None)
    assert effect.accuracy is not None
    unknown = {
        str(place): make(f"unknown{place}", each, targets=None, class_names=["a", "b", "c"])
        for place, each in enumerate(labels)
    }
    found = compare_studies(unknown)
    effect = found.methods[0].effect
    assert (effect.accuracy, effect.accuracy_difference, effect.negative_flip_rate) == (None, None, None)
    assert any("Without targets there is no accuracy" in note for note in found.notes)


def test_two_runs_have_intervals_over_samples(make):
    """With two runs the intervals cover other samples, and a note says so."""
    studies = {name: make(name, _probabilities(seed, 0.8, runs=2)) for name, seed in (("a", 1), ("b", 2))}
    found = compare_studies(studies)
    assert found.methods[0].effect.reduction.method == "samples"
    assert "With two runs the intervals cover other samples only, not other runs." in found.notes


def test_intervals_cover_what_is_asked_for(studies, found):
    """The jackknife's intervals lie inside the two-way ones around the same values, and the summary says which."""
    batches = {name: studies[name] for name in ("control", "steady")}
    runs = compare_studies(batches, null=studies["null"], interval="jackknife")
    assert (found.summary["ci_method"], runs.summary["ci_method"]) == ("two-way", "jackknife")
    for name in ("reduction", "beyond_null", "accuracy_difference", "negative_flip_rate", "nll"):
        one, other = (getattr(each.methods[0].effect, name) for each in (found, runs))
        assert one.value == other.value
        assert one.low <= other.low <= other.high <= one.high
    with pytest.raises(InputError, match="interval='runs' is unknown"):
        compare_studies(batches, interval="runs")


def test_summary_is_json_with_intervals(found):
    """The summary survives JSON, names every row, and has an interval beside every estimate."""
    told = json.loads(json.dumps(found.summary))
    assert [row["name"] for row in told["methods"]] == ["control", "second control", "steady"]
    steady = told["methods"][2]
    low, high = steady["reduction_ci95"]
    assert low < steady["reduction"] < high
    assert (steady["distinguishable"], steady["loses_accuracy"], steady["on_front"]) == (True, False, None)
    assert told["recommendation"].startswith("Of those whose cost is not known: steady lowers label entropy by")


def test_nothing_to_reduce_is_no_error(make):
    """Where all runs agree the reductions are NaN, quietly, and the recommendation is none."""
    still = np.tile(TARGETS, (4, 1))
    found = compare_studies({"a": make("a", still), "b": make("b", still)}, null=make("c", still))
    assert np.isnan(found.methods[0].effect.reduction.value)
    assert found.methods[0].effect.is_distinguishable is False
    assert found.recommendation.startswith("None: no method")


def test_what_cannot_be_compared_is_refused(studies, make):
    """Each mistake has a message that names the study and says what to do."""
    control = studies["control"]
    with pytest.raises(InputError, match="studies is empty, so there is no control"):
        compare_studies({})
    with pytest.raises(InputError, match="holds the control 'a' only; name at least one study"):
        compare_studies({"a": control})
    other = make("other", _probabilities(1, 0.8), targets=(TARGETS + 1) % CLASSES)
    with pytest.raises(InputError, match=r"'b' .* was evaluated on 90 other samples than the control 'a'"):
        compare_studies({"a": control, "b": other})
    named = make("named", _probabilities(1, 0.8), targets=None, class_names=["x", "y", "z"])
    with pytest.raises(InputError, match="compare studies of the same classes"):
        compare_studies({"a": control, "b": named})
    with pytest.raises(InputError, match="holds runs of the control's own seeds"):
        compare_studies({"a": control, "b": studies["steady"]}, null=control)
    with pytest.raises(InputError, match="names one 'second control'"):
        compare_studies({"a": control, "second control": studies["steady"]}, null=studies["null"])


def test_runs_that_diverged_are_noted(studies):
    """A study some of whose runs diverged is compared by the others, and a note says how many there were."""
    steady = studies["steady"]
    some = replace(steady, manifests=steady.manifests[1:], diverged=steady.manifests[:1])
    found = compare_studies({"control": studies["control"], "steady": some})
    assert found.runs == RUNS - 1
    assert f"steady: 1 of {RUNS} runs diverged." in found.notes


def test_a_study_without_two_runs_is_refused(studies, make, tmp_path):
    """A study whose runs were deleted says how many it has."""
    lost = make("lost", _probabilities(2, 0.3))
    for run in range(1, RUNS):
        (lost.path / "runs" / f"run-{run:05d}" / "manifest.json").unlink()
    with pytest.raises(TrainingError, match=r"has 1 complete runs .* two or more are needed"):
        compare_studies({"a": studies["control"], "b": Study.open(lost.path)})
