"""One model in the place of another: shares, what is beyond reseeding, and how often either is a false alarm."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import binomtest

from reseed import InputError
from reseed.instability import Limits, churn, negative_flip_rate, replacement, verdict
from reseed.statistics import balance_interval, least_detectable, mcnemar_p_value, share_interval

SHAPES = [(1, 1), (3, 1), (1, 4), (5, 2), (4, 4)]


def drawn(generator, runs, samples=300, *, common=0.3, shift=None):
    """Labels [run, sample] of two classes: samples of their own difficulty, which runs move together and each alone."""
    base, load = generator.normal(1.5, 2, samples), generator.normal(0, 1, samples)
    sides = []
    for side, count in enumerate(runs):
        moved = base if shift is None or side == 0 else base + shift * generator.normal(0, 1, samples)
        noise = generator.normal(0, common, (count, 1)) * load + generator.logistic(0, 0.5, (count, samples))
        sides.append((moved + noise > 0).astype(int))
    return sides


@pytest.mark.parametrize(("wins", "losses"), [(0, 0), (0, 1), (3, 3), (2, 9), (40, 11), (0, 12)])
def test_mcnemar_is_the_exact_binomial_test(wins, losses):
    """The p-value is SciPy's two-sided binomial test of the discordant pairs, 1 where there are none."""
    expected = binomtest(wins, wins + losses).pvalue if wins + losses else 1.0
    assert mcnemar_p_value(wins, losses) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("wins", [-1, 2.5])
def test_mcnemar_takes_counts_only(wins):
    """What is no count is named."""
    with pytest.raises(InputError, match=r"wins must be a whole number of at least 0, got"):
        mcnemar_p_value(wins, 3)


@pytest.mark.parametrize(("count", "samples"), [(0, 50), (1, 50), (7, 50), (50, 50)])
def test_share_interval_is_exact_for_counted_samples(count, samples):
    """For independent samples it is the interval of Clopper and Pearson."""
    share = count / samples
    found = share_interval(share, share * (1 - share) / samples, "samples", 1, samples, degrees=samples - 1)
    exact = binomtest(count, samples).proportion_ci(0.95, "exact")
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=1e-9)


def test_fewer_degrees_and_more_variance_make_a_share_less_certain():
    """An interval grows with the variance, and with fewer degrees of freedom."""
    usual = share_interval(0.1, 0.09 / 200, "samples", 1, 200)
    varied = share_interval(0.1, 0.09 / 100, "two-way", 5, 200)
    few = share_interval(0.1, 0.09 / 100, "two-way", 5, 200, degrees=4)
    assert few.low < varied.low < usual.low
    assert few.high > varied.high > usual.high


def test_balance_interval_covers_the_difference_of_paired_shares():
    """In at least 94 of 100 draws of paired samples the interval holds the true difference, few changes or many."""
    generator = np.random.default_rng(0)
    for wins, losses in ((0.005, 0.005), (0.02, 0.08), (0.2, 0.1)):
        counts = generator.multinomial(150, [wins, losses, 1 - wins - losses], 1000)[:, :2] / 150
        inside = 0
        for won, lost in counts:
            variance = (won + lost - (won - lost) ** 2) / 150
            found = balance_interval(won, lost, variance, "samples", 1, 150)
            inside += found.low <= wins - losses <= found.high
        assert inside >= 940


@pytest.mark.parametrize("runs", SHAPES)
def test_shares_are_means_over_pairs_of_runs(runs):
    """Churn, negative flips and wins are the means, over all pairs of runs, of those of single models."""
    old, new = drawn(np.random.default_rng(1), runs, 60)
    targets = np.random.default_rng(2).integers(0, 2, 60)
    found, pairs = replacement(old, new, targets), list(product(old, new))
    assert found.churn.value == pytest.approx(np.mean([churn(*pair) for pair in pairs]))
    lost = np.mean([negative_flip_rate(*pair, targets) for pair in pairs])
    won = np.mean([negative_flip_rate(b, a, targets) for a, b in pairs])
    right = found.correctness
    assert (right.negative_flips.value, right.wins.value) == pytest.approx((lost, won))
    assert right.difference.value == pytest.approx((new == targets).mean() - (old == targets).mean())


@pytest.mark.parametrize(("runs", "sides"), [((4, 1), "old"), ((1, 4), "new"), ((3, 2), "old"), ((3, 4), "both")])
def test_beyond_reseeding_is_the_excess_over_pairs_of_one_side(runs, sides):
    """It is the churn less that of two runs of the side with three runs, or less the mean of both sides'."""
    old, new = drawn(np.random.default_rng(3), runs, 80, shift=1.0)
    found = replacement(old, new).beyond

    def of_pairs(side):
        return np.mean([churn(a, b) for place, a in enumerate(side) for b in side[:place]])

    base = {"old": lambda: of_pairs(old), "new": lambda: of_pairs(new)}
    expected = np.mean([of_pairs(old), of_pairs(new)]) if sides == "both" else base[sides]()
    assert found.sides == sides
    assert found.reseeding.value == pytest.approx(expected)
    assert found.beyond.value == pytest.approx(np.mean([churn(a, b) for a, b in product(old, new)]) - expected)


def test_two_sides_exceed_reseeding_by_half_the_squared_distance_of_their_answers():
    """Over many runs the excess is half the squared distance between the shares of each answer."""
    generator = np.random.default_rng(4)
    p, q = generator.random(40), generator.random(40)
    old, new = generator.random((400, 40)) < p, generator.random((400, 40)) < q
    expected = np.mean((p - q) ** 2)  # two classes: half of twice the square
    assert replacement(old.astype(int), new.astype(int)).beyond.beyond.value == pytest.approx(expected, abs=0.005)


@pytest.mark.parametrize("runs", [(3, 1), (5, 1), (1, 5), (5, 2), (5, 5)])
def test_another_seed_is_seldom_called_a_change(runs):
    """Of runs of one recipe on both sides, the excess is 0 on average, and its interval above 0 in at most 5 of 100."""
    generator, found = np.random.default_rng(5), []
    for gate in range(200):
        old, new = drawn(generator, runs, common=0.3 * (gate % 2))
        found.append(replacement(old, new).beyond.beyond)
    values = np.array([one.value for one in found])
    assert abs(values.mean()) < 3.5 * values.std() / np.sqrt(len(values))
    assert np.mean([one.low > 0 for one in found]) <= 0.05


@pytest.mark.parametrize("runs", [(1, 1), (5, 1), (4, 4)])
def test_neither_is_it_called_worse(runs):
    """Of runs of one recipe on both sides, NEW is worse in at most 5 of 100 gates, and the interval holds 0 in 93."""
    generator, worse, inside = np.random.default_rng(6), 0, 0
    for gate in range(200):
        old, new = drawn(generator, runs, 200, common=0.3 * (gate % 2))
        found = replacement(old, new, np.ones(200, int)).correctness
        worse += found.is_worse
        inside += found.difference.low <= 0 <= found.difference.high
    assert worse <= 10
    assert inside >= 186


@pytest.mark.parametrize("runs", [(1, 1), (5, 1), (3, 3)])
def test_intervals_hold_the_churn_of_other_samples_and_runs(runs):
    """At least 92 of 100 intervals hold the churn, and the negative flips, that many runs on many samples have."""
    generator = np.random.default_rng(7)
    many = [drawn(generator, (1, 1), 4000) for _ in range(400)]
    churned = np.mean([(old != new).mean() for old, new in many])
    lost = np.mean([((old == 1) & (new == 0)).mean() for old, new in many])
    inside = np.zeros(2)
    for _ in range(200):
        old, new = drawn(generator, runs, 200)
        found = replacement(old, new, np.ones(200, int))
        for place, (one, truth) in enumerate(((found.churn, churned), (found.correctness.negative_flips, lost))):
            inside[place] += one.low <= truth <= one.high
    assert inside.min() >= 184


def test_the_least_detectable_difference_is_detected_in_about_80_of_100():
    """A true difference of accuracy as small as that is told from 0 in 70 to 90 of 100 comparisons."""
    generator, samples, agreed = np.random.default_rng(8), 1000, 0.9
    error = np.sqrt(1 - agreed) / np.sqrt(samples)
    least = least_detectable(error)
    wins = (1 - agreed - least) / 2
    counts = generator.multinomial(samples, [wins, wins + least, agreed], 400)[:, :2] / samples
    seen = 0
    for won, lost in counts:
        variance = (won + lost - (won - lost) ** 2) / samples
        seen += balance_interval(won, lost, variance, "samples", 1, samples).high < 0
    assert 280 <= seen <= 360


def test_several_pairs_of_runs_are_tested_by_twice_their_median():
    """McNemar's p-value over pairs of runs is twice the median of theirs, at most 1."""
    generator = np.random.default_rng(9)
    old, new = drawn(generator, (3, 1), 120, shift=2.0)
    targets = np.ones(120, int)
    expected = [mcnemar_p_value(int((~(a == 1) & (b == 1)).sum()), int(((a == 1) & (b != 1)).sum()))
                for a, b in product(old, new)]  # fmt: skip
    found = replacement(old, new, targets).correctness
    assert found.p_value == pytest.approx(min(1, 2 * np.median(expected)))
    assert found.pairs == 3


def test_names_and_samples_without_gold_label():
    """Labels may be names; samples whose gold label is not known count for churn alone."""
    found = replacement([["a", "b", "c"]], ["a", "c", "b"], ["a", "b", "?"], known=[True, True, False])
    assert (found.churn.value, found.correctness.samples) == (pytest.approx(2 / 3), 2)
    assert found.correctness.negative_flips.value == 0.5
    assert replacement(["a"], ["b"], ["a"], known=[False]).correctness is None


@pytest.mark.parametrize(
    ("old", "new", "targets", "says"),
    [
        ([[0, 1]], [[0, 1, 1]], None, "each run of old is .* but each run of new is"),
        ([[], []], [[]], None, "old and new hold no samples"),
        ([0, 1], [0, 1], [0], "each run of old is .* but targets is"),
        ([[[0]]], [0], None, r"old must be \[run, sample\] or \[sample\]"),
    ],
)
def test_what_cannot_be_set_side_by_side_is_named(old, new, targets, says):
    """Shapes that do not fit are named."""
    with pytest.raises(InputError, match=says):
        replacement(np.array(old, int), np.array(new, int), targets)


GOLD = np.ones(400, int)


def changed(share, *, samples=400, runs=1, seed=0):
    """Answers of runs that are right but for a share of samples of their own."""
    generator = np.random.default_rng(seed)
    return (generator.random((runs, samples)) >= share).astype(int)


@pytest.mark.parametrize(
    ("old", "new", "limits", "outcome", "passed"),
    [
        (changed(0.05, runs=5), changed(0.05, seed=1), Limits(), "same as reseeding", True),
        (changed(0.05), changed(0.05), Limits(max_churn=0), "same as reseeding", True),
        (changed(0.05), changed(0.3, seed=1), Limits(), "worse", False),
        (changed(0.05), changed(0.05, seed=1), Limits(), "unreliable baseline", True),
        (changed(0.05, runs=2), changed(0.05, seed=1), Limits(0.2, None, True), "unreliable baseline", False),
        (changed(0.05, samples=20), changed(0.05, samples=20), Limits(), "not enough data", False),
        (changed(0.05, samples=100), changed(0.05, samples=100), Limits(max_churn=0.02), "not enough data", False),
        (changed(0.05), changed(0.05, seed=1), Limits(max_negative_flips=0.01), "unreliable baseline", False),
        (changed(0.05, runs=5), changed(0.05, seed=1), Limits(0.02, 0.02, True), "same as reseeding", True),
        (changed(0.05, runs=5), changed(0.05, seed=1), Limits(0.02, 0.02), "same as reseeding", False),
    ],
)
def test_outcomes_and_what_passes(old, new, limits, outcome, passed):
    """The first outcome that holds is told; limits are on what is measured, or on what is beyond reseeding."""
    found = verdict(replacement(old, new, GOLD[: old.shape[1]]), limits)
    assert (found.outcome, found.passed) == (outcome, passed)


def test_as_many_wins_as_losses_are_a_change():
    """A model that is right as often, on other samples, is changed, and passes where nothing limits that."""
    generator = np.random.default_rng(1)
    base, other = (
        generator.permutation(np.repeat([0, 1], [80, 320])),
        generator.permutation(np.repeat([0, 1], [80, 320])),
    )
    noise = generator.random((6, 400)) < 0.02
    found = replacement(base ^ noise[:5], (other ^ noise[5:]), GOLD)
    assert (verdict(found, Limits()).outcome, verdict(found, Limits()).passed) == ("changed", True)
    failed = verdict(found, Limits(max_churn=0.05, beyond_reseeding=True))
    assert [failure.test for failure in failed.failures] == ["max_churn"]
    assert "churn beyond reseeding: " in failed.failures[0].says


def test_a_run_that_stands_out_makes_the_baseline_unreliable():
    """Where one of OLD's runs differs from the others on half of the samples, reseeding is not known."""
    old = changed(0.02, runs=4)
    old[3, :200] = 0
    found = verdict(replacement(old, changed(0.02, seed=1), GOLD), Limits())
    assert found.outcome == "unreliable baseline"
    assert "runs differ too unevenly" in found.because


def test_doubts_of_the_caller_count():
    """Whatever else is known of the runs makes the baseline unreliable, and limits beyond it are not judged."""
    found = replacement(changed(0.05, runs=5), changed(0.05, seed=1), GOLD)
    judged = verdict(found, Limits(max_churn=0.5, beyond_reseeding=True), ["two runs of OLD are one."])
    assert (judged.outcome, judged.because, judged.passed) == ("unreliable baseline", "two runs of OLD are one.", False)


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"max_churn": 2.0}, "max_churn must be a share between 0 and 1, got 2.0; 2 % is 0.02"),
        ({"max_negative_flips": -0.1}, "max_negative_flips must be a share"),
        ({"beyond_reseeding": True}, "beyond_reseeding says what limits are on, but there is none"),
    ],
)
def test_limits_that_are_none_are_refused(limits, says):
    """A limit is a share, and what applies to limits needs one."""
    with pytest.raises(InputError, match=says):
        Limits(**limits)


def test_negative_flips_need_gold_labels():
    """A limit on negative flips without gold labels is refused."""
    found = replacement(changed(0.1), changed(0.1, seed=1))
    with pytest.raises(InputError, match="no gold label is known"):
        verdict(found, Limits(max_negative_flips=0.1))
