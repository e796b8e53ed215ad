"""Data that is in memory: what is taken, what it becomes, and what is said of what cannot be taken."""

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import torch
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from reseed._errors import DataError, InputError, InputTypeError
from reseed.data import DataConfig, in_memory, load

WORDS = ("hello", "bye") * 20
TEXTS = [f"{word} number {row}" for row, word in enumerate(WORDS)]
INTENTS = ["greet" if word == "hello" else "part" for word in WORDS]
FRAME = pd.DataFrame({"utterance": TEXTS, "intent": INTENTS, "length": range(40)})
COLUMNS = {"text": "utterance", "label": "intent"}


def pairs(part):
    """Each sample's input and the name of its class."""
    return [(text, part.class_names[label]) for text, label in zip(part.inputs, part.labels, strict=True)]


@pytest.mark.parametrize(
    ("data", "options"),
    [
        (FRAME, COLUMNS),
        (FRAME.astype({"intent": "category"}), COLUMNS),
        (FRAME.sample(frac=1.0, random_state=1).sort_index(), COLUMNS),
        (pa.table(FRAME), COLUMNS),
        (datasets.Dataset.from_pandas(FRAME), COLUMNS),
        ((FRAME["utterance"], FRAME["intent"]), {}),
        ((FRAME[["utterance"]], FRAME["intent"]), {}),
        ((TEXTS, INTENTS), {}),
        ((np.array(TEXTS), np.array(INTENTS)), {}),
        ([TEXTS, INTENTS], {}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_texts_come_in_every_form(data, options):
    """The same texts, labels, ids and split, whatever holds them, as the file of the frame would give."""
    splits = load(data, **options)
    expected = [(text, intent) for text, intent in zip(TEXTS, INTENTS, strict=True)]
    for part in (splits.train, splits.evaluation):
        assert pairs(part) == [expected[int(row)] for row in part.sample_ids]
    assert (len(splits.train), len(splits.evaluation)) == (32, 8)


def test_a_frame_is_what_its_file_is(tmp_path):
    """A frame, and the file that pandas writes of it, are the same samples."""
    FRAME.to_csv(tmp_path / "frame.csv", index=False)
    of_file, of_frame = load(tmp_path / "frame.csv", **COLUMNS), load(FRAME, **COLUMNS)
    assert of_frame.evaluation.digest == of_file.evaluation.digest
    assert of_frame.train.inputs == of_file.train.inputs
    assert of_frame.notes == of_file.notes == ("The text is utterance; not used: length (numbers).",)


@pytest.mark.parametrize(
    "x", [np.arange(120.0).reshape(40, 3), torch.arange(120.0).reshape(40, 3), np.arange(120).reshape(40, 3).tolist()]
)
@pytest.mark.parametrize("y", [np.arange(40) % 2, torch.arange(40) % 2, (np.arange(40) % 2).astype(float)])
def test_numbers_come_in_every_form(x, y):
    """Features and whole-number labels of numpy, torch and lists."""
    splits = load((x, y))
    rows = [int(row) for row in splits.evaluation.sample_ids]
    assert splits.train.class_names == ("0", "1")
    assert splits.evaluation.inputs.dtype == torch.float32
    assert splits.evaluation.inputs[:, 1].tolist() == [3 * row + 1 for row in rows]
    assert splits.evaluation.labels.tolist() == [row % 2 for row in rows]


def test_a_frame_of_features_keeps_their_names():
    """Columns of numbers are the features; labels beside the frame may be called as a column is."""
    frame = pd.DataFrame({"age": range(40), "label": range(40)})
    splits = load((frame, INTENTS))
    assert splits.train.feature_names == ("age", "label")
    assert load((frame, INTENTS), features=("age",)).train.feature_names == ("age",)


def test_two_pairs_and_two_frames_are_train_and_test():
    """What is split already is not split again."""
    x, y = np.arange(40.0)[:, None], np.arange(40) % 2
    splits = load(((x[:30], y[:30]), (x[30:], y[30:])))
    assert (len(splits.train), splits.evaluation.inputs[:, 0].tolist()) == (30, list(range(30, 40)))
    frames = {"train": FRAME[:30], "dev": FRAME[30:36], "test": FRAME[30:]}
    splits = load(frames, **COLUMNS)
    assert (len(splits.train), pairs(splits.evaluation)[0]) == (30, (TEXTS[30], INTENTS[30]))
    assert len(load(frames, eval_split="dev", **COLUMNS).evaluation) == 6
    hub = datasets.DatasetDict({name: datasets.Dataset.from_pandas(frame) for name, frame in frames.items()})
    assert pairs(load(hub, **COLUMNS).evaluation) == pairs(splits.evaluation)


def test_class_labels_of_a_data_set_keep_their_names():
    """Numbers behind a `ClassLabel` are classes by name."""
    kinds = datasets.Features({"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])})
    data = datasets.Dataset.from_dict({"text": TEXTS, "label": [row % 2 for row in range(40)]}, features=kinds)
    assert load(data).train.class_names == ("no", "yes")


def test_own_data_sets_stay_as_they_are():
    """`Splits` are used, one `Dataset` is split, two are put together, and the training samples limited on request."""
    whole = load("digits")
    assert load(whole).train is whole.train
    halves = load(whole.train, eval_fraction=0.5)
    assert sorted(halves.train.sample_ids + halves.evaluation.sample_ids) == sorted(whole.train.sample_ids)
    assert load((whole.train, whole.evaluation)).evaluation is whole.evaluation
    limited, named = load(whole, limit=100), load("digits", limit=100)
    assert limited.train.sample_ids == named.train.sample_ids
    assert load(whole, holdout=0.2).evaluation.sample_ids == load("digits", holdout=0.2).evaluation.sample_ids


def test_the_name_is_a_digest_of_everything():
    """Equal samples have one name; another input, label or id another."""
    x, y = np.arange(40.0, dtype=np.float32)[:, None], np.arange(40) % 2
    name = in_memory((x, y)).name
    assert name.startswith("in-memory:")
    assert name == in_memory((x.copy(), y.tolist())).name
    changed = x.copy()
    changed[7] += 1
    flipped = y.copy()
    flipped[[6, 7]] = flipped[[7, 6]]
    others = [
        in_memory((changed, y)),
        in_memory((x, flipped)),
        in_memory((x, y), DataConfig(split_seed=1)),
    ]
    assert len({name, *(other.name for other in others)}) == 4


def test_a_configuration_without_its_samples_says_so():
    """A recipe that was read from a file does not hold what was in memory."""
    config = in_memory((TEXTS, INTENTS))
    with pytest.raises(DataError, match="was in memory when this recipe was made"):
        load(config.without_samples())
    with pytest.raises(DataError, match=r"text='utterance' is for frames and files, but the samples in memory are"):
        load(config, text="utterance")


NETWORK, ROWS = torch.nn.Linear(2, 2), np.zeros((4, 2))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (NETWORK, "of type Linear, a network; pass the data first"),
        (lambda seed: seed, "goes to reseed.run"),
        (LogisticRegression(), "an estimator; pass the data first"),
        (None, "of type NoneType; data is a DataFrame"),
        (ROWS, "of type ndarray without labels; pass the pair"),
        ((1, 2), "of type int"),
        ((ROWS, ROWS, [0, 1]), "tuple of 3; as train_test_split gives them"),
        (csr_matrix(ROWS), "a sparse matrix, and needs its labels"),
        ((csr_matrix(ROWS), [0, 1, 0, 1]), "X is a sparse matrix"),
        (torch.utils.data.DataLoader([1]), "a stream or a loader"),
        (iter([1]), "a stream or a loader"),
        ({"a": 1}, "of type dict"),
        ((ROWS, [0, 1]), r"y has shape \(2,\)"),
        ((ROWS, [0.5, 1.0, 0.0, 1.0]), "labels are integers or text"),
        (([["a"], ["b", "c"]], [0, 1]), "rectangular"),
        ((["a", "b", None, "d"], [0, 1, 0, 1]), "holds None among texts"),
        (FRAME[:0], "has no rows"),
        (FRAME.rename(columns={"length": "intent"}), "several columns of one name: 'intent'"),
        (FRAME.assign(intent=[[1], "a"] * 20), "mixed or unknown types"),
        ({"dev": FRAME}, "has no split 'train'"),
    ],
    ids=lambda value: value[:20] if isinstance(value, str) else type(value).__name__,
)
def test_what_cannot_be_taken_is_told(data, message):
    """The message names what was given, and the call that takes it."""
    with pytest.raises(InputError, match=message):
        load(data)


@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (FRAME, {"text": "utterence"}, "Did you mean 'utterance'"),
        ((TEXTS, INTENTS), {"label": "intent"}, "X and y are arrays"),
        ((FRAME, INTENTS), {"label": "intent"}, "the labels are given beside the frame"),
        (FRAME, {"eval_file": "test.csv"}, "not for data in memory"),
        ({"train": FRAME}, {"split": "part"}, "has the splits apart"),
        ({"train": FRAME, "test": FRAME[["intent"]]}, COLUMNS, "has no column 'utterance'"),
    ],
)
def test_options_that_do_not_fit_are_told(data, options, message):
    """Columns are for frames and files."""
    with pytest.raises(DataError, match=message):
        load(data, **options)


def test_the_type_is_an_error_of_type():
    """What is nothing that data can be is a `TypeError` as well."""
    with pytest.raises(InputTypeError):
        in_memory(object())
    assert issubclass(InputTypeError, TypeError)
