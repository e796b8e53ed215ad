"""Two models side by side, and all pairs of runs: identities that hold exactly, and sums written out."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.spatial.distance import jensenshannon
from scipy.special import softmax

from reseed._errors import InputError, InputTypeError
from reseed.instability import churn_matrix, estimate, win_loss
from reseed.robustness import (
    PairTally,
    accuracy_variance,
    all_pairs,
    churn_decomposition,
    confidence_variance,
    mean_over_pairs,
    output_stability,
    rectify_sacrifice,
)
from reseed.robustness.pairs._pairs import divergence, entropies


@pytest.fixture
def study():
    """Logits [run, sample, class] that lean to the true labels [sample]."""
    rng = np.random.default_rng(0)
    targets = rng.integers(0, 4, 70)
    return 1.5 * rng.standard_normal((6, 70, 4)) + 2 * np.eye(4)[targets], targets


labels_of = arrays.arrays(np.int64, st.tuples(st.integers(3, 5), st.integers(1, 12)), elements=st.integers(0, 3))


@settings(max_examples=30, deadline=None)
@given(labels_of, st.integers(0, 3))
def test_parts_add_up(labels, label):
    """CAV = CRR - CSR, churn = CRR + CSR + changes among wrong: for a pair, all pairs, each sample and on average."""
    targets = np.full(labels.shape[1], label)
    pair = rectify_sacrifice(labels[0], labels[1], targets)
    gain = accuracy_variance(labels[0], labels[1], targets)
    assert gain == pytest.approx(pair.rectified - pair.sacrificed, abs=1e-15)
    assert pair.churn == pytest.approx(pair.rectified + pair.sacrificed + pair.wrong_changes, abs=1e-15)
    found = all_pairs(labels, targets)
    samples = labels.shape[1]
    counts = {
        name: np.rint(getattr(found, name) * samples).astype(int)
        for name in ("accuracy_variance", "rectified", "sacrificed", "wrong_changes", "churn")
    }
    np.testing.assert_array_equal(counts["rectified"] - counts["sacrificed"], counts["accuracy_variance"])
    np.testing.assert_array_equal(counts["rectified"] + counts["sacrificed"] + counts["wrong_changes"], counts["churn"])
    np.testing.assert_allclose(found.churn * samples, counts["churn"], rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        found.sample_correctness_changes + found.sample_wrong_changes, found.sample_churn, rtol=0, atol=1e-15
    )
    mean = churn_decomposition(labels, targets)
    parts = mean.rectified.value + mean.sacrificed.value + mean.wrong_changes.value
    assert mean.churn.value == pytest.approx(parts, abs=1e-15)
    assert mean.churn.value == pytest.approx(found.sample_churn.mean(), abs=1e-14)


@settings(max_examples=30, deadline=None)
@given(labels_of, st.permutations(range(3)), st.permutations(range(4)))
def test_order_of_runs_and_names_of_classes_do_not_matter(labels, order, names):
    """Matrices are permuted with the runs; values of samples and means stay."""
    labels, targets = labels[:3], labels[-1]
    found, other = all_pairs(labels, targets), all_pairs(np.array(names)[labels[order]], np.array(names)[targets])
    for name in ("accuracy_variance", "rectified", "sacrificed", "wrong_changes", "churn", "both_right"):
        np.testing.assert_array_equal(getattr(other, name), getattr(found, name)[np.ix_(order, order)])
    for name in ("sample_correctness_changes", "sample_wrong_changes", "sample_churn"):
        np.testing.assert_array_equal(getattr(other, name), getattr(found, name))
    one, two = churn_decomposition(labels, targets), churn_decomposition(labels[order], targets)
    assert one.churn.value == two.churn.value
    assert one.churn.standard_error == pytest.approx(two.churn.standard_error, rel=1e-9, abs=1e-12)


def test_a_model_against_itself(study):
    """Everything is 0, exactly."""
    logits, targets = study
    one = logits[0]
    assert accuracy_variance(one, one, targets) == 0
    pair = rectify_sacrifice(one, one, targets)
    assert (pair.rectified, pair.sacrificed, pair.wrong_changes, pair.churn) == (0, 0, 0, 0)
    assert confidence_variance(one, one, targets, from_logits=True) == 0
    assert output_stability(one, one, targets, from_logits=True) == 0


def test_divergences_of_known_distributions():
    """(.9, .1) and (.1, .9): .36806 nats; what has no class in common: ln 2; scipy's square."""
    p, q = np.array([[0.9, 1.0], [0.1, 0.0]]), np.array([[0.1, 0.0], [0.9, 1.0]])
    found = divergence(p, q, entropies(p), entropies(q))
    np.testing.assert_allclose(found, [0.36806, math.log(2)], rtol=0, atol=5e-6)
    assert found[1] == pytest.approx(math.log(2), rel=1e-14)
    np.testing.assert_array_equal(divergence(q, p, entropies(q), entropies(p)), found)
    both = [[0.6, 0.3, 0.1], [0.5, 0.0, 0.5]]
    one = output_stability([both[0]], [both[1]], [0], from_logits=False)
    assert one == pytest.approx(jensenshannon(*both) ** 2, rel=1e-12)
    bits = output_stability([both[0]], [both[1]], [0], from_logits=False, base=2)
    assert bits == pytest.approx(one / math.log(2), rel=1e-12)


@pytest.mark.parametrize("from_logits", [True, False])
def test_pairs_are_written_out(study, from_logits):
    """CCV and COS over the samples that both get right, with scipy; symmetric; the same in one pair and in all."""
    logits, targets = study
    shares = softmax(logits, axis=-1)
    outputs = logits if from_logits else shares
    right = logits.argmax(-1) == targets
    found = all_pairs(outputs, targets, from_logits=from_logits)
    labels = logits.argmax(-1)
    samples = len(targets)
    for a in range(6):
        for b in range(6):
            both = right[a] & right[b]
            own = shares[:, np.arange(samples), targets]
            confidence = np.abs(own[a] - own[b])
            apart = np.nan_to_num(jensenshannon(shares[a], shares[b], axis=1) ** 2)
            assert found.confidence_variance[a, b] == pytest.approx(confidence[both].mean(), rel=1e-11, abs=1e-15)
            assert found.output_stability[a, b] == pytest.approx(apart[both].mean(), rel=1e-9, abs=1e-15)
            assert found.both_right[a, b] == both.sum()
            assert found.accuracy_variance[a, b] == pytest.approx(right[b].mean() - right[a].mean(), abs=1e-15)
            assert found.wrong_changes[a, b] == pytest.approx(
                np.mean(~right[a] & ~right[b] & (labels[a] != labels[b])), abs=1e-15
            )
            if a != b:
                each = confidence_variance(outputs[a], outputs[b], targets, from_logits=from_logits, reduction="none")
                np.testing.assert_allclose(each, np.where(both, confidence, np.nan), rtol=1e-11)
                one = output_stability(outputs[a], outputs[b], targets, from_logits=from_logits)
                assert one == pytest.approx(found.output_stability[a, b], rel=1e-11)
                pair = rectify_sacrifice(outputs[a], outputs[b], targets)
                assert pair.rectified == pytest.approx(found.rectified[a, b], abs=1e-15)
                assert pair.sacrificed == pytest.approx(found.sacrificed[a, b], abs=1e-15)
    np.testing.assert_array_equal(found.output_stability, found.output_stability.T)
    np.testing.assert_array_equal(found.accuracy, right.mean(axis=1))


def test_labels_agree_with_what_instability_says(study):
    """The churn matrix, and wins and losses of a pair."""
    logits, targets = study
    labels = logits.argmax(-1)
    found = all_pairs(labels, targets)
    np.testing.assert_allclose(found.churn, churn_matrix(labels), rtol=1e-14)
    other = win_loss(labels[1], labels[4], targets)
    assert found.rectified[1, 4] == pytest.approx(other.wins)
    assert found.sacrificed[1, 4] == pytest.approx(other.losses)
    assert found.wrong_changes[1, 4] == pytest.approx(other.both_wrong_but_different)
    assert found.confidence_variance is None
    assert found.sample_output_stability is None


def test_values_of_samples_are_means_over_pairs(study):
    """Shares of pairs, and means over the pairs that both get the sample right; NaN where there are none."""
    logits, targets = study
    found = all_pairs(torch.from_numpy(logits), torch.from_numpy(targets), from_logits=True)
    assert isinstance(found.sample_churn, torch.Tensor)
    labels, shares = logits.argmax(-1), softmax(logits, axis=-1)
    pairs = [(a, b) for a in range(6) for b in range(a + 1, 6)]
    for sample in range(len(targets)):
        right = labels[:, sample] == targets[sample]
        of_pairs = np.array([[right[a] != right[b], labels[a, sample] != labels[b, sample]] for a, b in pairs]).mean(0)
        assert found.sample_correctness_changes[sample] == pytest.approx(of_pairs[0])
        assert found.sample_churn[sample] == pytest.approx(of_pairs[1])
        both = [(a, b) for a, b in pairs if right[a] and right[b]]
        if not both:
            assert math.isnan(found.sample_confidence_variance[sample])
            continue
        apart = np.mean([jensenshannon(shares[a, sample], shares[b, sample]) ** 2 for a, b in both])
        assert found.sample_output_stability[sample] == pytest.approx(apart, rel=1e-9)
        own = shares[:, sample, targets[sample]]
        expected = np.mean([abs(own[a] - own[b]) for a, b in both])
        assert found.sample_confidence_variance[sample] == pytest.approx(expected, rel=1e-11)
    assert (found.sample_churn > 0).any()


def test_blocks_of_samples_give_the_same(study, monkeypatch):
    """However the samples come, in one call or in several; arrays that are read in parts are read in parts."""
    logits, targets = study
    whole = all_pairs(logits, targets, from_logits=True, base=2)
    tally = PairTally(from_logits=True, base=2)
    for start in (0, 1, 40):
        stop = {0: 1, 1: 40, 40: 70}[start]
        tally.add(logits[:, start:stop], targets[start:stop])
    monkeypatch.setattr("reseed.robustness.pairs._all_pairs._BLOCK_BYTES", 2000)
    read = []

    class Parts:
        shape = logits.shape

        def __getitem__(self, key):
            read.append(key[1].stop - key[1].start)
            return logits[key]

    for other in (tally.result(), all_pairs(Parts(), targets, from_logits=True, base=2)):
        for name in whole.__dataclass_fields__:
            np.testing.assert_allclose(getattr(other, name), getattr(whole, name), rtol=1e-11, err_msg=name)
    assert max(read) < 70


@pytest.mark.parametrize("method", ["jackknife", "samples", "two-way"])
def test_intervals_are_those_of_the_churn(study, method):
    """The churn's interval is that of the mean jitter."""
    logits, targets = study
    labels = logits.argmax(-1)
    found = churn_decomposition(labels, targets, method)
    jitter = estimate(labels, "jitter", method)
    for name in ("value", "low", "high", "standard_error"):
        assert getattr(found.churn, name) == pytest.approx(getattr(jitter, name), rel=1e-10)
    assert (found.churn.method, found.churn.runs, found.churn.samples) == (method, 6, 70)
    assert found.rectified == found.sacrificed


def test_intervals_of_the_parts_are_written_out(study):
    """Runs are left out one at a time, samples are resampled, and what each sample's runs do alone is counted once."""
    logits, targets = study
    labels = logits.argmax(-1)
    whole = all_pairs(labels, targets)
    rest = [all_pairs(np.delete(labels, run, axis=0), targets) for run in range(6)]
    for part, column, share in (
        ("rectified", "sample_correctness_changes", 0.5),
        ("wrong_changes", "sample_wrong_changes", 1.0),
        ("churn", "sample_churn", 1.0),
    ):
        values = share * getattr(whole, column)
        without = share * np.array([getattr(each, column) for each in rest])  # [run, sample]
        means = without.mean(axis=1)
        over_runs = 5 / 6 * ((means - means.mean()) ** 2).sum()
        over_samples = ((values - values.mean()) ** 2).sum() / 70**2
        own = 5 / 6 * ((without - without.mean(axis=0)) ** 2).sum() / 70**2
        both = max(over_runs + over_samples - own, over_runs, over_samples)
        for method, variance in (("jackknife", over_runs), ("samples", over_samples), ("two-way", both)):
            found = getattr(churn_decomposition(labels, targets, method), part)
            assert found.value == pytest.approx(values.mean(), rel=1e-12)
            assert found.standard_error == pytest.approx(math.sqrt(variance), rel=1e-10)
            assert 0 <= found.low < found.value < found.high


def test_mean_over_pairs_leaves_runs_out(study):
    """The same as the decomposition, from its matrix; the diagonal is not looked at."""
    logits, targets = study
    found = all_pairs(logits, targets, from_logits=True)
    churn = mean_over_pairs(found.churn + np.diag([np.nan] * 6), samples=70)
    expected = churn_decomposition(logits, targets).churn
    assert churn.value == pytest.approx(expected.value, rel=1e-12)
    assert churn.standard_error == pytest.approx(expected.standard_error, rel=1e-10)
    apart = mean_over_pairs(found.output_stability, samples=70)
    assert apart.low < apart.value < apart.high
    with pytest.warns(RuntimeWarning, match="pairs without a value; their mean is NaN"):
        assert math.isnan(mean_over_pairs(np.full((3, 3), np.nan), samples=1).value)
    with pytest.raises(InputError, match=r"matrix is float64\[2, 3\]; pass a value for each pair, \[run, run\]"):
        mean_over_pairs(np.zeros((2, 3)), samples=1)
    with pytest.raises(InputError, match="matrix has 2 runs, fewer than the 3 needed: the jackknife leaves one out"):
        mean_over_pairs(np.zeros((2, 2)), samples=1)


def test_what_no_pair_gets_right_is_undefined():
    """NaN with a warning on the caller's line, in one pair and in all; without samples everything is."""
    outputs, targets = np.array([[[0.9, 0.1]], [[0.2, 0.8]]]), [0]
    for found in (confidence_variance, output_stability):
        with pytest.warns(RuntimeWarning, match="no sample counts for the") as told:
            assert math.isnan(found(outputs[0], outputs[1], targets, from_logits=False))
        assert told[0].filename == __file__
    with pytest.warns(RuntimeWarning, match="2 of 3 pairs of runs get no sample right together") as told:
        pairs = all_pairs(outputs, targets, from_logits=False)
    assert told[0].filename == __file__
    np.testing.assert_array_equal(pairs.output_stability, [[0, np.nan], [np.nan, np.nan]])
    with pytest.warns(RuntimeWarning, match="there are no samples; all is NaN"):
        none = all_pairs(np.zeros((2, 0), int), np.zeros(0, int))
    assert np.isnan(none.churn).all()
    with pytest.warns(RuntimeWarning, match="answers holds no samples"):
        assert math.isnan(churn_decomposition(np.zeros((3, 0), int), np.zeros(0, int)).churn.value)


def test_reductions_of_a_pair():
    """A value for each sample, with its sign."""
    first, second, targets = ["a", "b", "c", "a"], ["b", "b", "b", "a"], ["b", "c", "c", "b"]
    np.testing.assert_array_equal(accuracy_variance(first, second, targets, reduction="none"), [1, 0, -1, 0])
    each = rectify_sacrifice(first, second, targets, reduction="none")
    np.testing.assert_array_equal(each.rectified, [1, 0, 0, 0])
    np.testing.assert_array_equal(each.sacrificed, [0, 0, 1, 0])
    np.testing.assert_array_equal(each.churn, [1, 0, 1, 0])


def test_pairs_check_what_they_are_given(study):
    """Shapes, numbers of classes and runs, and that it was said what outputs are."""
    logits, targets = study
    with pytest.raises(InputError, match=r"first is float64\[70, 4\] but second is float64\[70, 3\]"):
        confidence_variance(logits[0], logits[1][:, :3], targets, from_logits=True)
    with pytest.raises(InputError, match=r"first holds .* a negative probability; pass softmax"):
        output_stability(logits[0], logits[1], targets, from_logits=False)
    with pytest.raises(InputError, match="base=1 must be above 1; pass 2 for bits"):
        output_stability(logits[0], logits[1], targets, from_logits=True, base=1)
    with pytest.raises(InputTypeError, match="from_logits='logits' does not say"):
        output_stability(logits[0], logits[1], targets, from_logits="logits")
    with pytest.raises(InputError, match=r"first is int64\[2\] but second is int64\[3\]"):
        accuracy_variance([0, 1], [0, 1, 2], [0, 1])
    with pytest.raises(InputError, match="pass integers in both or strings in both"):
        accuracy_variance([0, 1], ["a", "b"], [0, 1])
    with pytest.raises(InputError, match=r"pass labels \[run, sample\]; of outputs say from_logits"):
        all_pairs(logits, targets)
    with pytest.raises(InputError, match="of fewer than 2 runs; pass two models or more"):
        all_pairs(logits[:1], targets, from_logits=True)
    with pytest.raises(InputError, match=r"answers is of shape \[6, 70, 4\] but targets is int64\[69\]"):
        all_pairs(logits, targets[1:], from_logits=True)
    with pytest.raises(InputError, match="answers has 2 runs, fewer than the 3 needed: the jackknife leaves one out"):
        churn_decomposition(logits[:2], targets)
    assert churn_decomposition(logits[:2], targets, "samples").churn.runs == 2
    with pytest.raises(InputError, match="method='bootstrap' is unknown"):
        churn_decomposition(logits, targets, "bootstrap")
    tally = PairTally(from_logits=True)
    with pytest.raises(InputError, match="no answers were added; call `add` first"):
        tally.result()
    tally.add(logits, targets)
    with pytest.raises(InputError, match="but earlier ones are of 4 classes"):
        tally.add(logits[..., :3], targets % 3)
    with pytest.raises(InputError, match="but earlier ones are of 6 runs"):
        tally.add(logits[:5], targets)
