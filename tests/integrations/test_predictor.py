"""How models are asked, and what of their output is recorded."""

from collections import UserDict, namedtuple

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from reseed import InputError, Recorder, Study
from reseed.integrations._predictor import FirstThatWorks, answers_of, on_device

X = torch.arange(12.0).reshape(6, 2)
Y = [0, 1, 1, 0, 1, 0]
LOGITS = torch.stack([X[:, 0] - 5, 5 - X[:, 1]], 1)


class Model(nn.Module):
    """Gives the same logits in some form."""

    def __init__(self, form):
        super().__init__()
        self.form = form

    def forward(self, inputs):
        """Logits, among other things."""
        return self.form(torch.stack([inputs[:, 0] - 5, 5 - inputs[:, 1]], 1))


Output = namedtuple("Output", ["loss", "logits"])


@pytest.mark.parametrize(
    "form",
    [
        lambda logits: logits,
        lambda logits: {"loss": logits.sum(), "logits": logits, "hidden_states": (logits[:, :1],)},
        lambda logits: UserDict(logits=logits),
        lambda logits: Output(logits.sum(), logits),
        lambda logits: (logits, (logits[:, :1], logits)),
        lambda logits: (logits.sum(), logits, logits[:, :1]),
        lambda logits: (None, logits),
        lambda logits: logits.bfloat16(),
        lambda logits: logits.half(),
        lambda logits: logits.double(),
        lambda logits: logits.tolist(),
        lambda logits: tuple(logits),
    ],
)
def test_logits_are_found_in_what_models_give(tmp_path, form):
    """Mappings, tuples with or without a loss, half precision and lists of rows record the same labels."""
    with Recorder(tmp_path, run=0, runs=2, data=(X, Y), batch_size=4, on_error="raise") as recorder:
        recorder.check(Model(form))
        recorder.record(Model(form))
    assert np.array_equal(Study.open(tmp_path).final(), [LOGITS.argmax(1)])


def test_labels_in_a_tuple_stay_labels():
    """A tuple of names or of numbers is what it is."""
    assert answers_of(("a", "b")) == ("a", "b")
    assert answers_of((torch.tensor(1), torch.tensor(0))) == (torch.tensor(1), torch.tensor(0))


@pytest.mark.parametrize(
    ("form", "message"),
    [
        (
            lambda logits: {"last_hidden_state": logits},
            "the model gives last_hidden_state, and no 'logits'; pass a func",
        ),
        (lambda logits: {}, "the model gives an empty mapping, and no 'logits'"),
        (lambda logits: logits[:, None], r"got \(6, 1, 2\); answers for tokens, pixels or sequences must become one"),
        (
            lambda logits: logits[:, :1],
            r"have 1 columns for the 2 classes .*; give each class a column, also where one",
        ),
        (
            lambda logits: logits[:, 0] + 0.25,
            r"of shape \[sample\] are labels, got -4.75; scores have a column for each",
        ),
        (lambda logits: logits[:-1], r"with 6 samples, got \(5, 2\)\."),
        (lambda logits: logits.bfloat16().softmax(1), "are probabilities, each row sums to 1; pass outputs="),
    ],
)
def test_other_outputs_are_refused_by_name(form, message):
    """Outputs that hold no class for each sample say what they look like."""
    with pytest.raises(InputError, match=message):
        Recorder("unused", run=0, runs=2, data=(X, Y)).check(Model(form))


class Named(nn.Module):
    """Takes its inputs by name."""

    def forward(self, left, right=None):
        """Logits of both."""
        return torch.stack([left - 5, 5 - right], 1)


class Packed(nn.Module):
    """Takes its inputs as one argument."""

    def forward(self, batch, stage="train"):
        """Logits of both."""
        left, right = batch.values() if isinstance(batch, dict) else batch
        return torch.stack([left - 5, 5 - right], 1)


class Keywords(nn.Module):
    """Takes any inputs by name."""

    def forward(self, **kwargs):
        """Logits of both."""
        return torch.stack([kwargs["left"] - 5, 5 - kwargs["right"]], 1)


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        (Named(), {"left": X[:, 0], "right": X[:, 1]}),
        (Named(), (X[:, 0], X[:, 1])),
        (Packed(), {"left": X[:, 0], "right": X[:, 1]}),
        (Packed(), (X[:, 0], X[:, 1])),
        (Keywords(), {"left": X[:, 0], "right": X[:, 1]}),
        (lambda batch: np.stack([batch["left"] - 5, 5 - batch["right"]], 1), {"left": X[:, 0], "right": X[:, 1]}),
        (lambda batch: torch.stack(batch), [row.flip(0) * torch.tensor([-1.0, 1]) for row in X]),
        (lambda batch: [[-float(text), 1] for text in batch], ("9", "-9", "-9", "9", "-9", "9")),
    ],
)
def test_several_inputs_are_sliced_together(tmp_path, model, inputs):
    """Mappings and tuples of arrays reach a model as one argument or several; lists and tuples of samples stay so."""
    with Recorder(tmp_path, run=0, runs=2, data=(inputs, Y), batch_size=4, on_error="raise") as recorder:
        recorder.record(model)
    study = Study.open(tmp_path)
    assert len(study.targets) == 6
    if isinstance(inputs, dict) or len(inputs) == 2:
        assert np.array_equal(study.final(), [LOGITS.argmax(1)])


def test_a_model_that_takes_several_inputs_in_no_way_says_both_reasons():
    """The message has what happened to one argument and to several."""
    with pytest.raises(InputError, match=r"Model cannot be asked: as one argument, TypeError: .*; with an arg"):
        Recorder("unused", run=0, runs=2, data=((X, X), Y)).check(Model(lambda logits: logits))


@pytest.mark.parametrize("error", [OSError("gone"), MemoryError(), torch.OutOfMemoryError("full")])
def test_a_failure_that_no_way_of_asking_explains_is_told_as_it_is(error):
    """A lack of memory or a file that is gone is not taken for a wrong way to ask, and the model is asked once."""
    asked = []

    def fail(logits):
        asked.append(logits)
        raise error

    with pytest.raises(type(error)):
        FirstThatWorks({"one": lambda model, batch: fail(batch), "other": lambda model, batch: fail(batch)})(None, 0)
    assert asked == [0]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (DataLoader(TensorDataset(X)), "data holds a DataLoader, whose samples have no fixed order or number; pass"),
        ((DataLoader(TensorDataset(X)), Y), "data holds a DataLoader"),
        (({"a": X, "b": X[:3]}, Y), "must have as many samples each, but a has 6, b has 3"),
        (((X, X[:3]), Y), "but 0 has 6, 1 has 3"),
        (({}, Y), "as many samples each, but there are none"),
    ],
)
def test_inputs_without_one_order_are_refused(data, message):
    """Loaders, and several inputs of different lengths, are refused when the recorder is made."""
    with pytest.raises(InputError, match=message):
        Recorder("unused", run=0, runs=2, data=data)


def test_the_first_way_that_works_is_kept():
    """Later batches are asked in the way that was found, whose own error is then the error."""
    asked = []

    def way(name, limit):
        def ask(model, batch):
            asked.append(name)
            if batch >= limit:
                raise ValueError(f"{name} fails at {batch}")
            return batch

        return ask

    ways = FirstThatWorks({"one": way("one", 0), "two": way("two", 3), "three": way("three", 9)})
    assert ways(None, 1) == 1
    with pytest.raises(ValueError, match="two fails at 5"):
        ways(None, 5)
    assert asked == ["one", "two", "two"]
    with pytest.raises(InputError, match="one, ValueError: one fails at 9; two, ValueError: two fails at 9"):
        FirstThatWorks({"one": way("one", 0), "two": way("two", 3)})(None, 9)


def test_batches_move_as_a_whole():
    """Tensors anywhere in mappings, lists and tuples go to the device, and everything else stays what it was."""
    batch = {"a": [X, "text"], "b": Output(1, X), "c": UserDict(x=X)}
    moved = on_device(batch, torch.device("meta"))
    assert moved["a"][0].is_meta
    assert moved["b"].logits.is_meta
    assert moved["c"]["x"].is_meta
    assert (moved["a"][1], moved["b"].loss) == ("text", 1)
    assert on_device(batch, None) is batch
