"""Dataset cartography."""

import math
import statistics

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import cartography


@pytest.fixture
def trajectory():
    """Probabilities of the true label, predicted labels and targets: 3 runs, 7 checkpoints, 40 samples."""
    rng = np.random.default_rng(1)
    return rng.random((3, 7, 40)), rng.integers(0, 3, (3, 7, 40)), rng.integers(0, 3, 40)


@pytest.mark.parametrize(("burn_in", "burn_out"), [(0, None), (2, None), (0, 3), (1, 4)])
def test_equals_loops_over_samples(trajectory, burn_in, burn_out):
    """Mean, deviation, closeness and correctness of every run and sample are those of plain Python."""
    own, labels, targets = trajectory
    found = cartography(own, labels=labels, targets=targets, burn_in=burn_in, burn_out=burn_out)
    for run in range(3):
        for sample in range(40):
            path = own[run, burn_in:burn_out, sample].tolist()
            right = [label == targets[sample] for label in labels[run, burn_in:burn_out, sample]]
            mean = statistics.fmean(path)
            assert found.confidence[run, sample] == pytest.approx(mean, rel=1e-13)
            assert found.variability[run, sample] == pytest.approx(statistics.pstdev(path), rel=1e-12)
            assert found.closeness[run, sample] == pytest.approx(mean * (1 - mean), rel=1e-13)
            assert found.correctness[run, sample] == pytest.approx(sum(right) / len(right), rel=1e-14)


def test_one_run_needs_no_run_axis(trajectory):
    """[checkpoint, sample] gives [sample], the same as that run among others."""
    own, _, _ = trajectory
    alone, together = cartography(own[1]), cartography(own)
    assert np.array_equal(alone.variability, together.variability[1])
    assert alone.correctness is None


def test_small_sample_variability(trajectory):
    """The option is sqrt(v + v^2 / (T - 1)) with the variance v of ddof 0."""
    own = trajectory[0][0]
    found = cartography(own, small_sample=True).variability
    for sample in range(40):
        variance = statistics.pvariance(own[:, sample].tolist())
        assert found[sample] == pytest.approx(math.sqrt(variance + variance**2 / 6), rel=1e-12)


def test_one_checkpoint_has_no_small_sample_variability():
    """T - 1 = 0 gives NaN with a warning; the plain deviation is 0."""
    with pytest.warns(RuntimeWarning, match="one checkpoint has no small-sample variability"):
        assert np.isnan(cartography([[0.3]], small_sample=True).variability).all()
    assert cartography([[0.3]]).variability == 0


def test_closed_form():
    """Half the checkpoints at 0, half at 1: confidence 1/2, variability 1/2, closeness 1/4."""
    found = cartography(np.tile([[0.0], [1.0]], (4, 3)))
    assert (found.confidence == 0.5).all()
    assert (found.variability == 0.5).all()
    assert (found.closeness == 0.25).all()


def test_single_precision_is_summed_in_double():
    """Many equal float32 probabilities have no variability at all."""
    assert cartography(np.full((1000, 5), 0.1, np.float32)).variability.max() < 1e-12


def test_torch_gives_torch(trajectory):
    """A tensor gives tensors of the same numbers."""
    own, labels, targets = map(torch.from_numpy, trajectory)
    found = cartography(own, labels=labels, targets=targets)
    expected = cartography(trajectory[0], labels=trajectory[1], targets=trajectory[2])
    assert np.array_equal(found.variability.numpy(), expected.variability)
    assert np.array_equal(found.correctness.numpy(), expected.correctness)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"own_probability": [0.5]}, r"own_probability must be a trajectory, got float64\[1\]; pass \[checkpoint"),
        ({"own_probability": np.zeros((0, 3))}, r"own_probability has no checkpoints, got float64\[0, 3\]"),
        ({"own_probability": [[1.5]]}, r"own_probability holds 1.5 at position \(0, 0\), outside \[0, 1\]"),
        ({"own_probability": [[float("nan")]]}, r"own_probability holds NaN at position \(0, 0\)"),
        ({"own_probability": [[0.5]], "labels": [[1]]}, "labels and targets say together .*; pass both or neither"),
        (
            {"own_probability": [[0.5]], "labels": [[1], [1]], "targets": [1]},
            r"labels is bool\[2, 1\] but own_probability is float64\[1, 1\]",
        ),
        (
            {"own_probability": [[0.5]], "labels": [[1]], "targets": [1, 2]},
            r"targets is int64\[2\] but labels are int64\[1, 1\]; pass one true label for each sample",
        ),
        ({"own_probability": [[0.5]], "labels": [["a"]], "targets": [1]}, "pass integers in both or strings in both"),
        ({"own_probability": [[0.5]], "burn_in": 1}, "burn_in=1 and burn_out=None leave no valid part of 1 checkp"),
        ({"own_probability": [[0.5]], "burn_out": 2}, "burn_out=2 leave no valid part of 1 checkpoints; pass 0 <= "),
        ({"own_probability": [[0.5]], "burn_in": -1}, "burn_in must be a whole number of checkpoints, .* got -1"),
        ({"own_probability": [[0.5]], "burn_in": 0.5}, "burn_in must be a whole number of checkpoints, .* got 0.5"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    """Messages name the argument, show the value and say what to pass."""
    with pytest.raises(InputError, match=message):
        cartography(**arguments)
