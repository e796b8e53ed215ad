"""NumPy archives."""

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch

import reseed
from reseed._errors import DataError
from reseed.data import DataConfig, load

X = np.arange(16.0).reshape(8, 2)
Y = np.array([0, 1] * 4)


@pytest.fixture
def save(tmp_path):
    """Saves arrays and gives the configuration that loads them."""

    def save(arrays, **options):
        np.savez(tmp_path / "data.npz", **arrays)
        return DataConfig(str(tmp_path / "data.npz"), **options)

    return save


def test_features_and_a_stratified_split(save):
    """Without evaluation arrays a share of the samples is kept; ids are row numbers."""
    splits = load(save({"x": X, "y": Y}))
    assert (len(splits.train), len(splits.evaluation)) == (6, 2)
    for part in (splits.train, splits.evaluation):
        assert part.inputs.tolist() == X[[int(name) for name in part.sample_ids]].tolist()


def test_evaluation_arrays_names_and_ids(save):
    """All optional arrays are used; -1 in the evaluation labels is "unknown"."""
    arrays = {"x": X, "y": Y, "x_eval": X[:2], "y_eval": np.array([1, -1]), "class_names": np.array(["no", "yes"])}
    splits = load(save({**arrays, "ids": np.array(list("abcdefgh")), "ids_eval": np.array(["p", "q"])}))
    assert splits.train.class_names == ("no", "yes")
    assert splits.evaluation.labels.tolist() == [1, -1]
    assert splits.train.sample_ids[:2] + splits.evaluation.sample_ids == ("a", "b", "p", "q")
    assert load(save(arrays)).evaluation.sample_ids == ("test-0", "test-1")


def test_words_as_labels_and_texts_as_inputs(save):
    """Arrays of text are texts."""
    texts = np.array([f"text {row}" for row in range(8)])
    train = load(save({"x": texts, "y": np.array(["no", "yes"] * 4)})).train
    assert train.class_names == ("no", "yes")
    assert train.inputs == tuple(texts[[int(name) for name in train.sample_ids]])


@pytest.mark.parametrize("shape", [(8, 4, 5), (8, 1, 4, 5), (8, 3, 4, 5), (8, 4, 5, 3), (8, 4, 5, 1)])
def test_images_of_bytes(save, shape):
    """Bytes become [0, 1], and the channel axis is put first."""
    images = np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)
    train = load(save({"x": images, "y": Y})).train
    expected = images[[int(name) for name in train.sample_ids]].astype(np.float32) / 255
    if len(shape) == 3:
        expected = expected[:, None]
    elif shape[-1] in (1, 3):
        expected = expected.transpose(0, 3, 1, 2)
    assert train.input_shape == expected.shape[1:]
    assert torch.equal(train.inputs, torch.from_numpy(expected))
    assert train.divisor == 255


def test_images_of_floats_stay(save):
    """Floats in [0, 1] are not scaled again."""
    images = np.random.default_rng(0).random((8, 1, 4, 4))
    train = load(save({"x": images, "y": Y})).train
    assert train.divisor is None
    assert np.allclose(train.inputs, images[[int(name) for name in train.sample_ids]])


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"x": X}, "data.npz has no array 'y'; it has x, and needs x and y"),
        ({"images": X, "y": Y}, "data.npz has no array 'x'; it has y"),
        ({"x": X, "y": Y[:3]}, "data.npz: y has shape (3,); x has (8, 2), so give one for each"),
        ({"x": X, "y": Y, "ids": Y[:3]}, "ids has shape (3,)"),
        ({"x": X, "y": Y, "x_eval": X}, "data.npz has only one of x_eval and y_eval"),
        ({"x": X, "y": Y / 2}, "y is of type float64; labels are integers or text"),
        ({"x": X.astype(complex), "y": Y}, "x is of type complex128; inputs are numbers or text"),
        ({"x": X[:, 0], "y": Y}, "x of type float64 has shape (8,); give features"),
        ({"x": X * np.nan, "y": Y}, "inputs are NaN or infinite in sample"),
        ({"x": X, "y": Y * 0}, "data.npz: only one class, '0'"),
        ({"x": X, "y": Y, "class_names": np.array(["a", "b"]), "x_eval": X, "y_eval": Y + 1}, "y_eval holds 2 at"),
        ({"x": X, "y": Y - 1, "class_names": np.array(["a", "b"])}, "y holds -1 at position 0, which is not among"),
        ({"x": X.reshape(8, 1, 2, 1), "y": Y}, "images must lie in [0, 1]; found values from 2 to 13"),
        ({"x": np.array([{}] * 8), "y": Y}, "data.npz holds Python objects, which reseed never loads"),
        ({"x": np.float64(3), "y": np.int64(1)}, "data.npz: x holds a single value; give one row for each sample"),
        (
            {"x": X, "y": Y, "class_names": np.array([["a", "b"]])},
            "class_names has shape (1, 2); give one name for each",
        ),
        (
            {"x": X, "y": np.frombuffer(b"\xff" * 32, "<U1")},
            "data.npz cannot be read as npz: invalid maximum character",
        ),
        ({"x": X, "y": Y, "ids": np.zeros(8, int), "x_eval": X, "y_eval": Y}, "sample ids must be unique"),
    ],
)
def test_refuses_arrays_that_do_not_fit(save, arrays, message):
    """Each mistake names the file and the array."""
    with pytest.raises(DataError, match=re.escape(message)):
        load(save(arrays))


def archive(path, version=1, **arrays):
    """Writes arrays as they are given, each as its header and its bytes."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, (header, content) in arrays.items():
            text = f"{header}\n".encode()
            start = b"\x93NUMPY" + bytes([version, 0]) + len(text).to_bytes(2, "little")
            file.writestr(f"{name}.npy", start + text + content)


LABELS = ("{'descr': '<i8', 'fortran_order': False, 'shape': (8,)}", Y.astype("<i8").tobytes())


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "{'descr': '<f8', 'fortran_order': False, 'shape': (8000000000000, 2)}",
            "type float64 needs 128000000000000 b",
        ),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (-8, -2)}", "the array 'x.npy' of shape (-8, -2)"),
        ("{'descr': '<f8', 'fortran_order': False, 'shape': (4, 2)}", "needs 64 bytes, but has 128; save it again"),
        (
            "{'descr': '<f8', 'fortran_order': 5, 'shape': (8, 2)}",
            "cannot be read as npz: fortran_order is not a valid",
        ),
        ("{'descr': 'zz', 'fortran_order': False, 'shape': (8, 2)}", "cannot be read as npz: descr is not a valid"),
        (
            "{'descr': '<f8', 'shape': (8, 2)}",
            "data.npz cannot be read as npz: Header does not contain the correct keys",
        ),
        ("{'descr': '|O', 'fortran_order': False, 'shape': (8, 2)}", "holds Python objects, which reseed never loads"),
        ("garbage(", "data.npz cannot be read as npz: "),
        ("[" * 5_000, "data.npz cannot be read as npz: "),
    ],
)
def test_refuses_false_headers(tmp_path, header, message):
    """A header is believed only where it says how many bytes follow it."""
    archive(tmp_path / "data.npz", x=(header, X.tobytes()), y=LABELS)
    with pytest.raises(DataError, match=re.escape(message)):
        load(DataConfig(str(tmp_path / "data.npz")))
    archive(tmp_path / "data.npz", version=7, x=LABELS, y=LABELS)
    with pytest.raises(DataError, match=r"data\.npz: the array 'x\.npy' is in version \(7, 0\) of the format"):
        load(DataConfig(str(tmp_path / "data.npz")))


@pytest.mark.parametrize(
    ("place", "value", "message"),
    [
        (6, 1, "data.npz cannot be read as npz: File <ZipInfo filename='x.npy'"),
        (8, 99, "data.npz cannot be read as npz: That compression method is not supported"),
    ],
)
def test_refuses_what_cannot_be_unpacked(save, place, value, message):
    """Encrypted arrays and unknown ways of compression are named."""
    config = save({"x": X, "y": Y})
    content = bytearray(Path(config.name).read_bytes())
    for mark, further in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        for found in list(re.finditer(mark, content)):
            content[found.start() + place + further] = value
    Path(config.name).write_bytes(content)
    with pytest.raises(DataError, match=re.escape(message)):
        load(config)


def test_refuses_small_archives_that_unpack_to_much(tmp_path):
    """What an archive declares is held against the limit before it is unpacked, and what images become as well."""
    path = tmp_path / "data.npz"
    np.savez_compressed(path, x=np.zeros((20_000, 100), np.uint8), y=np.arange(20_000) % 2)
    with reseed.max_bytes(1 << 20), pytest.raises(DataError, match=r"^data\.npz takes 2.*MiB or more to read"):
        load(DataConfig(str(path)))
    with reseed.max_bytes(1 << 22), pytest.raises(DataError, match=r"^x of data\.npz takes .* MiB or more to read"):
        load(DataConfig(str(path)))


def test_labels_of_any_whole_kind_are_kept(save):
    """Labels beyond 64 bits with a sign are their own numbers."""
    labels = np.array([2**64 - 1, 2**63] * 4, np.uint64)
    assert load(save({"x": X, "y": labels})).train.class_names == (str(2**63), str(2**64 - 1))


def test_never_unpickles(tmp_path):
    """A pickle in the archive is refused without being run."""

    class Bomb:
        def __reduce__(self):
            return (open, (str(tmp_path / "exploded"), "w"))

    np.savez(tmp_path / "bomb.npz", x=np.array([Bomb()] * 4, dtype=object), y=np.array([0, 1, 0, 1]))
    with pytest.raises(DataError, match="holds Python objects, which reseed never loads"):
        load(DataConfig(str(tmp_path / "bomb.npz")))
    assert not (tmp_path / "exploded").exists()


@pytest.mark.parametrize("content", [b"garbage", b"PK\x03\x04 damaged", b"\x80\x04\x95pickle", b"\x93NUMPY"])
def test_refuses_files_that_are_no_archive(write, content):
    """A damaged archive, or a file of another kind under its name, is named."""
    with pytest.raises(DataError, match=r"data\.npz cannot be read as npz: "):
        load(DataConfig(write("data.npz", content)))


def test_refuses_one_bare_array(tmp_path):
    """An array saved without its labels is answered with how to save both."""
    with (tmp_path / "data.npz").open("wb") as file:
        np.save(file, X)
    with pytest.raises(DataError, match=r"holds one bare array; save x and y together with numpy\.savez"):
        load(DataConfig(str(tmp_path / "data.npz")))


def test_refuses_options_about_columns(save):
    """An archive has no columns to choose from."""
    with pytest.raises(DataError, match=r"label='y' names a column or file, but data\.npz holds arrays: x, y and"):
        load(save({"x": X, "y": Y}, label="y"))
