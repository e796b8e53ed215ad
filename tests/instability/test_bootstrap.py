"""Predictions of models of bootstrap samples against the original model's."""

import numpy as np
import pytest
import scipy.stats
import torch
from sklearn.datasets import load_wine
from sklearn.tree import DecisionTreeClassifier

from reseed._errors import InputError
from reseed.instability import bootstrap_instability


@pytest.fixture
def binary():
    """Original and resampled probabilities of the positive class, 30 resamples of 50 samples."""
    rng = np.random.default_rng(0)
    return rng.random(50), rng.random((30, 50))


@pytest.fixture
def several():
    """Distributions over four classes."""
    rng = np.random.default_rng(1)
    return rng.dirichlet(np.ones(4), 50), rng.dirichlet(np.ones(4), (30, 50))


def test_binary_measures_are_those_of_two_loops(binary):
    """Every value is the definition's, sample by sample and resample by resample."""
    original, resampled = binary
    found = bootstrap_instability(original, resampled, threshold=0.3)
    for i in range(50):
        errors = [abs(float(resampled[b, i]) - float(original[i])) for b in range(30)]
        flips = [(resampled[b, i] >= 0.3) != (original[i] >= 0.3) for b in range(30)]
        assert found.mape[i] == pytest.approx(sum(errors) / 30, rel=1e-12)
        assert found.index[i] == pytest.approx(sum(flips) / 30, rel=1e-12)
    assert found.mean_mape == pytest.approx(found.mape.mean())
    assert found.mean_index == pytest.approx(found.index.mean())
    np.testing.assert_array_equal(found.prediction, original)
    assert found.bootstraps == 30


def test_distributions_are_compared_class_by_class(several):
    """Errors have a column for each class, and the largest entry decides the class."""
    original, resampled = several
    found = bootstrap_instability(original, resampled)
    assert found.mape.shape == found.low.shape == (50, 4)
    for i, k in np.ndindex(50, 4):
        assert found.mape[i, k] == pytest.approx(np.mean([abs(p[i, k] - original[i, k]) for p in resampled]), rel=1e-12)
    flips = [
        [max(range(4), key=p[i].__getitem__) != max(range(4), key=original[i].__getitem__) for i in range(50)]
        for p in resampled
    ]
    np.testing.assert_allclose(found.index, np.mean(flips, axis=0), atol=1e-15)


def test_intervals_cover_resamples_and_samples(several):
    """The two variances add up, less what both hold, and what there is one of is not covered."""
    original, resampled = several
    found = bootstrap_instability(original, resampled)
    errors = np.abs(resampled - original).mean(axis=-1)
    flips = (resampled.argmax(-1) != original.argmax(-1)).astype(float)
    for values, estimate in ((errors, found.mape_estimate), (flips, found.index_estimate)):
        parts = values.mean(axis=1).var(ddof=1) / 30, values.mean(axis=0).var() / 50
        variance = max(sum(parts) - values.var(axis=0, ddof=1).sum() / 30 / 50**2, *parts)
        assert estimate.value == pytest.approx(values.mean(), rel=1e-12)
        assert estimate.standard_error == pytest.approx(np.sqrt(variance), rel=1e-12)
        degrees = variance**2 / (parts[0] ** 2 / 29 + (variance - parts[0]) ** 2 / 49)
        reach = scipy.stats.t.ppf(0.975, degrees) * np.sqrt(variance)
        assert (estimate.low, estimate.high) == pytest.approx((values.mean() - reach, values.mean() + reach))
        assert (estimate.method, estimate.runs, estimate.samples) == ("resamples, samples", 30, 50)
    assert bootstrap_instability(original, resampled[:1]).mape_estimate.method == "samples"
    assert bootstrap_instability(original[:1], resampled[:, :1]).mape_estimate.method == "resamples"
    assert np.isnan(bootstrap_instability(original[:1], resampled[:1, :1]).mape_estimate.low)


def test_stable_cart_has_the_same_values():
    """Fed the predictions of stable-cart's own resampling, every value that both define is equal to 1e-12."""
    stable_cart = pytest.importorskip("stable_cart")
    x, y = load_wine(return_X_y=True)

    def resampled(method):
        return stable_cart.bootstrap_predictions(
            lambda: DecisionTreeClassifier(max_depth=3, min_samples_leaf=5, random_state=0),
            x,
            y,
            x,
            task="categorical",
            n_bootstrap=20,
            random_state=1,
            prediction_method=method,
        )

    theirs, labels = resampled("predict_proba"), resampled("predict")
    found = bootstrap_instability(theirs["original"], theirs["bootstrap"])
    np.testing.assert_allclose(found.mape.mean(axis=-1), theirs["mape_per_point"], rtol=0, atol=1e-12)
    assert found.mean_mape == pytest.approx(theirs["mape_per_point"].mean(), abs=1e-12)
    np.testing.assert_allclose(found.index, labels["mape_per_point"], rtol=0, atol=1e-12)  # "MAPE" of labels
    # Their Monte Carlo error is the part of ours that covers other resamples, and counts what samples hold of it too.
    over_samples = found.mape.mean(axis=-1).var() / len(x)
    errors = np.abs(theirs["bootstrap"] - theirs["original"]).mean(axis=-1)
    own = errors.var(axis=0, ddof=1).sum() / len(errors) / len(x) ** 2
    part = np.sqrt(found.mape_estimate.standard_error**2 - over_samples + own)
    assert part == pytest.approx(theirs["mape_standard_error"], rel=1e-9)


def test_two_columns_agree_with_one(binary):
    """A probability and the distribution of two classes that it makes have the same errors and flips."""
    original, resampled = binary
    one = bootstrap_instability(original, resampled)
    two = bootstrap_instability(np.stack([1 - original, original], -1), np.stack([1 - resampled, resampled], -1))
    np.testing.assert_allclose(two.mape, np.stack([one.mape, one.mape], -1), atol=1e-15)
    np.testing.assert_array_equal(two.index, one.index)


def test_percentiles_of_a_grid():
    """Of 0, 1/200, ..., 1 the 2.5th and 97.5th percentiles are 0.025 and 0.975."""
    grid = np.linspace(0, 1, 201)[:, None]
    found = bootstrap_instability([0.5], grid)
    assert (found.low[0], found.high[0]) == pytest.approx((0.025, 0.975))
    assert found.mean_mape == pytest.approx(np.abs(grid - 0.5).mean())
    wide = bootstrap_instability([0.5], grid, percentiles=(0, 100))
    assert (wide.low[0], wide.high[0]) == (0, 1)


def test_equal_models_are_stable(several):
    """Resamples that change nothing give zeros, and percentiles equal to the prediction."""
    original, _ = several
    found = bootstrap_instability(original, np.stack([original] * 5))
    assert (found.mean_mape, found.mean_index) == (0, 0)
    np.testing.assert_allclose(found.low, original, rtol=1e-15)
    np.testing.assert_allclose(found.high, original, rtol=1e-15)


def test_ties_go_to_the_lowest_class_and_the_threshold_is_positive():
    """Half against half is class 0 of a distribution, and the positive class of a probability at the threshold."""
    assert bootstrap_instability([[0.5, 0.5]], [[[0.9, 0.1]]]).mean_index == 0
    assert bootstrap_instability([0.5], [[0.4]]).mean_index == 1
    assert bootstrap_instability([0.5], [[0.6]]).mean_index == 0


def test_blocks_do_not_show(binary, monkeypatch):
    """Worked on sample by sample, the numbers are the same."""
    whole = bootstrap_instability(*binary)
    monkeypatch.setattr("reseed.instability.sources._bootstrap._BLOCK", 1)
    pieces = bootstrap_instability(*binary)
    for name in ("mape", "index", "low", "high"):
        np.testing.assert_allclose(getattr(pieces, name), getattr(whole, name), rtol=1e-14)


def test_tensors_give_tensors_and_lists_give_arrays(several):
    """Torch in, torch out, with the numbers of numpy."""
    expected = bootstrap_instability(*several)
    found = bootstrap_instability(*(torch.from_numpy(part) for part in several))
    assert isinstance(found.mape, torch.Tensor)
    np.testing.assert_array_equal(found.high.numpy(), expected.high)
    listed = bootstrap_instability(several[0].tolist(), several[1].tolist())
    np.testing.assert_array_equal(listed.mape, expected.mape)


def test_no_samples_have_no_mean():
    """Means over nothing are NaN, with a warning."""
    with pytest.warns(RuntimeWarning, match="original holds no samples; the means are NaN"):
        found = bootstrap_instability(np.zeros(0), np.zeros((3, 0)))
    assert np.isnan([found.mean_mape, found.mean_index]).all()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"original": [[[0.5]]]}, r"original must be \[sample\] or \[sample, class\], got float64\[1, 1, 1\]"),
        ({"resampled": [[0.5]]}, r"resampled is float64\[1, 1\] but original is float64\[2\]; pass \[bootstrap"),
        ({"resampled": np.zeros((0, 2))}, r"resampled has no bootstrap models, got float64\[0, 2\]; pass 200"),
        ({"threshold": 2}, r"threshold must be in \[0, 1\], got 2"),
        ({"percentiles": (97.5, 2.5)}, r"percentiles must be two rising numbers in \[0, 100\], got \(97.5, 2.5\)"),
        ({"original": [0.5, 3.0]}, r"original holds 3 at position \(1,\), outside \[0, 1\]; pass probabilities"),
        ({"resampled": [[0.5, -1.0]]}, r"resampled holds -1 at position \(0, 1\), outside \[0, 1\]"),
        ({"resampled": [[0.5, np.nan]]}, r"resampled holds NaN at position \(0, 1\)"),
        (
            {"original": [[0.5, 0.4]], "resampled": [[[0.5, 0.5]]]},
            r"original sums to 0.9 at position \(0,\), not to 1",
        ),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(arguments, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    with pytest.raises(InputError, match=text):
        bootstrap_instability(**{"original": [0.2, 0.8], "resampled": [[0.2, 0.8]]} | arguments)
