"""Data sets from the hub, with the download replaced: no test reaches the network."""

import re
import sys

import numpy as np
import pytest
from PIL import Image as Pictures

from reseed._errors import DataError, MissingExtraError
from reseed.data import DataConfig, load

datasets = pytest.importorskip("datasets", reason="needs the extra `text`")
pytestmark = pytest.mark.text


@pytest.fixture
def hub(monkeypatch):
    """Replaces the download by splits given as columns, and records what was asked for."""
    monkeypatch.delenv("RESEED_DATA", raising=False)
    asked = []

    def serve(features=None, **splits):
        found = datasets.DatasetDict(
            {name: datasets.Dataset.from_dict(columns, features=features) for name, columns in splits.items()}
        )

        def load_dataset(path, **options):
            asked.append((path, options))
            return found

        monkeypatch.setattr(datasets, "load_dataset", load_dataset)
        return asked

    return serve


def features(**columns):
    """Features of the hub's kind."""
    return datasets.Features(columns)


TEXT = {"text": ["a", "b", "c", "d"], "label": [0, 1, 0, 1]}
NAMED = {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["neg", "pos"])}


def test_class_names_come_from_the_hub(hub, capsys):
    """Class labels get their names, and the fetch is announced on standard error before it starts."""
    asked = hub(features(**NAMED), train=TEXT, test=TEXT)
    splits = load(DataConfig("hf:owner/name@config"))
    assert asked == [("owner/name", {"name": "config"})]
    assert splits.train.class_names == ("neg", "pos")
    assert splits.train.inputs == ("a", "b", "c", "d")
    assert splits.evaluation.sample_ids[0] == "test-0"
    streams = capsys.readouterr()
    assert "fetching owner/name (config) from the Hugging Face hub" in streams.err
    assert streams.out == ""


def test_evaluation_split_is_found_or_made(hub):
    """Test comes before validation, another one can be asked for, and without any a share is kept."""
    other = {"text": ["x", "y"], "label": [1, 0]}
    hub(features(**NAMED), train=TEXT, validation=other)
    assert load(DataConfig("hf:owner/name")).evaluation.split == "validation"
    hub(features(**NAMED), train=TEXT, validation=other, test=TEXT)
    assert load(DataConfig("hf:owner/name")).evaluation.split == "test"
    assert load(DataConfig("hf:owner/name", eval_split="validation")).evaluation.inputs == ("x", "y")
    hub(features(**NAMED), train=TEXT)
    splits = load(DataConfig("hf:owner/name", eval_fraction=0.5))
    assert (len(splits.train), len(splits.evaluation)) == (2, 2)


def test_hidden_labels_are_unknown(hub):
    """A test split whose labels the hub keeps back (-1) can still be predicted."""
    hub(features(**NAMED), train=TEXT, test={"text": ["x"], "label": [-1]})
    assert load(DataConfig("hf:owner/name")).evaluation.labels.tolist() == [-1]


def test_columns_can_be_chosen(hub):
    """Columns are named as for a file: texts, labels that are words, ids."""
    columns = {"question": ["a", "b"], "kind": ["why", "who"], "key": ["p", "q"], "n": [0.5, 1.5]}
    hub(train=columns, test=columns | {"key": ["r", "s"]})
    train = load(DataConfig("hf:owner/name", text="question", label="kind", id="key")).train
    assert (train.inputs, train.class_names, train.sample_ids) == (("a", "b"), ("who", "why"), ("p", "q"))
    assert load(DataConfig("hf:owner/name", features=("n",), label="kind")).train.inputs.tolist() == [[0.5], [1.5]]


@pytest.mark.parametrize("channels", [1, 3])
def test_images_are_decoded(hub, channels):
    """A single image column is the input."""
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 5, channels)).astype(np.uint8)
    pictures = [Pictures.fromarray(image[..., 0] if channels == 1 else image) for image in pixels]
    columns = {"picture": pictures, "label": [0, 1, 0, 1]}
    hub(features(picture=datasets.Image(), label=NAMED["label"]), train=columns, test=columns)
    train = load(DataConfig("hf:owner/name")).train
    assert train.input_shape == (channels, 6, 5)
    assert np.allclose(train.inputs.permute(0, 2, 3, 1) * 255, pixels)


def test_images_of_different_sizes_are_refused(hub):
    """Images are not resized silently."""
    pictures = [Pictures.new("L", (5, size)) for size in (6, 6, 7, 6)]
    columns = {"image": pictures, "label": [0, 1, 0, 1]}
    hub(features(image=datasets.Image(), label=NAMED["label"]), train=columns, test=columns)
    with pytest.raises(DataError, match="images differ in size: image 0 is 5x6, image 2 is 5x7"):
        load(DataConfig("hf:owner/name"))


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (None, "image 2 is of type NoneType; it must be a picture or the bytes of a file."),
        ({"path": None, "bytes": b"no picture"}, "the image in row 2 (from 0) cannot be decoded: "),
        (Pictures.new("I;16", (5, 6)), "image 2 cannot be decoded: pixels of mode 'I;16' have no plain 8-bit form"),
    ],
)
def test_images_that_are_none_are_refused(hub, image, message):
    """An empty cell, bytes that are no picture, and pixels of other kinds are named by their row."""
    good = Pictures.new("L", (5, 6))
    columns = {"image": [good, good, image, good], "label": [0, 1, 0, 1]}
    hub(features(image=datasets.Image(), label=NAMED["label"]), train=columns, test=columns)
    with pytest.raises(DataError, match=re.escape(message)):
        load(DataConfig("hf:owner/name"))


def test_columns_of_the_hub_are_told(hub):
    """Notes say which columns are features and which are not used, as for a file."""
    columns = {"n": [0.5, 1.5], "word": ["a", "b"], "label": ["x", "y"]}
    hub(train=columns, test=columns)
    assert load(DataConfig("hf:owner/name")).notes == ("The features are n; not used: word (text).",)


def test_named_images(hub):
    """MNIST and CIFAR-10 are found under their names on the hub."""
    label = datasets.ClassLabel(names=list("0123456789"))
    grey = {"image": [Pictures.new("L", (28, 28))] * 10, "label": list(range(10))}
    asked = hub(features(image=datasets.Image(), label=label), train=grey, test=grey)
    train = load(DataConfig("mnist")).train
    assert (train.input_shape, train.divisor) == ((1, 28, 28), 255)
    names = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    colour = {"img": [Pictures.new("RGB", (32, 32))] * 10, "label": list(range(10))}
    hub(features(img=datasets.Image(), label=datasets.ClassLabel(names=names)), train=colour, test=colour)
    assert load(DataConfig("cifar10")).train.class_names == tuple(names)
    assert asked == [("ylecun/mnist", {"name": None}), ("uoft-cs/cifar10", {"name": None})]


@pytest.mark.parametrize(
    ("eval_split", "texts", "labels", "first"),
    [
        (None, ("c", "d"), [0, 1], "test-0"),
        ("oos_test", ("o",), [-1], "oos_test-0"),
        ("oos_val", ("v",), [-1], "oos_val-0"),
    ],
)
def test_clinc150_separates_questions_out_of_scope(hub, eval_split, texts, labels, first):
    """The hub's class `oos` is no class here: its questions are evaluation splits of their own."""
    intent = datasets.ClassLabel(names=["call", "oos", "pay"])
    asked = hub(
        features(text=datasets.Value("string"), intent=intent),
        train={"text": ["a", "x", "b"], "intent": [0, 1, 2]},
        validation={"text": ["v", "w"], "intent": [1, 2]},
        test={"text": ["c", "o", "d"], "intent": [0, 1, 2]},
    )
    splits = load(DataConfig("clinc150", eval_split=eval_split))
    assert asked == [("clinc/clinc_oos", {"name": "plus"})]
    assert splits.train.class_names == ("call", "pay")
    assert splits.train.sample_ids == ("train-0", "train-1")
    assert splits.evaluation.inputs == texts
    assert splits.evaluation.labels.tolist() == labels
    assert splits.evaluation.sample_ids[0] == first


def test_massive(hub):
    """Intents are read by their names, and ids are the data set's own."""
    columns = {"text": ["a", "b"], "label": ["alarm_set", "iot_off"], "label_text": ["alarm_set", "iot_off"]}
    asked = hub(train=columns | {"id": ["1", "2"]}, test=columns | {"id": ["3", "4"]})
    assert load(DataConfig("massive")).evaluation.sample_ids == ("3", "4")
    assert load(DataConfig("massive-domain")).train.class_names == ("alarm", "iot")
    plain = {name: columns[name] for name in ("text", "label")}
    hub(train=plain, test=plain)
    assert load(DataConfig("massive")).evaluation.sample_ids == ("test-0", "test-1")
    assert asked[0] == ("mteb/amazon_massive_intent", {"name": "en"})


def test_missing_extra_says_how_to_install_it(monkeypatch):
    """Without `datasets` the message names the command."""
    monkeypatch.delenv("RESEED_DATA", raising=False)
    monkeypatch.setitem(sys.modules, "datasets", None)
    for name in ("mnist", "hf:owner/name"):
        with pytest.raises(MissingExtraError, match=re.escape("pip install 'reseed[text]'")):
            load(DataConfig(name))


def test_failed_fetch_is_explained(hub, monkeypatch):
    """Whatever the hub raises comes back with the name and with what to check."""
    hub(train=TEXT)

    def load_dataset(path, **options):
        raise RuntimeError("Dataset scripts are no longer supported, but found name.py")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    with pytest.raises(DataError, match=r"hf:owner/name@config cannot be loaded: Dataset scripts .* Check the name"):
        load(DataConfig("hf:owner/name@config"))


@pytest.mark.parametrize(
    ("splits", "options", "message"),
    [
        ({"test": TEXT}, {}, "hf:owner/name has no split 'train'; it has test."),
        (
            {"train": TEXT, "test": TEXT},
            {"eval_split": "dev"},
            "hf:owner/name has no evaluation split 'dev'. It has test.",
        ),
        ({"train": TEXT}, {"eval_split": "train"}, "no evaluation split 'train'. It has none besides train."),
        ({"train": TEXT}, {"label": "lable"}, "no column 'lable' (label). Did you mean 'label'? It has text, label."),
        ({"train": TEXT}, {"text": "body"}, "no column 'body' (text)"),
        (
            {"train": {"a": ["x"], "b": ["y"]}},
            {},
            "hf:owner/name: no column is called label, target, intent; set label to one of a, b",
        ),
        ({"train": TEXT, "test": {"text": ["x"]}}, {}, "split 'test' has no column 'label' (label)"),
        ({"train": TEXT}, {"split": "part"}, "split is for your own files; choose a split of hf:owner/name with"),
        ({"train": {"text": ["a", None], "label": [0, 1]}}, {}, "split 'train': missing value in column 'text', row 1"),
    ],
)
def test_refuses_what_cannot_be_read(hub, splits, options, message):
    """Missing splits and columns are named together with those that exist."""
    hub(**splits)
    with pytest.raises(DataError, match=re.escape(message)):
        load(DataConfig("hf:owner/name", **options))


def test_empty_name():
    """The prefix alone names nothing."""
    with pytest.raises(DataError, match="hf: needs a name behind it"):
        load(DataConfig("hf:"))
