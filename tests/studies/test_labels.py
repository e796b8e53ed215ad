"""Labels from outside: one reading of numbers for a whole study."""

import numpy as np
import pytest
import torch

from reseed import InputError
from reseed.studies import LabelReading, class_names_of
from reseed.studies._labels import label_array, one_each


@pytest.mark.parametrize(
    ("names", "labels", "numbers", "indices"),
    [
        (["1", "2", "3"], [[1, 2], [3, 1]], "names", [[0, 1], [2, 0]]),
        (["1", "2", "3"], [[1, 2], [0, 1]], "positions", [[1, 2], [0, 1]]),
        (["1", "2", "3"], [[1, 2], [2, 1]], "names", [[0, 1], [1, 0]]),
        (["cat", "dog"], [[0, 1], [1, 1]], "positions", [[0, 1], [1, 1]]),
        (["0", "1", "2"], [[0, 1], [2, 1]], "names", [[0, 1], [2, 1]]),
        (["5", "3"], [[3, 5], [5, 5]], "names", [[1, 0], [0, 0]]),
        (["no", "yes"], [[True, False], [True, True]], "positions", [[1, 0], [1, 1]]),
        (["False", "True"], [[True, False], [True, True]], "names", [[1, 0], [1, 1]]),
        (["-1", "1"], [[-1.0, 1.0], [1.0, 1.0]], "names", [[0, 1], [1, 1]]),
    ],
)
def test_numbers_are_read_in_one_way(names, labels, numbers, indices):
    """Numbers are names where all can be, else positions where all can be, in all labels that are known together."""
    reading = LabelReading.of(names, targets=labels[0], predictions=labels[1])
    assert reading.numbers == numbers
    assert [reading.indices(part, "labels").tolist() for part in labels] == indices


def test_what_is_known_decides_for_what_comes_later():
    """Labels that come later are read as the first ones were, even where they alone would allow the other reading."""
    by_position = LabelReading.of(["1", "2", "3"], targets=[0, 1, 2])
    assert by_position.indices([1, 2], "predictions").tolist() == [1, 2]
    by_name = LabelReading.of(["1", "2", "3"], targets=[1, 2, 3])
    assert by_name.indices([1, 2], "predictions").tolist() == [0, 1]
    with pytest.raises(InputError, match=r"predictions holds 0 at position \(1,\).*\(numbers are names of classes\)"):
        by_name.indices([1, 0], "predictions")


def test_a_mixture_is_refused():
    """A number that can only be a name beside one that can only be a position means two encodings."""
    with pytest.raises(InputError, match=r"targets and predictions hold 3, which can only be the name .* and 0, which"):
        LabelReading.of(["1", "2", "3"], targets=[1, 3], predictions=[0, 1])


def test_labels_outside_the_classes_are_named_with_their_place():
    """The message names the argument, the label, its place and the classes."""
    with pytest.raises(InputError, match=r"predictions holds 7 at position \(1,\).*\('a', 'b'\)"):
        LabelReading.of(["a", "b"], predictions=[0, 7])
    with pytest.raises(InputError, match=r"targets holds 'c' at position \(0, 1\)"):
        LabelReading.of(["a", "b"]).indices([["a", "c"]], "targets")


def test_without_numbers_the_names_tell():
    """Where no number is known yet, numbers will be names if all classes are called by numbers."""
    assert LabelReading.of(["1", "2"]).indices([1, 2], "predictions").tolist() == [0, 1]
    assert LabelReading.of(["a", "2"]).indices([1, 0], "predictions").tolist() == [1, 0]


@pytest.mark.parametrize(
    ("names", "labels", "told"),
    [
        (["1", "2"], [0, 1], "positions: 0 is '1'"),
        (["2", "1"], [1, 2], "names of classes"),
        (["cat", "dog"], [0, 1], "positions: 0 is 'cat'"),
        (["cat", "dog"], ["cat", "dog"], None),
        (["0", "1"], [0, 1], None),
    ],
)
def test_the_reading_is_stated(names, labels, told):
    """A note says how numbers were read, where they could have been meant otherwise."""
    notes = LabelReading.of(names, targets=labels).note()
    assert (told is None and not notes) or told in notes[0]


def test_names_that_come_from_the_labels_need_no_word():
    """Class names that are the labels themselves leave nothing to state."""
    assert LabelReading.of(["3", "5"], are_named=False, targets=[3, 5]).note() == ()


@pytest.mark.parametrize(
    "labels",
    [
        np.array([2**63, 2**63 + 1], np.uint64),
        np.array([2**63, 2**63 + 1], object),
        [2**63, 2**63 + 1],
        torch.tensor([2**63, 2**63 + 1], dtype=torch.uint64),
    ],
)
def test_integers_beyond_64_bits_keep_their_values(labels):
    """Large integers neither wrap nor fall together."""
    assert class_names_of(labels) == ("9223372036854775808", "9223372036854775809")
    assert LabelReading.of(class_names_of(labels), labels=labels).indices(labels, "labels").tolist() == [0, 1]


def test_large_floats_keep_their_values():
    """A whole float beyond 64 bits is the integer that it stands for."""
    assert label_array([1e19, -1.0], "labels").tolist() == [10**19, -1]


@pytest.mark.parametrize("column", [np.array([[0], [1]]), torch.tensor([[0], [1]]), [[0], [1]]])
def test_columns_are_labels(column):
    """A column [sample, 1] is one label for each sample."""
    assert list(one_each(column, "targets")) == [0, 1]


@pytest.mark.parametrize(
    ("wrong", "shape"), [(np.eye(3), r"\(3, 3\)"), ([[0, 1], [1, 0]], r"\(2, 2\)"), (np.array(3), r"\(\)")]
)
def test_several_labels_for_a_sample_are_refused(wrong, shape):
    """One-hot rows, several labels and single numbers are refused by shape, with what to pass."""
    with pytest.raises(InputError, match=rf"targets has shape {shape}, but one label for each sample.*argmax"):
        one_each(wrong, "targets")


def test_masked_labels_are_refused():
    """A mask is not dropped without a word."""
    with pytest.raises(InputError, match="predictions is masked at 1 places"):
        label_array(np.ma.array([0, 1], mask=[0, 1]), "predictions")
