"""Means of nested measures, with intervals over training sets, runs and samples."""

import itertools

import numpy as np
import pytest
import scipy.special
import scipy.stats

from reseed._errors import InputError
from reseed.instability import nested_estimates, nested_instability, nested_variance
from reseed.instability.sources._nested_parts import left_out


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


def _jackknife(values):
    """Delete-one jackknife variances of every column."""
    return (len(values) - 1) / len(values) * np.sum((values - np.mean(values, axis=0)) ** 2, axis=0)


def _interaction(whole, no_set, no_run, neither):
    """Variance of the cells of a two-way layout, from what is left without a row, a column, and both."""
    sets, runs = neither.shape[:2]
    beyond = whole - no_set[:, None] - no_run[None] + neither
    beyond = beyond - beyond.mean((0, 1))
    return (sets - 1) * (runs - 1) / (sets * runs) * np.sum(beyond**2, axis=(0, 1))


def test_standard_errors_count_what_is_shared_once(probabilities):
    """Variances over sets, runs and samples are added, less those of two of them, plus that of all three."""
    found = nested_estimates(probabilities)
    sets, runs, samples = probabilities.shape[:3]

    def measured(some):
        return np.array([_values(some[:, :, [item]])[name] for item in range(samples)])

    for name in ("inconsistency", "instability", "divergence", "data_variance", "churn"):
        whole = measured(probabilities)
        no_set = np.array([measured(np.delete(probabilities, k, 0)) for k in range(sets)])
        no_run = np.array([measured(np.delete(probabilities, r, 1)) for r in range(runs)])
        neither = np.array(
            [[measured(np.delete(np.delete(probabilities, k, 0), r, 1)) for r in range(runs)] for k in range(sets)]
        )
        means = [part.mean(-1) for part in (whole, no_set, no_run, neither)]
        main = {sets: _jackknife(means[1]), runs: _jackknife(means[2]), samples: whole.var() / samples}
        shared = _interaction(*means) + (_jackknife(no_set).sum() + _jackknife(no_run).sum()) / samples**2
        shared -= _interaction(whole, no_set, no_run, neither).sum() / samples**2
        variance = max(sum(main.values()) - shared, main[samples])
        estimate = getattr(found, name)
        assert estimate.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9), name
        degrees = max(variance**2 / sum(part**2 / (count - 1) for count, part in main.items()), 2)
        reach = scipy.stats.t.ppf(0.975, degrees) * np.sqrt(variance)
        bottom = -np.inf if name.startswith("data") else 0
        top = 1 if name == "churn" else np.inf
        assert estimate.low == pytest.approx(max(bottom, estimate.value - reach), rel=1e-9)
        assert estimate.high == pytest.approx(min(top, estimate.value + reach), rel=1e-9)
        assert estimate.method == "training sets, runs, samples"


def test_the_shares_error_is_that_of_its_linear_part():
    """Where variances are known well, the share's error is that of its derivative at them."""
    rng = np.random.default_rng(3)
    p = 0.5 + rng.normal(0, 0.05, (9, 1, 60)) + rng.normal(0, 0.03, (9, 8, 60))
    array = np.stack([p, 1 - p], axis=-1)
    share, spread = nested_estimates(array).data_share, nested_variance(array)
    total = spread.seed + spread.data
    each = (spread.data - share.value * total) / total.mean()
    assert share.standard_error >= np.sqrt(each.var() / 60)
    draws = []
    for _ in range(200):
        p = 0.5 + rng.normal(0, 0.05, (9, 1, 60)) + rng.normal(0, 0.03, (9, 8, 60))
        found = nested_variance(np.stack([p, 1 - p], axis=-1))
        draws.append(found.mean_data / found.mean_total)
    assert share.standard_error == pytest.approx(np.std(draws), rel=0.3)


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


def _experiment(rng, sets, runs):
    """Predictions of samples of which some are contested more than others; sets and runs move all of them a little."""
    scale = np.exp(rng.normal(-1, 1, 80))
    logit = rng.normal(0, 2, 80) + scale * (rng.normal(0, 1, (sets, 1, 80)) + rng.normal(0, 1.5, (sets, runs, 80)))
    logit *= np.exp(rng.normal(0, 0.1, (sets, 1, 1)) + rng.normal(0, 0.1, (sets, runs, 1)))
    p = scipy.special.expit(logit)
    return np.stack([p, 1 - p], axis=-1)


@pytest.mark.parametrize(("sets", "runs", "widest"), [(3, 3, 1.7), (5, 5, 1.35)])
def test_intervals_cover_the_truth_and_are_no_wider_than_they_must(sets, runs, widest):
    """Of repeated experiments about 95 % of the intervals cover the truth, and errors are what values differ by."""
    rng = np.random.default_rng(5)
    found = [nested_estimates(_experiment(rng, sets, runs)) for _ in range(80)]
    for name in ("seed_variance", "data_variance", "seed_churn", "churn"):
        estimates = [getattr(one, name) for one in found]
        values = np.array([one.value for one in estimates])
        covered = np.mean([one.low <= values.mean() <= one.high for one in estimates])
        assert covered >= 0.88, name
        error = np.sqrt(np.mean([one.standard_error**2 for one in estimates]))
        assert 0.85 <= error / values.std(ddof=1) <= widest, name


def test_intervals_cover_a_known_variance():
    """About 95 % of the intervals cover the variance that another training set adds, with crossed seeds."""
    rng = np.random.default_rng(5)
    hits = 0
    for _ in range(60):
        p = 0.5 + rng.normal(0, 0.05, (6, 1, 40)) + rng.normal(0, 0.03, (1, 5, 40)) + rng.normal(0, 0.02, (6, 5, 40))
        found = nested_estimates(np.stack([p, 1 - p], axis=-1)).data_variance
        hits += found.low <= 2 * 0.05**2 <= found.high
    assert hits >= 53


def test_leaving_out_by_sums_equals_leaving_out(probabilities):
    """What parts say of the measures without a set, a run or both is what the measures say of the smaller arrays."""
    parts = left_out(probabilities, 0.01)
    for item in (None, 1):
        for run in (None, 2):
            some = probabilities if item is None else np.delete(probabilities, item, 0)
            some = some if run is None else np.delete(some, run, 1)
            apart, spread = nested_instability(some, epsilon=0.01), nested_variance(some)
            expected = {
                "inconsistency": apart.inconsistency,
                "instability": apart.instability,
                "seed_variance": spread.seed,
                "total_variance": spread.seed + spread.data,
            }
            for name, values in expected.items():
                left = parts[name]
                found = {
                    (None, None): left.whole,
                    (1, None): left.no_set[1],
                    (None, 2): left.no_run[2],
                    (1, 2): left.neither[1, 2],
                }[item, run]
                np.testing.assert_allclose(found, values, rtol=1e-9, atol=1e-14)


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
