"""What goes in comes out: lists, numpy, torch and anything with `__array__`."""

import subprocess
import sys
from inspect import signature

import numpy as np
import pytest
import torch

import reseed.instability
from reseed._arrays import brief
from reseed.instability import (
    churn,
    churn_matrix,
    estimate,
    jitter,
    label_entropy,
    label_entropy_reduction,
    label_statistics,
    mode_label,
    mode_share,
    rarefaction,
    self_consistency,
    unstable_fraction,
    variation_ratio,
    win_loss,
)

LABELS = np.random.default_rng(0).integers(0, 4, (5, 30))
ARRAYS = (
    label_entropy,
    jitter,
    self_consistency,
    mode_label,
    mode_share,
    variation_ratio,
    churn_matrix,
    lambda labels: rarefaction(labels).unstable_fraction,
    lambda labels: label_statistics(labels).jitter,
)
NUMBERS = (
    unstable_fraction,
    lambda labels: churn(labels[0], labels[1]),
    lambda labels: win_loss(labels[0], labels[1], labels[2]).churn,
    lambda labels: estimate(labels).standard_error,
    lambda labels: label_entropy_reduction(labels, labels).value,
)


class Wrapped:
    """An array of some other library."""

    def __init__(self, array):
        self.array = array

    def __array__(self, dtype=None, copy=None):
        return self.array


@pytest.mark.parametrize("measure", ARRAYS)
def test_torch_in_torch_out_and_all_else_numpy(measure):
    """The values are the same for every kind of array, the kind follows the argument."""
    expected = measure(LABELS)
    assert isinstance(expected, np.ndarray)
    for other in (LABELS.tolist(), Wrapped(LABELS), np.asfortranarray(LABELS), LABELS.astype(np.int8)):
        found = measure(other)
        assert isinstance(found, np.ndarray)
        assert (found == expected).all()
    for dtype in (torch.int64, torch.uint8, torch.float32):
        found = measure(torch.tensor(LABELS, dtype=dtype))
        assert isinstance(found, torch.Tensor)
        assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("measure", NUMBERS)
def test_single_numbers_are_python_floats(measure):
    """A number over the data set is a float, whatever the labels are."""
    for labels in (LABELS, LABELS.tolist(), torch.tensor(LABELS)):
        assert type(measure(labels)) is float
        assert measure(labels) == measure(LABELS)


def test_results_are_double_precision():
    """Measures are float64 in numpy and torch."""
    assert label_entropy(LABELS).dtype == np.float64
    assert label_entropy(torch.tensor(LABELS)).dtype == torch.float64


def test_results_go_to_the_labels_device():
    """Where there is an accelerator, results stay on it."""
    if not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")
    found = label_entropy(torch.tensor(LABELS, device="cuda"))
    assert found.device.type == "cuda"
    assert found.tolist() == label_entropy(LABELS).tolist()


def test_arguments_are_never_written_to():
    """Read-only labels are fine, and results do not alias them."""
    labels = np.ones((3, 4), int)
    labels.flags.writeable = False
    for measure in ARRAYS:
        measure(labels)
    assert not np.shares_memory(mode_label(labels), labels)


def test_values_are_shown_short():
    """Arrays appear by type and shape, long texts cut off."""
    assert brief(LABELS) == "int64[5, 30]"
    assert brief(torch.zeros(2, 3)) == "float32[2, 3]"
    assert brief("x" * 100).endswith("...")


def test_public_names_are_listed_and_documented():
    """Every listed name exists and says what it does; every function of arrays shows an example."""
    for name in reseed.instability.__all__:
        found = getattr(reseed.instability, name)
        assert found.__doc__ or name.isupper(), name  # tables of names have a string below them
        if name[0].islower() and next(iter(signature(found).parameters)) not in ("study", "studies"):
            assert ">>>" in found.__doc__, name


def test_import_loads_nothing_optional():
    """Importing the measures loads no optional package; the same check would see one that is loaded."""
    for first, expected in (("", "[]"), ("sys.modules['datasets'] = sys; ", "['datasets']")):
        code = f"import sys; {first}import reseed.instability; " + (
            "print([name for name in ('datasets', 'transformers') if name in sys.modules])"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == expected
