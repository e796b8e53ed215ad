"""What each source of randomness does, on made-up labels."""

import itertools

import numpy as np
import pytest
import scipy.stats
import torch

from reseed._errors import InputError
from reseed.instability import source_effects


def _draw(rng, scale, runs=8, samples=200):
    """Draws labels of runs that flip with a probability of each sample's own."""
    return (rng.random((runs, samples)) < np.linspace(0, scale, samples)).astype(int)


def _jitter(labels):
    """Mean churn over all pairs of runs, pair by pair."""
    return np.mean([(a != b).mean() for a, b in itertools.combinations(np.asarray(labels), 2)])


@pytest.fixture
def batches():
    """All sources, two of them alone, and all but each of the two."""
    rng = np.random.default_rng(0)
    everything, init, order = _draw(rng, 0.5), _draw(rng, 0.4), _draw(rng, 0.1)
    return everything, {"init": init, "order": order}, {"init": order, "order": init}


def test_values_are_ratios_of_mean_pairwise_churn(batches):
    """Jitter, share and drop are those of every two runs compared; entropies are scipy's."""
    everything, alone, fixed = batches
    found = source_effects(everything, alone, fixed)
    assert found.jitter.value == pytest.approx(_jitter(everything), rel=1e-12)
    for effect in found.effects:
        only, rest = alone[effect.source], fixed[effect.source]
        assert effect.jitter.value == pytest.approx(_jitter(only), rel=1e-12)
        assert effect.fixed_jitter.value == pytest.approx(_jitter(rest), rel=1e-12)
        assert effect.share.value == pytest.approx(_jitter(only) / _jitter(everything), rel=1e-12)
        assert effect.drop.value == pytest.approx(1 - _jitter(rest) / _jitter(everything), rel=1e-12)
        shares = np.stack([(only == k).mean(axis=0) for k in range(2)])
        assert effect.label_entropy.value == pytest.approx(scipy.stats.entropy(shares).mean(), rel=1e-12)


def test_largest_drop_comes_first(batches):
    """What a user gains most by fixing leads, whatever order the sources were given in."""
    everything, alone, fixed = batches
    reverse = dict(reversed(alone.items()))
    assert [effect.source for effect in source_effects(everything, reverse, fixed).effects] == ["init", "order"]


def test_errors_are_propagated_from_leaving_runs_out(batches):
    """The error over runs follows from both jackknives made by hand, that over samples from the residuals."""
    everything, alone, fixed = batches
    only = alone["init"]
    base, q = _jitter(everything), _jitter(only) / _jitter(everything)

    def jackknife(labels):
        left_out = np.array([_jitter(np.delete(labels, r, axis=0)) for r in range(len(labels))])
        return 7 / 8 * np.sum((left_out - left_out.mean()) ** 2)

    over_runs = (jackknife(only) + q**2 * jackknife(everything)) / base**2
    each = [np.mean([a != b for a, b in itertools.combinations(labels, 2)], axis=0) for labels in (only, everything)]
    over_samples = np.var(each[0] - q * each[1]) / 200 / base**2

    def own(labels):  # the same for each sample by itself
        left_out = [
            np.mean([a != b for a, b in itertools.combinations(np.delete(labels, r, axis=0), 2)], axis=0)
            for r in range(len(labels))
        ]
        return 7 * np.var(left_out, axis=0).sum() / 200**2

    shared = (own(only) + q**2 * own(everything)) / base**2
    for method, variance in (
        ("jackknife", over_runs),
        ("samples", over_samples),
        ("two-way", max(over_runs + over_samples - shared, over_runs, over_samples)),
    ):
        effect = next(e for e in source_effects(everything, alone, fixed, method=method).effects if e.source == "init")
        assert effect.share.standard_error == pytest.approx(np.sqrt(variance), rel=1e-9)
        reach = effect.share.high - effect.share.value
        rest = variance - over_runs if method == "two-way" else 0.0
        each_batch = jackknife(only) ** 2 + q**4 * jackknife(everything) ** 2
        degrees = variance**2 / (each_batch / base**4 / 7 + rest**2 / 199)
        quantile = scipy.stats.norm.ppf(0.975) if method == "samples" else scipy.stats.t.ppf(0.975, degrees)
        assert reach == pytest.approx(quantile * np.sqrt(variance), rel=1e-9)


def test_errors_are_those_of_other_runs_and_samples():
    """Of repeated experiments about 95 % of the intervals cover a share, and errors are what shares differ by."""
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(120):
        p = np.where(rng.random(150) < 0.5, rng.beta(1, 1, 150), 0)
        whole, only = ((rng.random((10, 150)) < p).astype(int) for _ in range(2))
        shares.append(source_effects(whole, {"init": only}, {"init": only}).effects[0].share)
    values = np.array([share.value for share in shares])
    assert np.mean([share.low <= 1 <= share.high for share in shares]) >= 0.92
    error = np.sqrt(np.mean([share.standard_error**2 for share in shares]))
    assert 0.9 <= error / values.std(ddof=1) <= 1.25


def test_only_one_source_matters():
    """A source that does everything has share and drop 1, one that does nothing 0, with intervals of no width."""
    rng = np.random.default_rng(1)
    wavering, still = _draw(rng, 0.5), np.zeros((8, 200), int)
    found = source_effects(wavering, {"order": still, "init": wavering}, {"order": wavering, "init": still})
    init, order = found.effects
    assert (init.source, init.share.value, init.drop.value) == ("init", 1, 1)
    assert (order.source, order.drop.value) == ("order", 0)
    assert (order.share.value, order.share.low, order.share.high) == (0, 0, 0)
    assert (order.jitter.low, order.jitter.high, order.label_entropy.high) == (0, 0, 0)
    assert (init.drop.low, init.drop.high) == (1, 1)
    assert order.drop.low < 0 < order.drop.high


def test_sources_of_equal_effect_gain_nothing_by_fixing_one():
    """Where every batch is drawn alike, most 95 % intervals of share hold 1 and those of drop hold 0."""
    rng = np.random.default_rng(2)
    held = 0
    for _ in range(50):
        everything, init, order = (_draw(rng, 0.5, samples=100) for _ in range(3))
        found = source_effects(everything, {"init": init, "order": order}, {"init": order, "order": init})
        effect = found.effects[0]
        held += effect.drop.low <= 0 <= effect.drop.high and effect.share.low <= 1 <= effect.share.high
    assert held >= 43


def test_agreement_everywhere_is_nan():
    """Without instability there is nothing to attribute; the warning says so, and jitter is 0."""
    still = np.zeros((4, 5), int)
    with pytest.warns(RuntimeWarning, match="everything agree everywhere; share and drop are NaN"):
        found = source_effects(still, {"init": still}, {"init": still})
    effect = found.effects[0]
    assert np.isnan([effect.share.value, effect.share.low, effect.drop.value, effect.drop.high]).all()
    assert (found.jitter.value, effect.jitter.value) == (0, 0)


def test_tensors_and_strings_are_labels_too(batches):
    """Torch tensors and names of classes give the numbers that integers give."""
    everything, alone, fixed = batches
    expected = source_effects(everything, alone, fixed)
    names = np.array(["no", "yes"])
    for turn in (torch.from_numpy, names.take):
        turned = [{source: turn(labels) for source, labels in some.items()} for some in (alone, fixed)]
        assert source_effects(turn(everything), *turned) == expected


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"alone": {}, "fixed": {}}, "alone names no sources, got {}; pass labels for each"),
        ({"fixed": {"order": [[0]] * 3}}, r"alone names the sources \['init'\] and fixed \['order'\]; pass"),
        ({"alone": {"init": [[0]] * 3}}, r"alone\['init'\] covers 1 samples and everything 2; pass the same"),
        ({"fixed": {"init": [[0, 1]] * 4}}, r"fixed\['init'\] has 4 runs and everything 3; .* so pass 3 of each"),
        ({"everything": [[0, 1]] * 2}, "everything has 2 runs; the jackknife leaves one out"),
        ({"method": "bootstrap"}, "method='bootstrap' is unknown; pass 'jackknife'"),
        ({"level": 1}, "level must be strictly between 0 and 1, got 1"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(arguments, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    labels = [[0, 1], [0, 1], [1, 1]]
    with pytest.raises(InputError, match=text):
        source_effects(**{"everything": labels, "alone": {"init": labels}, "fixed": {"init": labels}} | arguments)
