"""Data-set estimates with intervals."""

import itertools

import numpy as np
import pytest
import scipy.stats

from reseed._errors import InputError
from reseed.instability import (
    estimate,
    jitter,
    label_entropy,
    unstable_fraction,
    variation_ratio,
)

MEANS = {
    "label_entropy": lambda labels, correction: label_entropy(labels, correction=correction).mean(),
    "jitter": lambda labels, _: jitter(labels).mean(),
    "unstable_fraction": lambda labels, _: unstable_fraction(labels),
    "variation_ratio": lambda labels, _: variation_ratio(labels).mean(),
}
CASES = [(name, None) for name in MEANS] + [("label_entropy", "miller-madow"), ("label_entropy", "digamma")]


@pytest.fixture(params=[3, 4, 9])
def labels(request):
    """Labels with all kinds of samples: stable, with one deviating run, tied, scattered."""
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, 4, (request.param, 300))
    drawn[:, :100] = 1
    drawn[rng.integers(0, request.param, 50), np.arange(50)] = 3
    return drawn


@pytest.mark.parametrize(("statistic", "correction"), CASES)
def test_jackknife_equals_leaving_runs_out_by_hand(labels, statistic, correction):
    """The one-pass jackknife equals recomputing the statistic once for each run left out."""
    if statistic == "jitter" and len(labels) < 3:
        pytest.skip("no pairs left")
    mean = MEANS[statistic]
    runs = len(labels)
    left_out = np.array([mean(np.delete(labels, run, axis=0), correction) for run in range(runs)])
    expected = np.sqrt((runs - 1) / runs * np.sum((left_out - left_out.mean()) ** 2))
    found = estimate(labels, statistic, correction=correction)
    assert found.value == pytest.approx(mean(labels, correction), rel=1e-13)
    assert found.standard_error == pytest.approx(expected, rel=1e-9)
    assert (found.method, found.runs, found.samples) == ("jackknife", runs, 300)


def test_wide_labels_have_the_same_jackknife(labels):
    """Ranking labels first changes nothing."""
    assert estimate(labels * 10**9).standard_error == estimate(labels).standard_error


@pytest.mark.parametrize("statistic", MEANS)
def test_error_over_samples_is_the_limit_of_the_bootstrap(statistic):
    """For three samples the closed form equals the deviation over all 3^3 resamples."""
    labels = np.array([[0, 1, 2], [0, 1, 1], [0, 2, 0], [0, 1, 2]])
    resamples = [MEANS[statistic](labels[:, list(columns)], None) for columns in itertools.product(range(3), repeat=3)]
    found = estimate(labels, statistic, "samples")
    assert found.standard_error == pytest.approx(np.std(resamples), rel=1e-12)


@pytest.mark.parametrize("statistic", MEANS)
def test_two_way_counts_what_both_hold_once(labels, statistic):
    """The variance that covers runs and samples is the sum of both, less what runs do to each sample on its own."""
    labels = labels[:, ::9]
    runs, samples = estimate(labels, statistic, "jackknife"), estimate(labels, statistic, "samples")
    own = 0.0
    for sample in labels.T[:, :, None]:
        left = [MEANS[statistic](np.delete(sample, run, 0), None) for run in range(len(labels))]
        own += (len(labels) - 1) * np.var(left) / labels.shape[1] ** 2
    parts = runs.standard_error**2, samples.standard_error**2
    expected = max(sum(parts) - own, *parts)
    assert estimate(labels, statistic, "two-way").standard_error == pytest.approx(np.sqrt(expected), rel=1e-9)


@pytest.mark.parametrize(("runs", "contested"), [(6, 0.2), (6, 1.0), (12, 1.0)])
def test_two_way_errors_are_those_of_other_runs_and_samples(runs, contested):
    """Of repeated experiments about 95 % of the intervals cover the truth, and errors are what values differ by."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(150):
        p = np.where(rng.random(200) < contested, rng.beta(1, 1, 200), 0)
        p = np.clip(p * rng.normal(1, 0.1, (runs, 1)), 0, 1)
        found.append(estimate((rng.random((runs, 200)) < p).astype(int), "jitter", "two-way"))
    values = np.array([one.value for one in found])
    assert np.mean([one.low <= values.mean() <= one.high for one in found]) >= 0.92
    error = np.sqrt(np.mean([one.standard_error**2 for one in found]))
    assert 0.9 <= error / values.std(ddof=1) <= 1.2


@pytest.mark.parametrize("statistic", MEANS)
def test_intervals_use_students_t_for_runs_and_the_normal_for_samples(labels, statistic):
    """On the arcsine scale they reach the quantile times the standard error; degrees are Satterthwaite's."""
    runs, most = len(labels), MEANS[statistic](np.arange(len(labels))[:, None], None)
    over_runs = estimate(labels, statistic, "jackknife").standard_error ** 2
    both = estimate(labels, statistic, "two-way").standard_error ** 2
    pooled = both**2 / (over_runs**2 / (runs - 1) + (both - over_runs) ** 2 / 299)
    for method, quantile in (
        ("jackknife", scipy.stats.t.ppf(0.95, runs - 1)),
        ("two-way", scipy.stats.t.ppf(0.95, pooled)),
        ("samples", scipy.stats.norm.ppf(0.95)),
    ):
        found = estimate(labels, statistic, method, level=0.9)
        share = found.value / most
        centre, slope = np.arcsin(np.sqrt(share)), 1 / (2 * np.sqrt(share * (1 - share)))
        away = slope * quantile * found.standard_error / most
        ends = most * np.sin([centre - away, centre + away]) ** 2
        assert (found.low, found.high) == pytest.approx(tuple(ends), rel=1e-9)


def test_jackknife_covers_the_true_jitter():
    """Over 300 draws of 10 runs, nominal 95 % intervals cover the true jitter in at least 88 %."""
    rng = np.random.default_rng(0)
    p = rng.random(60) * 0.5
    true = np.mean(2 * p * (1 - p))
    covered = 0
    for _ in range(300):
        found = estimate((rng.random((10, 60)) < p).astype(int), "jitter")
        covered += found.low <= true <= found.high
    assert covered / 300 >= 0.88


def test_agreement_has_no_error():
    """Identical runs give 0 with an interval of no width."""
    found = estimate(np.ones((4, 5), int), method="two-way")
    assert (found.value, found.low, found.high, found.standard_error) == (0, 0, 0, 0)


def test_no_samples_give_nan():
    """A mean over nothing is NaN, with a warning."""
    with pytest.warns(RuntimeWarning, match="labels holds no samples; the jitter is NaN"):
        found = estimate(np.zeros((4, 0), int), "jitter")
    assert np.isnan([found.value, found.low, found.high, found.standard_error]).all()


def test_single_sample_gives_no_error_over_samples():
    """One sample has a value, but says nothing about other samples."""
    with pytest.warns(RuntimeWarning, match="labels holds a single sample, which says nothing about other"):
        found = estimate([[0], [1], [1]], "jitter", "two-way")
    assert found.value == pytest.approx(2 / 3)
    assert np.isnan([found.low, found.high, found.standard_error]).all()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"statistic": "entropy"}, "statistic='entropy' is unknown; pass one of 'label_entropy', 'jitter'"),
        ({"method": "bootstrap"}, "method='bootstrap' is unknown; pass 'jackknife' .* copies of a run agree"),
        ({"level": 95}, "level must be strictly between 0 and 1, got 95; pass for example 0.95"),
        (
            {"statistic": "jitter", "correction": "digamma"},
            "correction='digamma' applies to label entropy only, not to 'jitter'; leave it out",
        ),
        ({"correction": "zhang"}, "correction='zhang' is unknown"),
        ({"labels": [[0, 1]]}, "labels has 1 runs along axis 0, fewer than the 2 needed"),
        ({"labels": [[0, 1], [0, 1]]}, "labels has 2 runs; the jackknife leaves one out and needs at least 3"),
        ({"labels": [0, 1, 1]}, r"labels must be \[run, sample\], got int64\[3\]; flatten the other axes"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(arguments, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    with pytest.raises(InputError, match=text):
        estimate(**{"labels": [[0, 1], [0, 1], [1, 1]]} | arguments)
