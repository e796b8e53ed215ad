"""What a data set promises, and what it refuses."""

import dataclasses
import pickle
import re
import subprocess
import sys

import pytest
import torch

from reseed._errors import DataError
from reseed.data import Splits


def test_tells_what_it_holds(toy):
    """Length, classes, kind and shape of the inputs are derived from the parts."""
    features = toy()
    images = toy(inputs=torch.rand(3, 1, 4, 5))
    texts = toy(inputs=("x", "y", "z"))
    assert (len(features), features.num_classes) == (3, 2)
    assert [data.input_shape for data in (features, images, texts)] == [(2,), (1, 4, 5), None]
    assert [data.is_image for data in (features, images, texts)] == [False, True, False]
    assert [data.is_text for data in (features, images, texts)] == [False, False, True]


def test_is_frozen_and_compares_by_identity(toy):
    """A data set cannot be changed, and equality never compares tensors."""
    data = toy()
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.name = "other"
    assert data != toy()
    assert data == data
    assert hash(data)


def test_survives_pickling_to_a_worker(toy):
    """A worker process receives the same samples."""
    data = pickle.loads(pickle.dumps(toy()))  # noqa: S301
    assert data.digest == toy().digest
    assert data.inputs.equal(toy().inputs)


def test_digest_follows_ids_labels_and_classes_only(toy):
    """The digest changes with ids, labels or class names, and with nothing else."""
    digest = toy().digest
    assert re.fullmatch("[0-9a-f]{64}", digest)
    assert toy(inputs=torch.zeros(3, 2), name="other").digest == digest
    for change in (
        {"sample_ids": ("a", "b", "d")},
        {"labels": torch.tensor([1, 1, 0])},
        {"class_names": ("no", "maybe")},
        {"sample_ids": ("b", "a", "c")},
    ):
        assert toy(**change).digest != digest


def test_digest_cannot_be_confused_by_separators(toy):
    """Ids and class names that contain quotes, commas, NUL or lone surrogates do not run into each other."""
    ids = [("a,", "b", "c"), ("a", ",b", "c"), ('a","b', "x", "c"), ("a\0b", "x", "c"), ("\ud800", "x", "c")]
    assert len({toy(sample_ids=names).digest for names in ids}) == len(ids)


def test_digest_is_the_same_in_another_process(toy):
    """Hash randomisation does not reach the digest."""
    code = (
        "import torch; from reseed.data import Dataset; print(Dataset('t', 'train', ('x', 'y', 'z'), "
        "torch.tensor([0, 1, 1]), ('a', 'b', 'c'), ('no', 'yes')).digest)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == toy().digest


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"labels": torch.tensor([0, 1])}, "must be equally long; got inputs 3, labels 2, sample_ids 3"),
        (
            {"labels": torch.tensor([0, 7, 1])},
            "label 7 at position 1 (sample 'b') is outside the classes; labels are 0 to 1",
        ),
        ({"labels": torch.tensor([0, 1, -1])}, "label -1 at position 2 (sample 'c')"),
        ({"labels": torch.tensor([0, 1, -2]), "split": "test"}, "labels are 0 to 1, or -1 for unknown"),
        ({"labels": torch.tensor([0.0, 1, 1])}, "labels must be an int64 tensor [sample]; got torch.float32"),
        ({"labels": torch.tensor([[0], [1], [1]])}, "of shape (3, 1)"),
        (
            {"inputs": torch.tensor([[1.0], [float("nan")], [2.0]])},
            "inputs are NaN or infinite in sample 'b'",
        ),
        ({"inputs": torch.tensor([[1.0], [float("inf")], [2.0]])}, "inputs are NaN or infinite in sample 'b'"),
        ({"inputs": torch.zeros(3, 2, dtype=torch.float64)}, "inputs must be float32; got torch.float64"),
        ({"inputs": torch.zeros(3, 2, 2)}, "[sample, channel, height, width]; got shape (3, 2, 2)"),
        ({"inputs": torch.zeros(3, 0)}, "hold no values"),
        (
            {"inputs": torch.full((3, 1, 2, 2), 255.0)},
            "images must lie in [0, 1]; found values from 255 to 255",
        ),
        ({"inputs": ("x", " \n", "z")}, "texts must not be empty; empty in sample 'b'"),
        ({"sample_ids": ("a", "b", "a")}, "sample ids must be unique; given more than once: 'a'"),
        ({"class_names": ("no",)}, "class_names has 'no' only; classifying needs two"),
        ({"class_names": ()}, "class_names has no class only"),
        ({"class_names": ("no", "no")}, "class_names must be unique; given more than once: 'no'"),
        (
            {"inputs": (), "labels": torch.zeros(0, dtype=torch.int64), "sample_ids": ()},
            "it is empty; give at least one sample",
        ),
    ],
)
def test_refuses_parts_that_do_not_fit(toy, parts, message):
    """Each inconsistency is named together with the data set, the value and the sample."""
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        toy(**parts)
    assert str(caught.value).startswith("data set 'toy'")


def test_refuses_inputs_that_are_not_text(toy):
    """Numbers in a tuple are neither features nor texts."""
    with pytest.raises((DataError, TypeError), match=r"text at position 0 is int, not str: 1|inputs"):
        toy(inputs=(1, 2, 3))


def test_long_lists_are_shortened(toy):
    """A message names three of the ids at fault and counts the rest."""
    ids = tuple("aabbccddee")
    with pytest.raises(DataError, match="'a', 'b', 'c' and 2 more"):
        toy(inputs=tuple("x" * 10), labels=torch.zeros(10, dtype=torch.int64), sample_ids=ids)


def test_splits_hold_two_parts_that_fit(toy):
    """Evaluation may have unknown labels and fewer classes than training."""
    evaluation = toy(split="test", labels=torch.tensor([-1, 1, -1]))
    assert Splits(toy(), evaluation).evaluation is evaluation


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"class_names": ("no", "maybe")}, "class_names differ: train has 'no', 'yes', evaluation has 'no', 'maybe'"),
        ({"inputs": torch.zeros(3, 5)}, "inputs differ: train has (2,), evaluation has (5,)"),
        ({"inputs": ("x", "y", "z")}, "inputs differ: train has (2,), evaluation has texts"),
    ],
)
def test_splits_refuse_parts_that_differ(toy, parts, message):
    """Both parts have the same classes and the same kind of input."""
    with pytest.raises(DataError, match=re.escape(message)):
        Splits(toy(), toy(**parts))


def test_splits_refuse_classes_that_training_never_sees(toy):
    """A model cannot predict a class that it was never shown: the message names the class."""
    train = toy(labels=torch.tensor([0, 0, 0]))
    with pytest.raises(DataError, match="evaluation has classes that training never sees: 'yes'"):
        Splits(train, toy(split="test"))


def test_splits_refuse_unknown_training_labels(toy):
    """A training split under another name may not have unknown labels either."""
    train = toy(split="training", labels=torch.tensor([0, 1, -1]))
    with pytest.raises(DataError, match="a training label is -1"):
        Splits(train, toy(split="test"))
