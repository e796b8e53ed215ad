"""`Study.from_predictions`: predictions that somebody already holds."""

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import reseed
from reseed import InputError, Study, StudyError
from reseed.studies import _import, _single

LABELS = np.array([[0, 1, 2, 0], [0, 1, 1, 0], [0, 2, 2, 1]])
PROBABILITIES = np.random.default_rng(0).dirichlet([1, 1, 1], (3, 4))


def _refused(tmp_path, expected, predictions, **described):
    """The predictions are refused with this message, and nothing is written."""
    with pytest.raises(InputError, match=expected):
        Study.from_predictions(predictions, tmp_path / "study", **described)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize(
    "predictions",
    [
        LABELS,
        LABELS.tolist(),
        list(LABELS),
        LABELS.astype(np.uint8),
        LABELS.astype(float),
        LABELS.astype(object),
        np.asfortranarray(LABELS),
        torch.from_numpy(LABELS),
        [torch.from_numpy(row) for row in LABELS],
        LABELS.astype(str),
        LABELS.astype(str).tolist(),
        LABELS.astype(str).astype(object),
    ],
    ids=lambda value: f"{type(value).__name__}-{getattr(value, 'dtype', '')}",
)
def test_labels_of_every_kind_are_the_same_labels(tmp_path, predictions):
    """Labels may be integers, whole floats or names, in arrays, lists or tensors."""
    study = Study.from_predictions(predictions, tmp_path)
    np.testing.assert_array_equal(study.final(), LABELS)
    assert study.header.class_names == ("0", "1", "2")


@pytest.mark.parametrize("level", ["labels", "scores", "full"])
def test_probabilities_give_labels_and_scores(tmp_path, level):
    """The label is the largest probability; the level says what else is kept."""
    study = Study.from_predictions(PROBABILITIES, tmp_path, targets=[0, 1, 2, 0], level=level)
    np.testing.assert_array_equal(study.final(), PROBABILITIES.argmax(axis=-1))
    assert ("confidence" in study.recorded_names()) == (level != "labels")
    assert ("probabilities" in study.recorded_names()) == (level == "full")
    if level == "full":
        np.testing.assert_allclose(study.final("confidence"), PROBABILITIES.max(axis=-1), atol=1e-6)
        own = PROBABILITIES[:, range(4), [0, 1, 2, 0]]
        np.testing.assert_allclose(study.final("own_probability"), own, atol=1e-6)


def test_results_are_written(tmp_path):
    """An imported study gives the same three files as any other."""
    study = Study.from_predictions(PROBABILITIES, tmp_path, dataset="mine", model="theirs", notes=["Be careful."])
    page = reseed.inspect(study).write()
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert (summary["dataset"], summary["model"], summary["runs"]) == ("mine", "theirs", 3)
    assert (tmp_path / "samples.parquet").exists()
    assert "Be careful." in page.read_text()


def test_class_names_are_sorted_names(tmp_path):
    """Without class_names they are the distinct labels of predictions and targets: names sorted, numbers in order."""
    named = Study.from_predictions([["b", "a"], ["b", "b"]], tmp_path / "a", targets=["c", "a"])
    assert named.header.class_names == ("a", "b", "c")
    numbered = Study.from_predictions([[10, 2], [2, 2]], tmp_path / "b", targets=np.array([9.0, 2.0]))
    assert numbered.header.class_names == ("2", "9", "10")
    assert numbered.final().tolist() == [[2, 0], [0, 0]]


def test_integers_are_names_before_they_are_indices(tmp_path):
    """With classes called 3 and 5 a label 3 is that class; with classes a and b a label 1 is the second."""
    by_name = Study.from_predictions([[3, 5], [5, 5]], tmp_path / "a", class_names=["5", "3"])
    assert by_name.final().tolist() == [[1, 0], [0, 0]]
    by_index = Study.from_predictions([[0, 1], [1, 1]], tmp_path / "b", class_names=["b", "a"])
    assert by_index.final().tolist() == [[0, 1], [1, 1]]


def test_booleans_are_labels(tmp_path):
    """True and False are classes, or indices into two names."""
    found = np.array([[True, False], [True, True]])
    assert Study.from_predictions(found, tmp_path / "a").header.class_names == ("False", "True")
    study = Study.from_predictions(found, tmp_path / "b", class_names=["no", "yes"], targets=found[0])
    assert (study.final().tolist(), study.targets.tolist()) == ([[1, 0], [1, 1]], [1, 0])


def test_names_against_numbers_need_class_names(tmp_path):
    """Predictions by name and targets by number are not guessed to mean the same."""
    _refused(tmp_path, "one holds names, the other numbers", [["a", "b"], ["b", "b"]], targets=[0, 1])
    names = {"targets": [0, 1], "class_names": ["a", "b"]}
    assert Study.from_predictions([["a", "b"], ["b", "b"]], tmp_path / "ok", **names).targets.tolist() == [0, 1]


@settings(max_examples=20, deadline=None)
@given(names=st.lists(st.text(st.characters(codec="utf-8")), min_size=2, max_size=5, unique=True))
def test_any_text_is_kept_exactly(tmp_path_factory, names):
    """Class names, ids and texts come back as they were given, character by character."""
    folder = tmp_path_factory.mktemp("texts")
    described = {"targets": names, "sample_ids": names, "class_names": names, "texts": names}
    study = Study.from_predictions([names, names[::-1]], folder / "study", **described)
    assert study.samples.ids == study.samples.texts == study.header.class_names == tuple(names)
    assert study.final().tolist() == [list(range(len(names))), list(range(len(names)))[::-1]]


@pytest.mark.parametrize("bad", [[0, 1], [[0, 1]], np.zeros((2, 2, 2, 2)), 3, "text"])
def test_other_shapes_are_refused(tmp_path, bad):
    """Predictions have two or three axes and two or more runs."""
    _refused(tmp_path, r"must have shape \[run, sample\]|runs must be 2 or more, got 1", bad)


def test_fewer_than_two_runs_are_refused(tmp_path):
    """One run has nothing to differ from."""
    _refused(tmp_path, "runs must be 2 or more, got 1", LABELS[:1])
    _refused(tmp_path, "runs must be 2 or more, got 0", LABELS[:0])


def test_ragged_runs_are_refused(tmp_path):
    """Every run predicts the same samples."""
    _refused(tmp_path, r"ragged: run 0 has shape \(2,\), run 1 has \(3,\)", [[0, 1], [0, 1, 1]])
    _refused(tmp_path, "unequal length", [[[0.5, 0.5], [1.0]], [[0.5, 0.5], [1.0]]])


def test_no_samples_are_refused(tmp_path):
    """A study has samples."""
    _refused(tmp_path, "predictions hold no samples", np.zeros((3, 0), int))


def test_labels_outside_the_classes_are_refused(tmp_path):
    """The message names the label, its place and the classes."""
    _refused(tmp_path, r"predictions holds 2 at position \(0, 2\).*\('a', 'b'\)", LABELS, class_names=["a", "b"])
    _refused(tmp_path, r"predictions holds -1 at position \(0, 1\)", [[0, -1], [0, 1]], class_names=["a", "b"])
    _refused(tmp_path, "targets holds 'c' at position", [["a", "b"]] * 2, targets=["a", "c"], class_names=["a", "b"])


def test_bad_probabilities_are_refused(tmp_path):
    """NaN, negative numbers and rows that do not sum to one are named with their place."""
    for value, expected in ((np.nan, "nan"), (-0.25, "a negative probability"), (0.99, "sums to")):
        bad = PROBABILITIES.copy()
        bad[1, 2, 0] = value
        _refused(tmp_path, rf"{expected}.*\(1, 2|\(1, 2.*{expected}", bad)
    _refused(tmp_path, "must be probabilities, got int64", np.ones((2, 3, 2), int))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ([[0.5, 1], [1, 1]], "must be class names or integers, got 0.5"),
        ([[np.nan, 1], [1, 1]], "must be class names or integers, got nan"),
        ([[np.inf, 1], [1, 1]], "must be class names or integers, got inf"),
        ([["a", None], ["a", "b"]], "must be class names or integers, got None"),
        (np.array([["a", np.nan], ["a", "b"]], dtype=object), "must be class names or integers, got nan"),
        (np.zeros((2, 2), "M8[s]"), r"got an array of datetime64\[s\]"),
        (np.zeros((2, 2), complex), "got an array of complex128"),
        (np.zeros((2, 2), [("a", int)]), "must be class names or integers"),
    ],
)
def test_what_is_no_label_is_refused(tmp_path, labels, expected):
    """Fractions, missing values and other types are no classes."""
    _refused(tmp_path, expected, labels)


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({"targets": [0, 1]}, "targets has 2 entries for 4 samples"),
        ({"sample_ids": ["a"]}, "sample_ids has 1 entries for 4 samples"),
        ({"sample_ids": ["a", "b", "a", "c"]}, "sample_ids are not unique: 'a'"),
        ({"texts": ["a"]}, "texts has 1 entries for 4 samples"),
        ({"class_names": ["a", "a", "b"]}, "two or more distinct names"),
        ({"level": "all"}, "level must be 'labels', 'scores' or 'full'"),
        ({"class_names": ["\ud800", "b", "c"]}, "cannot be written as UTF-8"),
        ({"texts": ["\udfff", "b", "c", "d"]}, "cannot be written as UTF-8"),
        ({"dataset": "\ud800"}, "cannot be written as UTF-8"),
    ],
)
def test_bad_descriptions_are_refused(tmp_path, described, expected):
    """What describes the samples must fit them."""
    _refused(tmp_path, expected, LABELS, **described)


def test_class_names_fit_the_columns(tmp_path):
    """Probabilities have one column for each class name."""
    _refused(tmp_path, "class_names has 2 names for 3 columns", PROBABILITIES, class_names=["a", "b"])


def test_only_one_class_is_refused(tmp_path):
    """Where all labels are equal, the other classes must be named."""
    _refused(tmp_path, r"two or more distinct names, got \('0',\)", np.zeros((2, 3), int))


def test_folders_are_not_overwritten(tmp_path):
    """A folder with another study or other files is refused and left as it is."""
    Study.from_predictions(LABELS, tmp_path / "study")
    with pytest.raises(StudyError, match="already holds another study"):
        Study.from_predictions(LABELS[::-1], tmp_path / "study")
    with pytest.raises(StudyError, match="already holds another study"):
        Study.from_predictions(PROBABILITIES, tmp_path / "study")
    (tmp_path / "other").mkdir()
    (tmp_path / "other/mine.txt").write_text("mine")
    with pytest.raises(StudyError, match="exists and holds no study"):
        Study.from_predictions(LABELS, tmp_path / "other")
    assert (tmp_path / "other/mine.txt").read_text() == "mine"
    np.testing.assert_array_equal(Study.open(tmp_path / "study").final(), LABELS)


@pytest.mark.parametrize("killed_after", [0, 1, 7])
def test_an_interrupted_import_continues(tmp_path, monkeypatch, killed_after):
    """The same call goes on where it was cut off, keeps the runs that are there, and ends with the same study."""
    predictions = np.random.default_rng(0).dirichlet([1, 1, 1], (8, 5))
    whole = Study.from_predictions(predictions, tmp_path / "whole", targets=[0, 1, 2, 0, 1])
    written = []

    def write(root, run, *given, **options):
        if len(written) == killed_after:
            (root / f"runs/run-{run:05d}/predictions-00000000").mkdir(parents=True)  # what a killed process leaves
            raise KeyboardInterrupt
        written.append(run)
        return _single.write_single_run(root, run, *given, **options)

    with monkeypatch.context() as patch:
        patch.setattr(_import, "write_single_run", write)
        with pytest.raises(KeyboardInterrupt):
            Study.from_predictions(predictions, tmp_path / "study", targets=[0, 1, 2, 0, 1])
    begun = Study.open(tmp_path / "study")
    assert [manifest.run for manifest in begun.manifests] == written
    study = Study.from_predictions(predictions, tmp_path / "study", targets=[0, 1, 2, 0, 1])
    assert [manifest.predictions for manifest in study.manifests[:killed_after]] == [
        manifest.predictions for manifest in begun.manifests
    ]
    assert len(list((tmp_path / "study").glob("runs/*/predictions-*"))) == 8
    for name in whole.recorded_names():
        np.testing.assert_array_equal(study.final(name), whole.final(name))


def test_probabilities_stand_beside_labels(tmp_path):
    """Labels are the answers, whatever probabilities say; how often they differ is known of every run."""
    labels = PROBABILITIES.argmax(-1)
    labels[1, 2] = (labels[1, 2] + 1) % 3
    study = Study.from_predictions(labels, tmp_path, probabilities=PROBABILITIES, class_names=["a", "b", "c"])
    np.testing.assert_array_equal(study.final(), labels)
    np.testing.assert_allclose(study.final("confidence"), PROBABILITIES.max(-1), rtol=1e-6)
    assert [manifest.answered_otherwise for manifest in study.manifests] == [0, 1, 0]
    assert "answered_otherwise" not in (tmp_path / "runs/run-00000/manifest.json").read_text()


def test_probabilities_must_fit_the_labels(tmp_path):
    """Probabilities beside labels have the runs and samples of these, and a column for every class."""
    _refused(tmp_path, r"probabilities must have shape", LABELS, probabilities=PROBABILITIES[:, :2])
    _refused(tmp_path, r"predictions are probabilities already", PROBABILITIES, probabilities=PROBABILITIES)
    _refused(tmp_path, r"probabilities have 3 columns, but there are 2", LABELS % 2, probabilities=PROBABILITIES)
    _refused(tmp_path, "must be probabilities, got int64", LABELS, probabilities=np.ones((3, 4, 3), int))


def test_runs_of_different_types_keep_their_labels(tmp_path):
    """Signed, unsigned and floating labels of different runs are compared by value."""
    runs = [np.array([2**63 + 1, 1], np.uint64), np.array([1, 1]), np.array([1.0, 1.0])]
    study = Study.from_predictions(runs, tmp_path)
    assert study.header.class_names == ("1", "9223372036854775809")
    assert study.final().tolist() == [[1, 0], [0, 0], [0, 0]]


def test_positions_are_the_same_in_runs_and_targets(tmp_path):
    """Where classes are called by numbers, runs and targets are read in one way, and the study says which."""
    described = {"class_names": ["1", "2", "3"], "targets": [1, 1, 2]}
    study = Study.from_predictions([[0, 1, 2], [0, 1, 2]], tmp_path, **described)
    assert [manifest.accuracy for manifest in study.manifests] == [2 / 3, 2 / 3]
    assert "positions: 0 is '1'" in reseed.inspect(study).stability.notes[0]
