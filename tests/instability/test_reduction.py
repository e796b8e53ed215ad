"""Reduction of label entropy relative to a control."""

import itertools

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.instability import label_entropy, label_entropy_reduction


def draw(rng, runs=10, samples=400, scale=0.5):
    """Draws labels of runs that flip with a probability of each sample's own."""
    p = np.linspace(0, scale, samples)
    return (rng.random((runs, samples)) < p).astype(int)


@pytest.fixture
def batches():
    """A method that flips half as often, and its control."""
    rng = np.random.default_rng(0)
    return draw(rng, scale=0.25), draw(rng)


def reduction(method, control, chosen=slice(None)):
    """Evaluates the formula directly."""
    above, below = label_entropy(method)[chosen].sum(), label_entropy(control)[chosen].sum()
    return 100 * (1 - above / below)


def test_value_is_the_formula(batches):
    """Percent of the control's summed entropy that is gone."""
    found = label_entropy_reduction(*batches)
    assert found.value == pytest.approx(reduction(*batches), rel=1e-12)
    assert found.low < found.value < found.high
    assert (found.method, found.runs, found.samples) == ("two-way", 10, 400)


def test_control_against_itself_is_zero(batches):
    """Nothing is gained by changing nothing."""
    assert label_entropy_reduction(batches[1], batches[1]).value == 0
    assert label_entropy_reduction(batches[1], batches[1], subset="high").value == 0


def test_a_stable_method_removes_everything(batches):
    """Agreement of all runs is a reduction of 100 percent."""
    assert label_entropy_reduction(np.zeros_like(batches[1]), batches[1]).value == 100


def test_high_subset_is_chosen_by_the_control(batches):
    """Both sums run over the samples on which the control exceeds the threshold."""
    chosen = label_entropy(batches[1]) > 0.56
    found = label_entropy_reduction(*batches, subset="high")
    assert found.samples == chosen.sum()
    assert found.value == pytest.approx(reduction(*batches, chosen), rel=1e-12)


def test_threshold_lies_just_below_a_75_25_split():
    """Of 50 runs, 37 against 13 is high and 38 against 12 is not; of 20 runs, exactly 15 against 5 is."""
    control = (np.arange(50)[:, None] < [13, 12, 25]).astype(int)
    assert label_entropy_reduction(control, control, subset="high").samples == 2
    exact = (np.arange(20)[:, None] < [5, 5, 1]).astype(int)
    assert label_entropy_reduction(exact, exact, subset="high").samples == 2


def test_high_subset_shows_a_reduction_where_there_is_none():
    """A second control batch regresses to the mean on the samples chosen by the first, but not on all samples."""
    rng = np.random.default_rng(0)
    null = [label_entropy_reduction(draw(rng), draw(rng), subset="high").value for _ in range(20)]
    over_all = [label_entropy_reduction(draw(rng), draw(rng)).value for _ in range(20)]
    assert np.mean(null) > 4
    assert abs(np.mean(over_all)) < 2


def test_error_over_runs_is_the_sum_of_two_jackknives(batches):
    """Leaving out runs of the method and, independently, of the control, by hand."""
    method, control = batches
    chosen = label_entropy(control) > 0.56
    for subset, which in ((None, slice(None)), ("high", chosen)):
        variance = 0.0
        for leave in (
            lambda r, which=which: reduction(np.delete(method, r, axis=0), control, which),
            lambda r, which=which: reduction(method, np.delete(control, r, axis=0), which),
        ):
            left_out = np.array([leave(r) for r in range(10)])
            variance += 0.9 * np.sum((left_out - left_out.mean()) ** 2)
        found = label_entropy_reduction(method, control, subset=subset, interval="jackknife")
        assert found.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)


def test_error_over_samples_follows_the_bootstrap(batches):
    """The linearised error is within 5 % of a bootstrap over samples, paired between the batches."""
    method, control = label_entropy(batches[0]), label_entropy(batches[1])
    rng = np.random.default_rng(0)
    picks = rng.integers(0, 400, (4000, 400))
    resamples = 100 * (1 - method[picks].sum(axis=1) / control[picks].sum(axis=1))
    found = label_entropy_reduction(*batches, interval="samples")
    assert found.standard_error == pytest.approx(resamples.std(), rel=0.05)


def test_two_way_counts_once_what_runs_and_samples_share(batches):
    """Added variances, less the jackknife's of each sample on its own, by hand."""
    method, control = batches
    m, c = label_entropy(method), label_entropy(control)
    own = 0.0
    for labels, slope in ((method, 1 / c.sum()), (control, -m.sum() / c.sum() ** 2)):
        left_out = np.array([label_entropy(np.delete(labels, run, 0)) for run in range(10)])
        own += slope**2 * 0.9 * np.sum((left_out - left_out.mean(0)) ** 2)
    parts = [label_entropy_reduction(*batches, interval=i).standard_error for i in ("jackknife", "samples")]
    expected = np.sqrt(parts[0] ** 2 + parts[1] ** 2 - 100**2 * own)
    assert label_entropy_reduction(*batches).standard_error == pytest.approx(max(expected, *parts), rel=1e-9)


def test_null_intervals_hold_zero_as_often_as_they_say():
    """Of 300 pairs of control batches, some of the 95 % intervals miss zero, but not one in twelve."""
    rng = np.random.default_rng(0)
    missed = 0
    for _ in range(300):
        found = label_entropy_reduction(draw(rng, 30, 200), draw(rng, 30, 200))
        missed += not found.low <= 0 <= found.high
    assert 3 <= missed <= 25


@pytest.mark.parametrize("interval", ["jackknife", "samples", "two-way"])
def test_nothing_to_reduce_is_nan(interval):
    """A stable control, and an empty high subset, have no reduction; a warning says which it was."""
    stable = np.zeros((4, 5), int)
    with pytest.warns(RuntimeWarning, match="the control's runs agree everywhere; the reduction is NaN"):
        assert np.isnan(label_entropy_reduction(stable, stable, interval=interval).value)
    wavering = stable.copy()
    wavering[0, 0] = 1
    with pytest.warns(RuntimeWarning, match=r"no sample's control entropy exceeds 0.6; the reduction is NaN"):
        found = label_entropy_reduction(wavering, wavering, subset="high", threshold=0.6, interval=interval)
    assert np.isnan([found.value, found.low, found.high, found.standard_error]).all()
    assert found.samples == 0


def test_undefined_errors_are_nan():
    """A control that flips in one run only, or a single sample, has a reduction but no error."""
    control = np.zeros((4, 5), int)
    control[0, 0] = 1
    for labels, interval in itertools.product((control, control[:, :1]), ("jackknife", "two-way")):
        with pytest.warns(RuntimeWarning, match="gives no error; it is NaN"):
            found = label_entropy_reduction(labels, labels, interval=interval)
        assert found.value == 0
        assert np.isnan([found.low, found.high, found.standard_error]).all()


def test_correction_applies_to_both_sides(batches):
    """Corrected entropies are summed and compared."""
    above, below = (label_entropy(labels, correction="digamma").sum() for labels in batches)
    found = label_entropy_reduction(*batches, correction="digamma")
    assert found.value == pytest.approx(100 * (1 - above / below), rel=1e-12)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"subset": "low"}, "subset='low' is unknown; pass None for all samples or 'high'"),
        ({"interval": "bootstrap"}, "interval='bootstrap' is unknown; pass 'jackknife'"),
        ({"correction": "zhang"}, "correction='zhang' is unknown; pass None, 'miller-madow'"),
        ({"level": 0}, "level must be strictly between 0 and 1, got 0"),
        ({"method": [[0, 1, 2]] * 3}, "method covers 3 samples and control 2; pass the same samples"),
        ({"method": [[0, 1]] * 4}, "method has 4 runs and control 3; .* so pass 3 of each"),
        ({"method": [[0, 1]]}, "method has 1 runs along axis 0, fewer than the 2 needed"),
        ({"control": [[0, 1]] * 2}, "control has 2 runs; the jackknife leaves one out and needs at least 3"),
        ({"control": [0, 1, 1]}, r"control must be \[run, sample\], got int64\[3\]"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(arguments, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    labels = [[0, 1], [0, 1], [1, 1]]
    with pytest.raises(InputError, match=text):
        label_entropy_reduction(**{"method": labels, "control": labels} | arguments)
