"""Gold labels, some of which say that the label is not known."""

import numpy as np
import pandas as pd
import pytest

import reseed
from reseed import InputError, Study
from reseed.studies import Targets

ANSWERS = [[0, 1, 0, 1], [0, 1, 1, 1]]


@pytest.mark.parametrize(
    ("targets", "given", "known"),
    [
        ([0, 1, -1, 2], {}, [1, 1, 0, 1]),
        ([0, 1, -100, 2], {}, [1, 1, 0, 1]),
        ([0.0, 1.0, -1.0, 2.0], {}, [1, 1, 0, 1]),
        ([-1, 1, 1, -1], {}, [1, 1, 1, 1]),
        ([-1, 0, 1, -1], {}, [1, 1, 1, 1]),
        ([-1, 0, 1, -1], {"labels": ANSWERS, "are_answers": True}, [0, 1, 1, 0]),
        ([-1, 0, 1, -1], {"labels": [[-1, 0, 1, 1]], "are_answers": True}, [1, 1, 1, 1]),
        ([-1, 1, 1, 1], {"labels": [[1, 1, 1, 1]], "are_answers": True}, [1, 1, 1, 1]),
        ([-1, 0, 1, -1], {"class_names": ["no", "yes"]}, [0, 1, 1, 0]),
        ([-1, 0, 1, -1], {"class_names": ["-1", "0", "1"]}, [1, 1, 1, 1]),
        ([-1, -2, 3, 3], {}, [1, 1, 1, 1]),
        (["-1", "a", "b", "a"], {}, [1, 1, 1, 1]),
        ([0, 1, -1, 2], {"unknown": None}, [1, 1, 1, 1]),
        ([0, 1, 9, 2], {"unknown": 9}, [1, 1, 0, 1]),
        (["a", "?", "b", "a"], {"unknown": "?"}, [1, 0, 1, 1]),
        (np.ma.array([0, 1, 7, 2], mask=[0, 0, 1, 0]), {}, [1, 1, 0, 1]),
    ],
)
def test_which_targets_are_unknown(targets, given, known):
    """-1 and -100 beside labels of zero and above are unknown, unless they are a class; so is what the user names."""
    found = Targets.of(targets, given.pop("unknown", "auto"), **given)
    assert found.is_known.tolist() == [bool(item) for item in known]
    assert bool(found.notes) == (0 in known)


def test_what_was_taken_as_unknown_is_told():
    """The note counts them and says how to have it otherwise."""
    note = Targets.of([0, 1, -1, 2]).notes[0]
    assert note.startswith("1 of 4 gold labels is -1 and is taken as unknown. If -1 is a class")
    assert "--unknown-target none" in note
    assert "unknown_target=None" in note


def test_nothing_known_is_refused():
    """Targets of which none is known are no targets."""
    with pytest.raises(InputError, match="targets are all 9"):
        Targets.of([9, 9], 9)
    with pytest.raises(InputError, match="targets are all masked"):
        Targets.of(np.ma.array([0, 1], mask=True))


def test_unknown_targets_are_left_out_of_accuracy(tmp_path):
    """Accuracy is over the samples whose gold label is known; the study's notes say how many those are."""
    study = Study.from_predictions(ANSWERS, tmp_path, targets=[-1, 1, 0, -1])
    assert study.header.class_names == ("0", "1")
    assert study.targets.tolist() == [-1, 1, 0, -1]
    assert [manifest.accuracy for manifest in study.manifests] == [1.0, 0.5]
    assert any("2 of 4 gold labels are -1" in note for note in reseed.inspect(study).stability.notes)


def test_minus_one_may_be_a_class(tmp_path):
    """With unknown_target=None every target is a class."""
    study = Study.from_predictions(ANSWERS, tmp_path, targets=[-1, 1, 0, -1], unknown_target=None)
    assert study.header.class_names == ("-1", "0", "1")
    assert study.manifests[0].accuracy == 0.5


def test_run_leaves_unknown_targets_out(tmp_path):
    """The same rule holds for trainings of one's own."""
    inputs = np.zeros((4, 1))
    study = reseed.run(
        lambda seed: lambda inputs: np.array([0, 1, 2, 2]), eval_data=(inputs, [0, 1, -1, 2]), runs=2, out=tmp_path,
        engine="serial",
    )  # fmt: skip
    assert study.header.class_names == ("0", "1", "2")
    assert study.manifests[0].accuracy == 1.0
    assert "gold labels is -1" in study.header.notes[0]


@pytest.mark.parametrize("door", ["from_predictions", "run", "recorder"])
@pytest.mark.parametrize("kind", ["column", "frame", "series", "one-hot"])
def test_targets_of_every_shape(tmp_path, door, kind):
    """Column vectors, frames of one column and series are taken at every door; one-hot rows are refused by name."""
    targets = {
        "column": np.array([[0], [1], [0], [1]]),
        "frame": pd.DataFrame({"y": [0, 1, 0, 1]}, index=[5, 6, 7, 8]),
        "series": pd.Series([0, 1, 0, 1], index=[5, 6, 7, 8]),
        "one-hot": np.eye(2)[[0, 1, 0, 1]],
    }[kind]
    inputs = np.zeros((4, 1))

    def study():
        if door == "from_predictions":
            return Study.from_predictions(ANSWERS, tmp_path, targets=targets)
        if door == "run":
            return reseed.run(lambda seed: lambda x: np.array([0, 1, 0, 1]), eval_data=(inputs, targets), runs=2,
                              out=tmp_path, engine="serial")  # fmt: skip
        with reseed.Recorder(tmp_path, run=0, runs=2, data=(None, targets), level="labels") as recorder:
            recorder.record([0, 1, 0, 1])
        return Study.open(tmp_path)

    if kind == "one-hot":
        with pytest.raises(InputError, match=r"targets has shape \(4, 2\)"):
            study()
    else:
        assert study().targets.tolist() == [0, 1, 0, 1]
