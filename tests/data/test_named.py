"""Known data sets: embedded, and from the folder that RESEED_DATA names."""

import gzip
import io
import json
import re

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image
from pyarrow import parquet
from sklearn.datasets import load_digits

from reseed._errors import DataError
from reseed.data import DATA_NAMES, DataConfig, load


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A small folder with the layout of the real one."""
    random = np.random.default_rng(0)
    for name in ("mnist", "cifar10", "clinc150", "massive"):
        (tmp_path / name).mkdir()
    images = {f"{split}_images": random.integers(0, 256, (20, 28, 28)).astype(np.uint8) for split in ("train", "test")}
    labels = {f"{split}_labels": np.arange(20) % 10 for split in ("train", "test")}
    np.savez(tmp_path / "mnist/mnist.npz", **images, **labels)
    for split in ("train", "test"):
        colours = random.integers(0, 256, (20, 3)).astype(np.uint8)
        files = []
        for colour in colours:
            file = io.BytesIO()
            Image.fromarray(np.broadcast_to(colour, (32, 32, 3)).copy()).save(file, "JPEG", quality=95)
            files.append(file.getvalue())
        table = pa.table({"image": files, "label": pa.array(np.arange(20) % 10, pa.int8())})
        parquet.write_table(table, tmp_path / f"cifar10/{split}.parquet")
        np.save(tmp_path / f"{split}_colours.npy", colours)
    clinc = {
        split: [[f"{split} {row}", ("pay", "call")[row % 2]] for row in range(4)] for split in ("train", "val", "test")
    }
    clinc |= {split: [[f"{split} {row}", "oos"] for row in range(3)] for split in ("oos_train", "oos_val", "oos_test")}
    (tmp_path / "clinc150/data_full.json.gz").write_bytes(gzip.compress(json.dumps(clinc).encode()))
    for number, split in enumerate(("train", "validation", "test")):
        intents = ("alarm_set", "alarm_query", "iot_hue_lightoff", "news_query")
        rows = [
            {"id": str(10 * number + row), "label": row, "text": f"{split} {row}", "label_text": intent}
            for row, intent in enumerate(intents)
        ]
        content = "".join(json.dumps(row) + "\n" for row in rows).encode()
        (tmp_path / f"massive/{split}.jsonl.gz").write_bytes(gzip.compress(content))
    monkeypatch.setenv("RESEED_DATA", str(tmp_path))
    return tmp_path


def test_digits_are_embedded(monkeypatch):
    """The digits need neither folder nor network; an id is the row number in scikit-learn's array."""
    monkeypatch.delenv("RESEED_DATA", raising=False)
    splits = load(DataConfig())
    original = load_digits()
    assert (len(splits.train), len(splits.evaluation)) == (1437, 360)
    assert splits.train.class_names == tuple("0123456789")
    for part in (splits.train, splits.evaluation):
        rows = [int(name) for name in part.sample_ids]
        assert part.input_shape == (1, 8, 8)
        assert part.divisor == 16
        assert np.array_equal(part.inputs[:, 0].numpy() * 16, original.images[rows])
        assert np.array_equal(part.labels, original.target[rows])
    assert not set(splits.train.sample_ids) & set(splits.evaluation.sample_ids)


def test_digits_follow_the_split_options():
    """The share and the seed of the evaluation part can be chosen."""
    assert len(load(DataConfig(eval_fraction=0.5)).evaluation) == 899
    assert load(DataConfig(split_seed=1)).evaluation.digest != load(DataConfig()).evaluation.digest


def test_mnist(folder):
    """Images are grey, in [0, 1], and identified by split and row."""
    splits = load(DataConfig("mnist"))
    assert splits.train.input_shape == (1, 28, 28)
    assert splits.train.sample_ids[:2] + splits.evaluation.sample_ids[:1] == ("train-0", "train-1", "test-0")
    with np.load(folder / "mnist/mnist.npz") as archive:
        expected = archive["test_images"].astype(np.float32) / 255
    assert torch.equal(splits.evaluation.inputs[:, 0], torch.from_numpy(expected))
    assert splits.train.divisor == splits.evaluation.divisor == 255


def test_cifar10(folder):
    """JPEG bytes become RGB images in [0, 1] in the order of the file."""
    splits = load(DataConfig("cifar10"))
    assert splits.evaluation.input_shape == (3, 32, 32)
    assert splits.evaluation.divisor == 255
    assert splits.evaluation.class_names[3] == "cat"
    colours = torch.from_numpy(np.load(folder / "test_colours.npy")).float() / 255
    assert (splits.evaluation.inputs.mean((2, 3)) - colours).abs().max() < 0.02


@pytest.mark.parametrize(
    ("eval_split", "first", "labels"),
    [
        (None, "test 0", [1, 0, 1, 0]),
        ("validation", "val 0", [1, 0, 1, 0]),
        ("oos_test", "oos_test 0", [-1, -1, -1]),
        ("oos_val", "oos_val 0", [-1, -1, -1]),
    ],
)
def test_clinc150(folder, eval_split, first, labels):
    """Questions out of scope are an evaluation split of their own, and their class is unknown."""
    splits = load(DataConfig("clinc150", eval_split=eval_split))
    assert splits.train.class_names == ("call", "pay")
    assert splits.evaluation.inputs[0] == first
    assert splits.evaluation.labels.tolist() == labels
    assert splits.evaluation.sample_ids[0] == f"{eval_split or 'test'}-0"


def test_massive_and_its_domains(folder):
    """Domains are what precedes the first underscore of an intent; ids are the data set's own."""
    intents, domains = load(DataConfig("massive")), load(DataConfig("massive-domain", eval_split="validation"))
    assert intents.train.class_names == ("alarm_query", "alarm_set", "iot_hue_lightoff", "news_query")
    assert domains.train.class_names == ("alarm", "iot", "news")
    assert domains.train.labels.tolist() == [0, 0, 1, 2]
    assert intents.train.sample_ids == ("0", "1", "2", "3")
    assert domains.evaluation.sample_ids == ("10", "11", "12", "13")


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("mnist", "mnist/mnist.npz"),
        ("cifar10", "cifar10/train.parquet"),
        ("clinc150", "clinc150/data_full.json.gz"),
        ("massive", "massive/train.jsonl.gz"),
        ("massive-domain", "massive/train.jsonl.gz"),
    ],
)
def test_missing_and_damaged_files_are_named(folder, name, file):
    """With RESEED_DATA set nothing is downloaded: a missing file is named, and so is a damaged one."""
    (folder / file).write_bytes(b"damaged")
    with pytest.raises(DataError, match=f"^{name} in RESEED_DATA .* is damaged: "):
        load(DataConfig(name))
    (folder / file).unlink()
    with pytest.raises(DataError, match=f"but the file '{file}' is not in it; put it there, or unset RESEED_DATA"):
        load(DataConfig(name))


def test_options_for_files_are_refused():
    """A known data set has its own columns and splits."""
    for option, value in {
        "text": "t",
        "features": ("x",),
        "label": "y",
        "id": "i",
        "split": "s",
        "eval_file": "f",
    }.items():
        with pytest.raises(DataError, match=re.escape(f"{option}={value!r} is for your own files; digits knows its")):
            load(DataConfig("digits", **{option: value}))
    with pytest.raises(
        DataError, match=r"clinc150 has no evaluation split 'dev'\. Set eval_split to one of test, vali"
    ):
        load(DataConfig("clinc150", eval_split="dev"))


def test_known_names_are_described():
    """Each name comes with one line for people."""
    assert set(DATA_NAMES) == {"digits", "mnist", "cifar10", "clinc150", "massive", "massive-domain"}
    assert all(len(line) < 100 and "\n" not in line for line in DATA_NAMES.values())


@pytest.mark.parametrize(
    ("name", "eval_split", "train", "evaluation", "classes"),
    [
        ("mnist", None, 60000, 10000, 10),
        ("clinc150", None, 15000, 4500, 150),
        ("clinc150", "oos_test", 15000, 1000, 150),
        ("massive", None, 11514, 2974, 60),
        ("massive-domain", "validation", 11514, 2033, 18),
    ],
)
def test_real_sizes(real_data, name, eval_split, train, evaluation, classes):
    """The real data sets have the sizes their papers give."""
    splits = load(DataConfig(name, eval_split=eval_split))
    assert (len(splits.train), len(splits.evaluation), splits.train.num_classes) == (train, evaluation, classes)


def test_real_cifar10_decodes_only_what_is_kept(real_data):
    """A limited training set has the same images as the full one, class by class in proportion."""
    train = load(DataConfig("cifar10", limit=500)).train
    assert train.labels.bincount().tolist() == [50] * 10
    assert 0.3 < float(train.inputs.mean()) < 0.6
