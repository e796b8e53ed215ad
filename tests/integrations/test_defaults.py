"""What the callbacks find out by themselves: evaluation data, names of classes, texts; and the report at the end."""

import types

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from reseed import InputError
from reseed.integrations._driven import DrivenRecorder
from reseed.integrations._known import evaluation_rows, names_of_classes, texts_of_rows
from reseed.integrations._loaded import whole_split
from reseed.integrations._predictor import calling

X, Y = torch.arange(1200.0).reshape(600, 2), torch.arange(600) % 3


def test_loaders_are_read_in_the_order_of_their_data():
    """However they shuffle; batches are made as they make them."""
    rows = TensorDataset(X, Y)
    for given in (rows, DataLoader(rows, 7), DataLoader(rows, 7, shuffle=True, drop_last=True)):
        inputs, targets = whole_split(given)
        assert torch.equal(inputs, X)
        assert torch.equal(targets, Y)
    several = [({"a": one, "b": -one}, int(label)) for one, label in zip(X, Y, strict=True)]
    inputs, targets = whole_split(DataLoader(several, 4))
    assert torch.equal(inputs["b"], -X)
    assert targets.tolist() == Y.tolist()
    assert whole_split((X, Y)) == (X, Y)


class Stream(torch.utils.data.IterableDataset):
    """Rows without an order."""

    def __iter__(self):
        return iter([])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DataLoader(Stream()), "a stream of rows"),
        (Stream(), "a stream of rows"),
        (TensorDataset(X), "must give pairs"),
        (TensorDataset(X[:0], Y[:0]), "got no rows"),
    ],
)
def test_what_has_no_order_or_targets_is_refused(data, message):
    """With what to pass instead."""
    with pytest.raises(InputError, match=message):
        whole_split(data)


def model(names):
    """A network whose config names its classes."""
    network = torch.nn.Linear(2, 3)
    network.config = types.SimpleNamespace(id2label=names)
    return network


@pytest.mark.parametrize(
    ("names", "targets", "expected"),
    [
        ({0: "no", 1: "yes"}, [0, 1, 1], ["no", "yes"]),
        ({0: "no", 1: "yes"}, [0, -100], ["no", "yes"]),
        ({0: "LABEL_0", 1: "LABEL_1"}, [0, 1], None),
        ({0: "no", 1: "yes"}, [0, 2], None),
        ({0: "no", 1: "yes"}, ["no", "yes"], None),
        ({0: "same", 1: "same"}, [0, 1], None),
        ({1: "no", 2: "yes"}, [1], None),
        (None, [0, 1], None),
    ],
)
def test_names_come_from_the_model_where_it_has_such(names, targets, expected):
    """Default names say nothing, and names that do not fit the targets are not the targets'."""
    assert names_of_classes(model(names), targets) == expected


def test_texts_come_from_the_rows_or_through_the_tokenizer():
    """A text beside the tokens first; without a tokenizer there is none."""
    tokenizer = types.SimpleNamespace(decode=lambda ids, skip_special_tokens: " ".join(f"w{one}" for one in ids))
    rows = [{"input_ids": [1, 2]}, {"input_ids": [3]}]
    assert texts_of_rows(rows, tokenizer) == ["w1 w2", "w3"]
    assert texts_of_rows([row | {"text": f"t{place}"} for place, row in enumerate(rows)], tokenizer) == ["t0", "t1"]
    assert texts_of_rows(rows, None) is None
    assert texts_of_rows([(1, 2)], tokenizer) is None


@pytest.mark.parametrize(
    ("trainer", "message"),
    [
        (None, "data is needed: pass the rows to record, or trainer="),
        (types.SimpleNamespace(eval_dataset=None), "no evaluation set"),
        (types.SimpleNamespace(eval_dataset={"a": [], "b": []}), "several evaluation sets, a, b"),
    ],
)
def test_a_trainer_without_an_evaluation_set_is_told(trainer, message):
    """With what to pass instead."""
    with pytest.raises(InputError, match=message):
        evaluation_rows(trainer)


def recorded(out, run, **options):
    """A run that is recorded from start to end."""
    arguments = {"every": "final", "on_error": "report", "writes_report": True, "data": (X[:30], Y[:30])} | options
    driven = DrivenRecorder(out, run=run, runs=2, class_names=["a", "b", "c"], **arguments)
    torch.manual_seed(run)
    network = torch.nn.Linear(2, 3)
    driven.begin(0, network, calling, is_main=True)
    driven.record(1, network)
    driven.finish()


def test_the_report_is_written_after_the_last_run(tmp_path):
    """Not before, and not where nobody wants it."""
    recorded(tmp_path / "study", 1)
    assert not (tmp_path / "study" / "report.html").exists()
    recorded(tmp_path / "study", 0)
    assert (tmp_path / "study" / "report.html").exists()
    for run in (0, 1):
        recorded(tmp_path / "without", run, writes_report=False)
    assert not (tmp_path / "without" / "report.html").exists()


def test_a_report_that_fails_ends_no_training(tmp_path, monkeypatch):
    """It is told, and the run is there."""
    recorded(tmp_path / "study", 0)

    def fails(place):
        raise OSError("disk full")

    monkeypatch.setattr("reseed.integrations._driven.write_report", fails)
    with pytest.warns(match="report of .* is not written"):
        recorded(tmp_path / "study", 1)
    recorded(tmp_path / "raising", 0, on_error="raise")
    with pytest.raises(OSError, match="disk full"):
        recorded(tmp_path / "raising", 1, on_error="raise")
