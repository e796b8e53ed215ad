"""The table of everything that the course of a training says."""

import json
import math

import numpy as np
import pytest
import scipy.stats
import torch
import xarray as xr

from reseed._errors import InputError
from reseed.instability import (
    aum,
    cartography,
    first_learned,
    forgetting_events,
    label_entropy,
    label_flips,
    second_split_forgetting,
    training_dynamics,
)
from reseed.instability.dynamics import _training_dynamics


@pytest.fixture
def study():
    """Labels, targets, probabilities and margins of 4 runs, 6 checkpoints and 50 samples."""
    rng = np.random.default_rng(6)
    targets = rng.integers(0, 3, 50)
    labels = np.where(rng.random((4, 6, 50)) < 0.6, targets, rng.integers(0, 3, (4, 6, 50)))
    return labels, targets, rng.random((4, 6, 50)), rng.normal(size=(4, 6, 50))


def _expected(labels, targets, own, margin, burn_in):
    """Each column by the function of its name, averaged over runs; times by plain Python."""
    correct = labels == targets
    events = forgetting_events(correct)
    chart = cartography(own, labels=labels, targets=targets, burn_in=burn_in)

    def times(values):
        runs, samples = values.shape
        return [
            math.inf if np.isinf(values[:, i]).all() else sum(min(values[r, i], 6) for r in range(runs)) / runs
            for i in range(samples)
        ]

    return {
        "confidence": chart.confidence.mean(0),
        "variability": chart.variability.mean(0),
        "closeness": chart.closeness.mean(0),
        "correctness": chart.correctness.mean(0),
        "forgetting_events": events.count.mean(0),
        "never_learned": events.never_learned.mean(0),
        "unforgettable": (~events.never_learned & (events.count == 0)).mean(0),
        "label_flips": label_flips(labels).mean(0),
        "trajectory_label_entropy": label_entropy(labels[:, burn_in:], axis=1).mean(0),
        "trajectory_margin": aum(margin, burn_in=burn_in).mean(0),
        "first_learned": times(first_learned(correct)),
        "forgotten_for_good": times(second_split_forgetting(correct)),
    }


@pytest.mark.parametrize("burn_in", [0, 2])
@pytest.mark.parametrize("block", [7, 65_536])
def test_columns_are_the_functions_averaged_over_runs(study, monkeypatch, burn_in, block):
    """Streaming over runs and blocks of samples changes no column."""
    monkeypatch.setattr(_training_dynamics, "_BLOCK", block)
    labels, targets, own, margin = study
    found = training_dynamics(labels, targets, own_probability=own, margin=margin, burn_in=burn_in)
    expected = _expected(*study, burn_in)
    assert set(found.samples) == set(expected)
    for name, values in expected.items():
        assert found.samples[name] == pytest.approx(values, abs=1e-13), name
    for name in set(expected) - {"first_learned", "forgotten_for_good"}:
        assert found.summary[f"{name}_mean"] == pytest.approx(np.mean(expected[name]), abs=1e-13)
    rates = (labels[:, burn_in:] == targets).mean((1, 2))
    interval = scipy.stats.t.interval(0.95, len(rates) - 1, rates.mean(), scipy.stats.sem(rates))
    assert found.summary["correctness_ci95_runs"] == pytest.approx(interval, abs=1e-13)
    assert json.loads(json.dumps(found.summary, allow_nan=False)) == found.summary


def test_one_run_keeps_infinite_times(study):
    """[checkpoint, sample] is one run: times are those of the functions, and there is no interval over runs."""
    labels, targets, _, _ = study
    found = training_dynamics(labels[0], targets)
    assert np.array_equal(found.samples["first_learned"], first_learned(labels[0] == targets))
    assert np.isinf(found.samples["first_learned"]).any()
    assert found.summary["correctness_ci95_runs"] is None
    assert "confidence" not in found.samples
    assert "trajectory_margin" not in found.samples


@pytest.mark.parametrize("kind", [torch.from_numpy, np.ndarray.tolist, xr.DataArray])
def test_other_arrays_give_the_same(study, kind):
    """Tensors, lists and labelled arrays give the same numbers, tensors as tensors."""
    labels, targets, own, _ = study
    found = training_dynamics(kind(labels), targets, own_probability=kind(own)).samples["variability"]
    assert isinstance(found, torch.Tensor) == (kind is torch.from_numpy)
    assert np.array_equal(found, training_dynamics(labels, targets, own_probability=own).samples["variability"])


def test_names_in_place_of_numbers(study):
    """Strings as labels give the same numbers."""
    labels, targets, _, _ = study
    names = np.array(["a", "b", "c"])
    found = training_dynamics(names[labels], names[targets]).samples
    for name, values in training_dynamics(labels, targets).samples.items():
        assert np.array_equal(found[name], values), name


def test_unknown_targets_are_nan_where_they_are_needed(study):
    """Negative targets give NaN with a warning, but flips and entropy need none; the summary leaves them out."""
    labels, targets, own, _ = study
    unknown = np.where(np.arange(50) < 10, -1, targets)
    own = np.where(unknown < 0, np.nan, own)
    with pytest.warns(RuntimeWarning, match="the targets of 10 of 50 samples are unknown; columns that need them are"):
        found = training_dynamics(labels, unknown, own_probability=own)
    whole = training_dynamics(labels[:, :, 10:], targets[10:], own_probability=own[:, :, 10:])
    assert np.isnan(found.samples["confidence"][:10]).all()
    assert np.isnan(found.samples["first_learned"][:10]).all()
    assert np.array_equal(found.samples["label_flips"], label_flips(labels).mean(0))
    assert np.array_equal(found.samples["variability"][10:], whole.samples["variability"])
    assert found.summary["confidence_mean"] == whole.summary["confidence_mean"]
    assert found.summary["samples_with_value"] == 40


def test_no_known_target_leaves_the_summary_without_a_value(study):
    """Without any target the means that need one are None, not a number."""
    with pytest.warns(RuntimeWarning, match="the targets of 50 of 50 samples are unknown"):
        found = training_dynamics(study[0], np.full(50, -1))
    assert found.summary["correctness_mean"] is None
    assert found.summary["label_flips_mean"] > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [1]}, r"labels has the shape \[1\]; pass \[run, checkpoint, sample\] or"),
        ({"labels": np.zeros((0, 2, 1), int)}, r"labels has the shape \[0, 2, 1\], without runs or checkpoints"),
        ({"labels": [[0], [1]], "margin": [[0.5]]}, r"margin has the shape \[1, 1, 1\] but labels have \[1, 2, 1\]"),
        ({"labels": [[0]], "own_probability": [[2.0]]}, r"own_probability\[0, :, 0:\] holds 2 at position \(0, 0\)"),
        ({"labels": [[0]], "margin": [[float("nan")]]}, r"margin\[0, :, 0:\] holds NaN at position \(0, 0\)"),
        ({"labels": [[0]], "burn_in": 1}, "burn_in=1 leaves none of 1 checkpoints; pass a smaller number"),
        ({"labels": [["a"]]}, r"labels is <U1\[1\] but targets is int64\[1\]; pass integers in both or strings in"),
        ({"labels": [[0, 1]]}, r"targets is int64\[1\] but labels are of 2 samples; pass one true label for each"),
    ],
)
def test_bad_input_is_refused(arguments, message):
    """Messages name the argument, show the value and say what to pass."""
    with pytest.raises(InputError, match=message):
        training_dynamics(**{"targets": [0], **arguments})
