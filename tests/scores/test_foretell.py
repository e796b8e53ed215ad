"""What foretells flips: figures by brute force, nothing foretold by chance, and intervals that cover."""

import math

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics

from reseed import InputError
from reseed.instability import label_entropy
from reseed.scores import RunColumn, Targets, foretold, foretold_columns, half_of_the_runs, lift
from reseed.scores import _figures as figures_module
from reseed.statistics import counted_once, jackknife_variance

NAMES = ("auroc", "lift", "kendall")


def draw(rng, runs, samples, own=0.3):
    """Labels [run, sample] of runs that lean to one of three answers, and values that tell how much."""
    lean = rng.normal(1, 2, samples)
    tilt = rng.normal(0, own, (runs, 1)) * rng.normal(size=samples)
    margins = lean + tilt + rng.normal(0, 0.7, (runs, samples))
    labels = np.where(margins > 0, 0, 1 + (lean > 0.5))
    return labels, -np.abs(margins) + rng.normal(0, 0.4, (runs, samples))


def of_pair(values, labels):
    """The figures of one run's values against the labels of others, by other libraries."""
    entropy = np.asarray(label_entropy(labels))
    return np.array(
        [
            sklearn.metrics.roc_auc_score(entropy > 0, values),
            lift(values, entropy > 0),
            scipy.stats.kendalltau(values, entropy).statistic,
        ]
    )


def others(labels, *left_out):
    """Labels of all other runs."""
    return np.delete(labels, left_out, 0)


@pytest.mark.parametrize("runs", [3, 4, 7])
def test_targets_are_the_label_entropy_of_the_others(runs):
    """Their order, and which run alone makes a sample flip."""
    labels = np.random.default_rng(runs).integers(0, 3, (runs, 300)) * (np.arange(300) % 3 > 0)
    targets = Targets.of(labels)
    for run in range(runs):
        entropy = np.asarray(label_entropy(others(labels, run)))
        np.testing.assert_array_equal(targets.flips(run), entropy > 0)
        for other in [None, *(set(range(runs)) - {run})]:
            wanted = np.asarray(label_entropy(others(labels, run, *(() if other is None else (other,)))))
            found = np.zeros(300, np.int64)
            found[targets.contested] = targets.levels(run, other)
            ranks = [scipy.stats.rankdata(values.round(9)) for values in (wanted, found)]
            np.testing.assert_array_equal(*ranks)
            if other is not None and runs > 3:
                np.testing.assert_array_equal(targets.dissident(run) == other, (entropy > 0) & (wanted == 0))


def test_figures_and_their_jackknife_are_those_of_brute_force():
    """Each run is held out of its target; leaving out another one changes both."""
    runs, samples = 6, 150
    labels, values = draw(np.random.default_rng(0), runs, samples)
    found = foretold(values, Targets.of(labels))
    rows = np.stack([of_pair(values[run], others(labels, run)) for run in range(runs)])
    left_out = np.stack(
        [
            np.mean([of_pair(values[r], others(labels, r, s)) for r in range(runs) if r != s], axis=0)
            for s in range(runs)
        ]
    )
    for place, name in enumerate(NAMES):
        estimate = getattr(found, name)
        assert estimate.value == pytest.approx(rows[:, place].mean(), abs=1e-12)
        assert (estimate.runs, estimate.samples, estimate.method) == (runs, samples, "two-way")
        pulls = []
        for run in range(runs):
            held = figures_module.HeldOut.of(Targets.of(labels), run, with_others=False)
            pulls.append(figures_module.figures(values[run], held)[place].pull)
        pulls = np.stack(pulls)
        over_samples = float((pulls.mean(0) ** 2).sum())
        own = pulls.var(0, ddof=1).sum() / runs
        variance = counted_once(jackknife_variance(left_out[:, place]), over_samples, own)
        assert estimate.standard_error == pytest.approx(variance**0.5, rel=1e-9)
        reach = scipy.stats.t.ppf(0.975, runs - 1) * variance**0.5
        assert estimate.low == pytest.approx(max(estimate.value - reach, -1 if name == "kendall" else 0))
    assert found.flipping == pytest.approx(
        np.mean([np.mean(np.asarray(label_entropy(others(labels, run))) > 0) for run in range(runs)])
    )


def test_what_the_targets_say_has_auroc_one():
    """A column that equals them, or their opposite where lower is worse."""
    labels, _ = draw(np.random.default_rng(1), 5, 200)
    exact = np.stack([np.asarray(label_entropy(others(labels, run))) for run in range(5)])
    targets = Targets.of(labels)
    for values, direction in ((exact, "higher_is_worse"), (exact, "none"), (-exact, "lower_is_worse")):
        found = foretold(values, targets, direction)
        assert (found.auroc.value, found.auroc.high) == (1, 1)
        assert found.kendall.value == pytest.approx(1, abs=1e-15)
    assert foretold(exact, targets, "lower_is_worse").auroc.value == 0


def test_equal_values_foretell_nothing():
    """Exactly, and without an interval of tau-b, which has no value."""
    labels, values = draw(np.random.default_rng(2), 5, 200)
    found = foretold(np.full_like(values, 0.3), Targets.of(labels))
    assert (found.auroc.value, found.lift.value, found.auroc.standard_error) == (0.5, 1, 0)
    assert found.lift.standard_error == pytest.approx(0, abs=1e-12)
    assert math.isnan(found.kendall.value)


@pytest.mark.parametrize("is_alike", [False, True], ids=["each run", "all runs alike"])
def test_shuffled_columns_foretell_nothing(is_alike):
    """200 shuffles: AUROC 0.5 is inside nearly all intervals and is their mean, however the rows are shuffled."""
    rng = np.random.default_rng(3)
    labels, values = draw(rng, 6, 300)
    targets, shuffles = Targets.of(labels), 200

    def shuffled():
        return values[:, rng.permutation(300)] if is_alike else rng.permuted(values, axis=1)

    found = foretold_columns(
        {str(place): RunColumn(shuffled(), tuple(range(6))) for place in range(shuffles)}, targets
    ).values()
    for name, chance in (("auroc", 0.5), ("lift", 1.0), ("kendall", 0.0)):
        estimates = [getattr(one, name) for one in found]
        inside = np.mean([estimate.low <= chance <= estimate.high for estimate in estimates])
        values_ = np.array([estimate.value for estimate in estimates])
        assert inside >= 0.9
        assert values_.mean() == pytest.approx(chance, abs=4 * values_.std() / shuffles**0.5)


def test_intervals_cover():
    """Of other runs and samples: 150 studies whose mean figures are known from many more."""
    rng, runs, samples, studies = np.random.default_rng(4), 5, 200, 150

    def study(size):
        labels, values = draw(rng, runs, size)
        return foretold(values, Targets.of(labels))

    truth = [study(4000) for _ in range(60)]
    found = [study(samples) for _ in range(studies)]
    for name in NAMES:
        actual = np.mean([getattr(one, name).value for one in truth])
        inside = np.mean([getattr(one, name).low <= actual <= getattr(one, name).high for one in found])
        assert inside >= 0.9
        spread = np.std([getattr(one, name).value for one in found])
        error = np.sqrt(np.mean([getattr(one, name).standard_error ** 2 for one in found]))
        assert 0.9 < error / spread < 2


def test_some_runs_alone_are_asked():
    """Their targets are all other runs; a single run has an interval over samples."""
    labels, values = draw(np.random.default_rng(5), 6, 200)
    targets = Targets.of(labels)
    some = foretold_columns({"some": RunColumn(values[[4, 1]], (4, 1))}, targets)["some"]
    expected = np.mean([of_pair(values[run], others(labels, run)) for run in (1, 4)], axis=0)
    assert [getattr(some, name).value for name in NAMES] == pytest.approx(expected, abs=1e-12)
    assert (some.runs, some.auroc.runs) == (2, 2)
    one = foretold_columns({"one": RunColumn(values[[4]], (4,))}, targets)["one"]
    assert one.auroc.method == "samples"
    assert one.auroc.value == pytest.approx(of_pair(values[4], others(labels, 4))[0], abs=1e-12)
    assert one.auroc.low < one.auroc.value < one.auroc.high


def test_samples_without_a_value_are_left_out():
    """Run by run: the figures are those of the others."""
    labels, values = draw(np.random.default_rng(6), 4, 200)
    values[0, :50], values[2, 100:130] = np.nan, np.nan
    found = foretold(values, Targets.of(labels))
    expected = [
        of_pair(values[run][known], others(labels, run)[:, known])
        for run in range(4)
        for known in [~np.isnan(values[run])]
    ]
    assert [getattr(found, name).value for name in NAMES] == pytest.approx(np.mean(expected, 0), abs=1e-12)
    nothing = foretold(np.full((4, 200), np.nan), Targets.of(labels))
    assert math.isnan(nothing.auroc.value)
    assert math.isnan(nothing.lift.high)


def test_where_nothing_flips_nothing_is_foretold():
    """All runs agree: no figure has a value, and nothing warns."""
    found = foretold(np.random.default_rng(0).random((4, 30)), Targets.of(np.zeros((4, 30), int)))
    assert all(math.isnan(getattr(found, name).value) for name in NAMES)
    assert found.flipping == 0


def test_three_runs_have_the_spread_of_runs():
    """None can be left out: two others would be one."""
    labels, values = draw(np.random.default_rng(7), 3, 300)
    found = foretold(values, Targets.of(labels))
    assert all(getattr(found, name).standard_error > 0 for name in NAMES)


def test_tau_looks_at_some_of_many_samples(monkeypatch):
    """Always the same ones; the other figures at all."""
    monkeypatch.setattr(figures_module, "MOST_RANKED", 120)
    labels, values = draw(np.random.default_rng(8), 4, 200)
    found = foretold(values, Targets.of(labels))
    drawn = figures_module.draw(200)
    expected = np.mean([of_pair(values[r][drawn], others(labels, r)[:, drawn])[2] for r in range(4)])
    assert found.kendall.value == pytest.approx(expected, abs=1e-12)
    assert (len(drawn), found.auroc.samples) == (120, 200)


def test_rows_are_read_one_run_at_a_time():
    """All columns of a run before those of the next."""
    labels, values = draw(np.random.default_rng(9), 4, 60)
    read = []

    class Rows:
        shape = values.shape

        def __init__(self, name):
            self.name = name

        def __getitem__(self, run):
            read.append((run, self.name))
            return values[run]

    foretold_columns({name: RunColumn(Rows(name), (0, 1, 2, 3)) for name in "ab"}, Targets.of(labels))
    assert read == [(run, name) for run in range(4) for name in "ab"]


@pytest.mark.parametrize("runs", [4, 7])
def test_half_of_the_runs(runs):
    """The entropy over one half against that over the other, both ways, for three ways of halving."""
    labels, _ = draw(np.random.default_rng(10), runs, 300)
    orders = (np.arange(runs), np.r_[0:runs:2, 1:runs:2], np.roll(np.arange(runs), runs // 4))

    def mean_of(left_out=None):
        rows = []
        for order in orders:
            halves = [part[part != left_out] for part in np.array_split(order, 2)]
            entropies = [np.asarray(label_entropy(labels[half])) for half in halves]
            rows += [of_pair(entropies[0], labels[halves[1]]), of_pair(entropies[1], labels[halves[0]])]
        return np.mean(rows, 0)

    found = half_of_the_runs(labels)
    assert [getattr(found, name).value for name in NAMES] == pytest.approx(mean_of(), abs=1e-12)
    if runs > 6:
        left_out = np.stack([mean_of(run) for run in range(runs)])
        for place, name in enumerate(NAMES):
            assert getattr(found, name).standard_error >= jackknife_variance(left_out[:, place]) ** 0.5 * (1 - 1e-9)
    assert found.auroc.low < found.auroc.value < found.auroc.high


def test_mistakes():
    """Shapes, places and too few runs are told."""
    labels, values = draw(np.random.default_rng(0), 4, 20)
    targets = Targets.of(labels)
    with pytest.raises(InputError, match=r"labels must be \[run, sample\] of 3 runs or more, .* got int64\[2, 20\]"):
        Targets.of(labels[:2])
    with pytest.raises(InputError, match="of 4 runs or more to have two halves"):
        half_of_the_runs(labels[:3])
    with pytest.raises(
        InputError, match=r"values has the shape \[4, 5\]; its 4 runs and the 20 samples of the targets"
    ):
        foretold(values[:, :5], targets)
    with pytest.raises(InputError, match=r"the column 'a' is of runs at the places \[0, 9\]; give each run once"):
        foretold_columns({"a": RunColumn(values[:2], (0, 9))}, targets)
    with pytest.raises(InputError, match="level must be strictly between 0 and 1"):
        foretold(values, targets, level=95)
