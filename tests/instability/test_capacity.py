"""Rashomon capacity."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import rel_entr

from reseed._errors import InputError
from reseed.instability import rashomon_capacity
from reseed.instability.multiplicity import _capacity


def binary_entropy(p):
    """The entropy of a coin in bits."""
    return -p * np.log2(p) - (1 - p) * np.log2(1 - p)


def channel(random, runs, samples, classes, kind):
    """Draws probabilities that are spread out, certain, or hold zeros."""
    if kind == "spread":
        return random.dirichlet(np.ones(classes), (runs, samples))
    scores = random.normal(size=(runs, samples, classes)) * (30 if kind == "certain" else 2)
    weights = np.exp(scores - scores.max(axis=2, keepdims=True))
    if kind == "zeros":
        weights[weights < 0.3] = 0
    return weights / weights.sum(axis=2, keepdims=True)


@pytest.mark.parametrize(
    ("runs", "bits"),
    [
        ([(0.3, 0.7)] * 3, 0.0),
        ([(1, 0), (0, 1)], 1.0),
        ([(1, 0, 0)] * 5 + [(0, 1, 0)] + [(0, 0, 1)] * 2, np.log2(3)),
        ([(0.9, 0.1), (0.1, 0.9)], 0.531004),
        ([(0.9, 0.1), (0.1, 0.9), (0.5, 0.5), (0.3, 0.7)], 1 - binary_entropy(0.1)),
        ([(1, 0), (0.1, 0.9)], np.log2(1 + 0.9 * 0.1 ** (0.1 / 0.9))),
        ([(1, 0), (0.1, 0.9)] * 6, 0.762848),
        ([(0.7, 0.3, 0, 0), (0, 0.7, 0.3, 0), (0, 0, 0.7, 0.3), (0.3, 0, 0, 0.7)], 2 - binary_entropy(0.3)),
    ],
)
def test_closed_forms(runs, bits):
    """Equal models, certain ones, symmetric channels, the Z-channel, repeats, and models between others."""
    probabilities = np.array(runs, dtype=float)[:, None]
    assert rashomon_capacity(probabilities)[0] == pytest.approx(bits, abs=1e-6)
    assert rashomon_capacity(probabilities, unit="nats")[0] == pytest.approx(bits * np.log(2), abs=1e-6)


@pytest.mark.parametrize("kind", ["spread", "certain", "zeros"])
@pytest.mark.parametrize(("runs", "classes"), [(2, 2), (4, 9), (12, 3)])
def test_no_weights_beat_it_and_its_bound_is_met(kind, runs, classes):
    """A general optimiser of the centre q finds no lower largest divergence than the capacity."""
    probabilities = channel(np.random.default_rng(1), runs, 6, classes, kind)
    found = rashomon_capacity(probabilities, unit="nats")
    for i, value in enumerate(found):
        p = probabilities[:, i]

        def excess(x, p=p):
            return x[-1] - rel_entr(p, np.exp(x[:-1]) / np.exp(x[:-1]).sum()).sum(axis=1)

        start = np.append(np.log(p.mean(axis=0) + 1e-9), 5.0)
        constraints = {"type": "ineq", "fun": excess}
        best = minimize(lambda x: x[-1], start, constraints=constraints, method="SLSQP", options={"maxiter": 500})
        bound = best.x[-1] - excess(best.x).min()  # the largest divergence from any q is at least the capacity
        assert value <= bound + 1e-9
        assert value == pytest.approx(bound, abs=2e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.integers(2, 8), st.integers(2, 6), st.sampled_from(["spread", "certain", "zeros"]))
def test_range_permutations_and_mixtures(seed, runs, classes, kind):
    """It is at most log2 min(R, K), ignores the order of runs and classes, and runs between others."""
    random = np.random.default_rng(seed)
    probabilities = channel(random, runs, 5, classes, kind)
    found = rashomon_capacity(probabilities)
    assert (found >= 0).all()
    assert (found <= np.log2(min(runs, classes)) + 1e-9).all()
    shuffled = probabilities[random.permutation(runs)][..., random.permutation(classes)]
    np.testing.assert_allclose(rashomon_capacity(shuffled), found, atol=3e-9)
    between = np.tensordot(random.dirichlet(np.ones(runs), 2), probabilities, axes=1)
    np.testing.assert_allclose(rashomon_capacity(np.concatenate([probabilities, between])), found, atol=3e-9)
    assert (rashomon_capacity(probabilities[:2]) <= found + 2e-9).all()


@pytest.mark.parametrize("kind", ["spread", "certain", "zeros"])
def test_the_textbook_iteration_agrees(kind, monkeypatch):
    """Blahut and Arimoto's steps, which take over when Newton's are used up, reach the same values."""
    probabilities = channel(np.random.default_rng(2), 7, 40, 4, kind)
    expected = rashomon_capacity(probabilities)
    for newton_steps in (0, 3):
        monkeypatch.setattr(_capacity, "_NEWTON_STEPS", newton_steps)
        found = rashomon_capacity(probabilities, tolerance=1e-5, max_iterations=100_000)
        np.testing.assert_allclose(found, expected, atol=1.1e-5)


def test_results_do_not_depend_on_blocks(monkeypatch):
    """Many small blocks give what one gives; tensors give tensors; single precision is enough input."""
    probabilities = channel(np.random.default_rng(3), 5, 60, 4, "spread")
    whole = rashomon_capacity(probabilities)
    monkeypatch.setattr(_capacity, "_BLOCK", 100)
    found = rashomon_capacity(torch.tensor(probabilities))
    assert found.dtype == torch.float64
    np.testing.assert_allclose(found, whole, atol=2e-9)
    np.testing.assert_allclose(rashomon_capacity(probabilities.astype(np.float32)), whole, atol=1e-5)


def test_only_survivors_count():
    """Runs that are not kept do not matter; one that is left has no capacity."""
    probabilities = channel(np.random.default_rng(4), 4, 10, 3, "spread")
    keep = np.array([True, False, True, True])
    np.testing.assert_array_equal(rashomon_capacity(probabilities, keep=keep), rashomon_capacity(probabilities[keep]))
    with pytest.warns(
        RuntimeWarning, match="keep leaves 1 runs, fewer than the 2 that can differ; the capacity is NaN"
    ):
        assert np.isnan(rashomon_capacity(probabilities, keep=keep & (np.arange(4) == 0))).all()
    assert rashomon_capacity(probabilities[:, :0]).shape == (0,)


def test_what_did_not_converge_is_said():
    """The warning counts the samples that were given up and bounds their error."""
    probabilities = channel(np.random.default_rng(5), 8, 20, 4, "spread")
    probabilities[:, :5] = probabilities[:1, :5]
    text = (
        r"the capacity of 15 of 20 samples did not converge in 2 iterations; they are too small by at most 0\.\d+ bits"
    )
    with pytest.warns(RuntimeWarning, match=text) as caught:
        found = rashomon_capacity(probabilities, max_iterations=2)
    gap = float(str(caught[0].message).split("at most ")[1].split()[0])
    missing = rashomon_capacity(probabilities) - found
    assert missing.max() <= gap
    assert (missing > -1e-9).all()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"unit": "bans"}, "unit='bans' is unknown; pass 'bits' or 'nats'"),
        ({"tolerance": 0}, "tolerance=0 must be greater than 0; pass the largest gap to accept"),
        ({"max_iterations": 0}, "max_iterations=0 must be a whole number of at least 1"),
        (
            {"keep": [True]},
            r"keep must be a boolean mask over the 2 runs, got bool\[1\]; pass what rashomon_set returns",
        ),
    ],
)
def test_bad_arguments_are_named(options, text):
    """Messages name the argument, show the value and say what to pass."""
    with pytest.raises(InputError, match=text):
        rashomon_capacity([[[0.5, 0.5]], [[1, 0]]], **options)
