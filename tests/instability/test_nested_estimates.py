"""Means of nested measures, with intervals over training sets, runs and samples."""

import itertools

import numpy as np
import pytest
import scipy.stats

from reseed._errors import InputError
from reseed.instability import nested_estimates, nested_instability, nested_variance


@pytest.fixture
def probabilities():
    """Random distributions [training_set, run, sample, class] of 4 sets, 3 runs, 7 samples and 5 classes."""
    return np.random.default_rng(0).dirichlet(np.ones(5), (4, 3, 7))


def _values(probabilities):
    """Every value by the names of the estimates, from the measures of each sample and from pairs of runs."""
    apart, spread = nested_instability(probabilities), nested_variance(probabilities)
    labels = probabilities.argmax(axis=-1)
    runs = list(itertools.product(*map(range, labels.shape[:2])))
    pairs = list(itertools.combinations(runs, 2))
    total = spread.mean_seed + spread.mean_data
    return {
        "inconsistency": apart.mean_inconsistency,
        "instability": apart.mean_instability,
        "divergence": apart.mean_inconsistency + apart.mean_instability,
        "seed_variance": spread.mean_seed,
        "data_variance": spread.mean_data,
        "data_share": spread.mean_data / total,
        "seed_churn": np.mean([(labels[a] != labels[b]).mean() for a, b in pairs if a[0] == b[0]]),
        "churn": np.mean([(labels[a] != labels[b]).mean() for a, b in pairs if a[0] != b[0] and a[1] != b[1]]),
    }


def test_values_are_those_of_the_measures(probabilities):
    """Every estimate's value is the measure's mean; churn is that of pairs compared one by one."""
    found = nested_estimates(probabilities)
    for name, value in _values(probabilities).items():
        assert getattr(found, name).value == pytest.approx(value, rel=1e-12), name
    assert (found.training_sets, found.runs, found.churn.runs, found.churn.samples) == (4, 3, 12, 7)


def test_standard_errors_add_three_parts(probabilities):
    """Variances of both jackknives and of the mean over samples add up; the interval is Student's."""
    found = nested_estimates(probabilities)
    for name in ("inconsistency", "instability", "divergence", "data_variance", "data_share", "churn"):
        variance = 0.0
        for axis in (0, 1):
            count = probabilities.shape[axis]
            left = [_values(np.delete(probabilities, item, axis))[name] for item in range(count)]
            variance += (count - 1) / count * np.sum((left - np.mean(left)) ** 2)
        # The limit of the bootstrap over samples: of a mean exactly, of the share to first order by its derivative.
        each = np.array([_values(probabilities[:, :, [item]])[name] for item in range(7)])
        if name == "data_share":
            spread = nested_variance(probabilities)
            total = spread.seed + spread.data
            each = spread.data / total.mean() - spread.data.mean() * total / total.mean() ** 2
        variance += each.var() / 7
        estimate = getattr(found, name)
        assert estimate.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9), name
        reach = scipy.stats.t.ppf(0.975, 2) * np.sqrt(variance)
        bottom = -np.inf if name.startswith("data") else 0
        top = 1 if name in ("data_share", "churn") else np.inf
        assert estimate.low == pytest.approx(max(bottom, estimate.value - reach), rel=1e-9)
        assert estimate.high == pytest.approx(min(top, estimate.value + reach), rel=1e-9)
        assert estimate.method == "training sets, runs, samples"


def test_what_few_sets_or_runs_cannot_cover_is_named(probabilities):
    """With two of a kind that factor is left out, and the method says what is covered."""
    assert nested_estimates(probabilities[:2]).churn.method == "runs, samples"
    assert nested_estimates(probabilities[:, :2]).churn.method == "training sets, samples"
    few = nested_estimates(probabilities[:2, :2])
    assert few.churn.method == "samples"
    assert np.isfinite(few.instability.standard_error)
    one = nested_estimates(probabilities[:2, :2, :1]).churn
    assert one.method == ""
    assert np.isnan(one.low)


def test_intervals_cover_the_truth():
    """Of repeated experiments about 95 % of the intervals cover the variance that another training set adds."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(200):
        p = 0.5 + rng.normal(0, 0.05, (6, 1, 40)) + rng.normal(0, 0.03, (1, 5, 40)) + rng.normal(0, 0.02, (6, 5, 40))
        found = nested_estimates(np.stack([p, 1 - p], axis=-1)).data_variance
        hits += found.low <= 2 * 0.05**2 <= found.high
    assert hits >= 180


def test_infinite_divergence_has_no_interval():
    """A class that one run rules out leaves the other estimates as they are; epsilon makes divergence finite."""
    sure = np.eye(3)[np.random.default_rng(2).integers(0, 3, (3, 3, 8))]
    found = nested_estimates(sure)
    assert found.inconsistency.value == np.inf
    assert np.isnan(found.inconsistency.low)
    assert np.isfinite([found.churn.low, found.seed_variance.high]).all()
    assert np.isfinite(nested_estimates(sure, epsilon=0.01).divergence.high)


def test_runs_that_agree_have_no_share():
    """Where neither seed nor training set does anything, shares are NaN and the rest is 0."""
    found = nested_estimates(np.full((3, 3, 4, 2), 0.5))
    assert np.isnan(found.data_share.value)
    assert (found.divergence.value, found.churn.high, found.data_variance.value) == (0, 0, 0)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"level": 1.5}, "level must be strictly between 0 and 1, got 1.5"),
        ({"epsilon": 2.0}, "epsilon must be strictly between 0 and 1, got 2.0"),
    ],
)
def test_errors_name_the_argument(probabilities, options, text):
    """Bad options raise and are named."""
    with pytest.raises(InputError, match=text):
        nested_estimates(probabilities, **options)
    with pytest.raises(InputError, match="with two or more training sets and runs"):
        nested_estimates(probabilities[:1])
