"""`bootstrap`: models of one's own on resamples of their training data."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import sparse
from sklearn.datasets import load_breast_cancer, load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, RidgeClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

import reseed
from reseed import InputError, StudyError, TrainingError
from reseed.instability import bootstrap_instability
from reseed.studies import ResampledFit
from reseed.training import SeedPlan

X, Y = load_wine(return_X_y=True)
TREE = DecisionTreeClassifier(max_depth=3, min_samples_leaf=5)


def _bootstrap(fit, out, **options):
    """`reseed.bootstrap` in this process, with few resamples and no second tries."""
    options = {"train_data": (X, Y), "bootstraps": 6, "engine": "serial", "retries": 0} | options
    return reseed.bootstrap(fit, out=out, **options)


def _single(probabilities):
    """Probabilities as studies hold them, in single precision."""
    return np.asarray(probabilities, dtype=np.float32)


def test_values_are_those_of_fits_by_hand(tmp_path):
    """Estimators fitted by hand on the same rows give the same values, and the seed is one for all."""
    found = _bootstrap(TREE, tmp_path)
    fit = ResampledFit(TREE, X, Y, SeedPlan(0).seeds(0).init)
    words = [manifest.seeds["fit"] for manifest in found.study.manifests]
    assert words[0] == fit.original
    state = {"random_state": fit.original}
    base = DecisionTreeClassifier(max_depth=3, min_samples_leaf=5, **state).fit(X, Y).predict_proba(X)
    errors, flips = np.zeros(len(X)), np.zeros(len(X))
    for word in words[1:]:
        rows, _ = fit.resample(word)
        assert len(rows) == len(X)
        assert 0.5 < len(set(rows.tolist())) / len(X) < 0.75
        p = DecisionTreeClassifier(max_depth=3, min_samples_leaf=5, **state).fit(X[rows], Y[rows]).predict_proba(X)
        errors += np.abs(_single(p).astype(float) - _single(base)).mean(axis=-1) / 6
        flips += (_single(p).argmax(-1) != _single(base).argmax(-1)) / 6
    np.testing.assert_allclose(found.samples["mape"], errors, atol=1e-12)
    np.testing.assert_allclose(found.samples["classification_instability_index"], flips, atol=1e-12)


@pytest.mark.parametrize("load", [load_wine, load_breast_cancer])
def test_stable_cart_agrees_on_the_same_resamples(tmp_path, load):
    """stable-cart, made to fit on our resamples and to predict in single precision, has the same values."""
    stable_cart = pytest.importorskip("stable_cart")
    x, y = load(return_X_y=True)
    found = _bootstrap(TREE, tmp_path, train_data=(x, y), bootstraps=12)
    fit = ResampledFit(TREE, x, y, SeedPlan(0).seeds(0).init)
    words = iter([manifest.seeds["fit"] for manifest in found.study.manifests])

    class OnOurResample(DecisionTreeClassifier):
        """A tree that takes the next of our resamples in place of the rows that it is given."""

        def fit(self, given, targets):
            word = next(words)
            rows = np.arange(len(x)) if word == fit.original else fit.resample(word)[0]
            return super().fit(x[rows], y[rows])

        def predict_proba(self, inputs):
            return _single(super().predict_proba(inputs))

    theirs = stable_cart.bootstrap_predictions(
        lambda: OnOurResample(max_depth=3, min_samples_leaf=5, random_state=fit.original),
        x,
        y,
        x,
        task="categorical",
        n_bootstrap=12,
        random_state=0,
        prediction_method="predict_proba",
    )
    assert theirs["n_rejected_resamples"] == 0
    np.testing.assert_allclose(found.samples["mape"], theirs["mape_per_point"], rtol=0, atol=1e-12)
    assert found.instability.mean_mape == pytest.approx(theirs["mape_per_point"].mean(), abs=1e-12)
    labels, base = theirs["bootstrap"].argmax(-1), theirs["original"].argmax(-1)
    np.testing.assert_allclose(found.samples["classification_instability_index"], (labels != base).mean(0), atol=1e-12)


def test_a_class_that_a_resample_misses_has_probability_zero(tmp_path):
    """Columns are matched by name: a rare class that some resamples lack never shifts the others."""
    targets = np.array(["ape", "cat", "dog"])[Y]
    x = np.concatenate([X, X[:1] + 100])
    y = np.concatenate([targets, ["bee"]])  # between the others in alphabetical order
    found = _bootstrap(GaussianNB(var_smoothing=1e-3), tmp_path, train_data=(x, y), bootstraps=12)
    assert found.study.header.class_names == ("ape", "bee", "cat", "dog")
    fit = ResampledFit(TREE, x, y, SeedPlan(0).seeds(0).init)
    p = found.study.final("probabilities")
    misses = ["bee" not in y[fit.resample(manifest.seeds["fit"])[0]] for manifest in found.study.manifests[1:]]
    assert {True, False} == set(misses)
    for is_missed, probabilities in zip(misses, p[1:], strict=True):
        assert (probabilities[:, 1] == 0).all() == is_missed
        assert (probabilities.argmax(-1) == p[0].argmax(-1))[:-1].mean() > 0.8
    np.testing.assert_allclose(p.sum(-1), 1, atol=1e-6)


def test_columns_without_names_must_be_all_there(tmp_path):
    """A function whose probabilities lack a column is told that classes_ or every column is needed."""
    with pytest.raises(
        TrainingError, match=r"predictions have 2 columns for the 3 classes .* or give the model a clas"
    ):
        _bootstrap(lambda x, y, seed: lambda inputs: np.full((len(inputs), 2), 0.5), tmp_path)


def test_a_function_of_inputs_targets_and_seed(tmp_path):
    """A function gets the resample's rows and one seed, or one of its own for each fit where seeds vary."""
    seen = []

    def fit(inputs, targets, seed):
        seen.append((seed, len({*map(tuple, inputs)}) / len(X)))
        return GaussianNB().fit(inputs, targets)

    _bootstrap(fit, tmp_path / "one")
    seeds, shares = zip(*seen, strict=True)
    assert len(set(seeds)) == 1
    assert shares[0] == 1
    assert max(shares[1:]) < 0.8
    seen.clear()
    _bootstrap(fit, tmp_path / "own", vary_seed=True)
    assert len({seed for seed, _ in seen}) == 7


def test_probabilities_of_a_function_of_inputs(tmp_path):
    """What fit returns may be a plain function from inputs to all columns, in torch as well."""

    def fit(inputs, targets, seed):
        share = torch.tensor(np.bincount(targets, minlength=3) / len(targets))
        return lambda wanted: share.expand(len(wanted), 3)

    found = _bootstrap(fit, tmp_path)
    assert 0 < found.instability.mean_mape < 0.1


@pytest.mark.parametrize(
    "change",
    [
        lambda x, y: (sparse.csr_matrix(x), y),
        lambda x, y: (pd.DataFrame(x), pd.Series(y)),
        lambda x, y: (list(x), list(y)),
    ],
    ids=["sparse", "pandas", "lists"],
)
def test_containers_agree(tmp_path, change):
    """Sparse matrices, data frames and lists give what arrays give."""
    model = DecisionTreeClassifier(max_depth=2, random_state=0)
    expected = _bootstrap(model, tmp_path / "array", bootstraps=3)
    found = _bootstrap(model, tmp_path / "other", bootstraps=3, train_data=change(X, Y))
    np.testing.assert_allclose(found.instability.mape, expected.instability.mape, atol=1e-6)


def test_pipelines_are_seeded_and_left_unfitted(tmp_path):
    """Every random_state inside an estimator is set, and the estimator itself stays as it was."""
    model = make_pipeline(StandardScaler(), RandomForestClassifier(3))
    one = _bootstrap(model, tmp_path / "a", bootstraps=3)
    other = _bootstrap(model, tmp_path / "b", bootstraps=3)
    np.testing.assert_array_equal(one.instability.mape, other.instability.mape)
    with pytest.raises(Exception, match="not fitted"):
        model.predict(X)


def test_a_threshold_decides_between_two_classes(tmp_path):
    """With a threshold, errors and plot are of the second class, and classes change where it is crossed."""
    x, y = load_breast_cancer(return_X_y=True)
    found = _bootstrap(TREE, tmp_path, train_data=(x, y), threshold=0.2)
    p = found.study.final("probabilities")[:, :, 1]
    expected = bootstrap_instability(p[0], p[1:], threshold=0.2)
    np.testing.assert_array_equal(found.samples["mape"], expected.mape)
    np.testing.assert_array_equal(found.samples["prediction"], p[0] >= np.float32(0.2))
    np.testing.assert_array_equal(found.instability.index, expected.index)
    assert set(found.plot_data["class"].to_pylist()) == {"1"}
    assert found.summary["threshold"] == 0.2


def test_held_out_samples(tmp_path):
    """Evaluation data of its own is predicted in place of the training data; classes are those of both."""
    kept = Y != 2
    found = _bootstrap(TREE, tmp_path, train_data=(X[::2], Y[::2]), eval_data=(X[kept], None), sample_ids=None)
    assert found.samples.num_rows == kept.sum()
    assert found.study.header.class_names == ("0", "1", "2")
    assert found.samples["target"].to_pylist()[0] == -1


def test_resamples_of_one_class_are_drawn_again(tmp_path):
    """Where a resample would hold one class only, another is drawn, and the notes count them."""
    x, y = np.arange(6.0)[:, None], np.array([0, 0, 0, 0, 0, 1])
    found = _bootstrap(LogisticRegression(), tmp_path, train_data=(x, y), bootstraps=20)
    assert found.instability.bootstraps == 20
    assert any("resamples held one class only and were drawn again" in note for note in found.notes)


def test_an_interrupted_bootstrap_is_continued(tmp_path):
    """Fits that failed are made by the same call once they can be; those that are there are kept, more are added."""
    calls, state = [], {"fails": True}

    def fit(inputs, targets, seed):
        calls.append(seed)
        if state["fails"] and len(calls) > 3:
            raise RuntimeError("the power went")
        return GaussianNB().fit(inputs, targets)

    with pytest.raises(TrainingError, match="the power went"):
        _bootstrap(fit, tmp_path / "broken")
    state["fails"] = False
    calls.clear()
    found = _bootstrap(fit, tmp_path / "broken")
    assert len(calls) == 4
    whole = _bootstrap(fit, tmp_path / "whole")
    np.testing.assert_array_equal(found.instability.mape, whole.instability.mape)
    calls.clear()
    assert _bootstrap(fit, tmp_path / "broken", bootstraps=8).instability.bootstraps == 8
    assert len(calls) == 2
    shutil.rmtree(tmp_path / "whole")


def test_files_hold_the_numbers(tmp_path):
    """The study's folder holds the numbers and both tables beside the predictions."""
    found = _bootstrap(GaussianNB(), tmp_path)
    told = json.loads((tmp_path / "bootstrap.json").read_text())
    assert told == json.loads(json.dumps(found.summary))
    assert (told["model"], told["bootstraps"], told["vary"], told["threshold"]) == ("GaussianNB", 6, ["data"], None)
    assert (tmp_path / "bootstrap.parquet").exists()
    assert (tmp_path / "bootstrap-plot.parquet").exists()


def test_another_estimator_or_target_is_another_study(tmp_path):
    """A folder is never continued with other parameters or training targets."""
    _bootstrap(GaussianNB(), tmp_path, bootstraps=2)
    with pytest.raises(StudyError, match="already holds another study"):
        _bootstrap(GaussianNB(var_smoothing=0.1), tmp_path, bootstraps=2)
    with pytest.raises(StudyError, match="already holds another study"):
        _bootstrap(GaussianNB(), tmp_path, bootstraps=2, train_data=(X, Y[::-1]), eval_data=(X, Y))


@pytest.mark.parametrize(
    ("fit", "options", "text"),
    [
        (TREE, {"bootstraps": 1}, "bootstraps must be 2 or more, got 1; pass 200 or more"),
        (TREE, {"train_data": (X, Y[:9])}, "train_data has 178 inputs for 9 targets; pass one for each"),
        (TREE, {"train_data": X}, r"train_data must be a pair \(inputs, targets\), got ndarray"),
        (TREE, {"threshold": 2.0}, r"threshold must be in \[0, 1\], got 2.0"),
        (TREE, {"threshold": 0.3}, "threshold is 0.3, but with 3 classes the largest probability decides"),
        (3, {}, "fit must be an unfitted estimator or a function of inputs, targets and a seed, got int"),
    ],
)
def test_bad_input_is_refused_before_work(tmp_path, fit, options, text):
    """Each error names the argument, and nothing is written."""
    with pytest.raises(InputError, match=text):
        _bootstrap(fit, tmp_path / "none", **options)
    assert not (tmp_path / "none").exists()


def test_labels_alone_are_refused(tmp_path):
    """A model without probabilities is told at its first fit, labels of a function at the end."""
    with pytest.raises(TrainingError, match="RidgeClassifier, which has no predict_proba; the bootstrap compares"):
        _bootstrap(RidgeClassifier(), tmp_path / "model")
    with pytest.raises(InputError, match="fit gives labels only; the bootstrap compares probabilities"):
        _bootstrap(lambda x, y, seed: lambda inputs: np.zeros(len(inputs), int), tmp_path / "function")
