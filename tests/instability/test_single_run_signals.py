"""Signals of one run, against loops over samples."""

import itertools

import numpy as np
import pytest
import scipy.stats
import torch

from reseed import InputError
from reseed.instability import single_run_signals

CHECKPOINTS, SAMPLES = 8, 60


@pytest.fixture
def recorded():
    """Labels and scores of eight checkpoints over four classes."""
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.full(4, 0.3), (CHECKPOINTS, SAMPLES))
    ordered = np.sort(probabilities, -1)
    return probabilities.argmax(-1), {
        "margin": ordered[..., -1] - ordered[..., -2],
        "confidence": ordered[..., -1],
        "entropy": scipy.stats.entropy(probabilities, axis=-1),
        "own_probability": probabilities[..., 0],
    }


def test_signals_equal_plain_loops(recorded):
    """Each signal of the last four of eight checkpoints equals its formula, sample by sample."""
    labels, scores = recorded
    found = single_run_signals(labels, **scores)
    means = []
    for i in range(SAMPLES):
        late = labels[4:, i].tolist()
        signed = [m if y == late[-1] else -m for y, m in zip(late, scores["margin"][4:, i], strict=True)]
        second = scores["confidence"][4:, i] - scores["margin"][4:, i]
        odds = [
            np.log(c / s) * (1 if y == late[-1] else -1)
            for y, c, s in zip(late, scores["confidence"][4:, i], second, strict=True)
        ]
        means.append(np.mean(signed))
        expected = {
            "late_label_entropy": scipy.stats.entropy(np.unique(late, return_counts=True)[1]),
            "late_label_flips": sum(a != b for a, b in itertools.pairwise(late)) / 3,
            "late_disagreement": sum(y != late[-1] for y in late) / 4,
            "final_margin": scores["margin"][-1, i],
            "mean_margin": np.mean(signed),
            "least_margin": min(signed),
            "margin_slope": scipy.stats.linregress([0, 1 / 3, 2 / 3, 1], signed).slope,
            "margin_std": np.std(signed),
            "final_entropy": scores["entropy"][-1, i],
            "mean_entropy": np.mean(scores["entropy"][4:, i]),
            "final_own_probability": scores["own_probability"][-1, i],
            "mean_own_probability": np.mean(scores["own_probability"][4:, i]),
        }
        for name, value in expected.items():
            assert found[name][i] == pytest.approx(value, abs=1e-12), name
        if second.min() > 1e-6:
            assert found["mean_log_odds"][i] == pytest.approx(np.mean(odds), abs=1e-9)
    below = [(sum(m < mine for m in means) + 0.5) / SAMPLES for mine in means]
    np.testing.assert_allclose(found["margin_rank"], below, atol=1e-12)


def test_only_what_is_given_is_used(recorded):
    """Labels alone give three signals; each further array adds those that need it."""
    labels, scores = recorded
    assert set(single_run_signals(labels)) == {"late_label_entropy", "late_label_flips", "late_disagreement"}
    assert "mean_log_odds" not in single_run_signals(labels, margin=scores["margin"])
    assert "final_entropy" in single_run_signals(labels, entropy=scores["entropy"])


def test_burn_in_leaves_the_late_checkpoints(recorded):
    """A share of the checkpoints is left out, and the last one always stays."""
    labels, scores = recorded
    late = single_run_signals(labels[6:], margin=scores["margin"][6:], burn_in=0)
    for name, values in single_run_signals(labels, margin=scores["margin"], burn_in=0.75).items():
        np.testing.assert_array_equal(values, late[name])
    last = single_run_signals(labels, margin=scores["margin"], burn_in=1)
    assert not last["late_label_flips"].any()
    assert not last["margin_slope"].any()
    np.testing.assert_array_equal(last["mean_margin"], scores["margin"][-1])


def test_tensors_strings_and_lists(recorded):
    """Tensors give tensors; strings and lists give what integers give."""
    labels, scores = recorded
    expected = single_run_signals(labels, margin=scores["margin"])
    tensors = single_run_signals(torch.tensor(labels), margin=torch.tensor(scores["margin"]))
    strings = single_run_signals(np.array(list("dcba"))[labels].tolist(), margin=scores["margin"].tolist())
    for name, values in expected.items():
        assert isinstance(tensors[name], torch.Tensor)
        np.testing.assert_array_equal(tensors[name].numpy(), values)
        np.testing.assert_array_equal(strings[name], values)


def test_an_unknown_gold_label_is_nan_with_a_warning(recorded):
    """A sample without a gold label has no signal of it."""
    labels, scores = recorded
    scores["own_probability"][:, 3] = np.nan
    with pytest.warns(RuntimeWarning, match="own_probability is NaN for some samples"):
        found = single_run_signals(labels, **scores)
    assert np.flatnonzero(np.isnan(found["mean_own_probability"])).tolist() == [3]


def test_bad_input_is_told(recorded):
    """Wrong axes, shapes and burn-ins name the argument and say what to do."""
    labels, scores = recorded
    with pytest.raises(InputError, match=r"labels must be \[checkpoint, sample\].*got int64\[8\].*`labels\[run\]`"):
        single_run_signals(labels[:, 0])
    with pytest.raises(InputError, match=r"margin is float64\[2, 60\] but labels are int64\[8, 60\]; pass one value"):
        single_run_signals(labels, margin=scores["margin"][:2])
    with pytest.raises(InputError, match=r"burn_in must be a share of the checkpoints in 0 \.\. 1, got 3"):
        single_run_signals(labels, burn_in=3)
    scores["margin"][0, 0] = np.nan
    with pytest.raises(InputError, match=r"margin holds NaN at position \(0, 0\)"):
        single_run_signals(labels, margin=scores["margin"])


def test_flip_rate_is_the_isotonic_fit(recorded):
    """The rate equals the min-max formula of the decreasing least-squares fit, and its logarithm follows."""
    labels, scores = recorded
    found = single_run_signals(labels, margin=scores["margin"], confidence=scores["confidence"])
    order = np.argsort(found["mean_log_odds"])
    flips = (found["late_disagreement"] > 0)[order].astype(float)
    for i, sample in enumerate(order):
        rate = min(max(flips[a : b + 1].mean() for b in range(i, SAMPLES)) for a in range(i + 1))
        assert found["late_flip_rate"][sample] == pytest.approx(rate, abs=1e-9)
    np.testing.assert_allclose(found["log_late_flip_rate"], np.log(found["late_flip_rate"] + 0.003))


def test_log_odds_stop_where_single_precision_ends():
    """A second probability of less than 1e-7 counts as that, and so no log-odds exceed ln 1e7."""
    confidence = np.array([[1.0, 1 - 1e-9, 1 - 1e-6, 0.6]])
    margin = 2 * confidence - 1
    found = single_run_signals([[0, 0, 0, 0]], margin=margin, confidence=confidence)["mean_log_odds"]
    np.testing.assert_allclose(found, [np.log(1e7), np.log(1e7), np.log(1e6), np.log(1.5)], rtol=1e-6)
