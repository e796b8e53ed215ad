"""Opening studies: views, missing runs, corrupt files."""

import json
import shutil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reseed._errors import StudyError
from reseed.studies import Study, train_study
from reseed.studies._views import stacked_view
from reseed.training import Recipe


def test_views_are_labelled_and_lazy(finished_study):
    """Axes are named, coordinates are runs, steps, ids and classes, and nothing is read before it is asked for."""
    study = Study.open(finished_study)
    assert study.labels.dims == ("run", "checkpoint", "sample")
    probabilities = study.recorded("probabilities")
    assert probabilities.dims == ("run", "checkpoint", "sample", "class")
    assert not probabilities.variable._in_memory
    assert probabilities.run.values.tolist() == [0, 1, 2, 3]
    assert probabilities.checkpoint.values.tolist() == [12, 24, 36, 48, 60, 69]
    assert probabilities.sample.values.tolist() == list(study.samples.ids)
    assert probabilities["class"].values.tolist() == [str(digit) for digit in range(10)]
    one = probabilities.sel(run=2, checkpoint=69)
    np.testing.assert_allclose(one.sum("class"), 1, atol=1e-5)
    assert np.array_equal(one.argmax("class"), study.labels.sel(run=2, checkpoint=69))


def test_scores_belong_to_the_probabilities(finished_study):
    """Recorded scores are what the recorded probabilities say."""
    study = Study.open(finished_study)
    p = study.final("probabilities")
    own = np.take_along_axis(p, study.targets[None, :, None], axis=2)[..., 0]
    np.testing.assert_allclose(study.final("own_probability"), own)
    np.testing.assert_allclose(study.final("confidence"), p.max(2))
    accuracy = (study.final("labels") == study.targets).mean(1)
    np.testing.assert_allclose(accuracy, [manifest.accuracy for manifest in study.manifests])


def test_the_training_split_is_recorded_when_asked(finished_study):
    """Predictions on the training split have their own view."""
    study = Study.open(finished_study)
    assert study.recorded("labels", "train").shape == (4, 6, 1437)
    assert study.recorded_names("train") == study.recorded_names()


SHAPE = (3, 4, 5)


@settings(deadline=None)
@given(st.data())
def test_lazy_indexing_equals_numpy(data):
    """Any outer selection of the view is what numpy gives on the stacked array."""
    import zarr

    whole = np.arange(60).reshape(SHAPE)
    arrays = [zarr.create_array(zarr.storage.MemoryStore(), data=part, chunks=(2, 3)) for part in whole]
    view = stacked_view(arrays, {"run": [5, 6, 9]}, "labels")
    expected = whole
    for axis, (name, size) in enumerate(zip(view.dims, SHAPE, strict=True)):
        key = data.draw(
            st.one_of(
                st.slices(size).filter(lambda key: (key.step or 1) > 0),  # xarray itself fails on empty reversed ones
                st.lists(st.integers(0, size - 1), max_size=4).map(lambda items: np.array(items, dtype=int)),
            ),
            label=name,
        )
        view = view.isel({name: key})
        expected = np.take(expected, np.arange(size)[key], axis=axis)
    assert np.array_equal(view.to_numpy(), expected)


def test_missing_runs_are_named_and_left_out(study):
    """A study opens without some of its runs, says which, and its arrays hold the others."""
    shutil.rmtree(study.path / "runs" / "run-00001")
    opened = Study.open(study.path)
    assert opened.missing == (1,)
    assert opened.labels.run.values.tolist() == [0, 2, 3]
    assert "3 runs, 1 missing" in repr(opened)


def test_what_was_not_recorded_is_refused(train):
    """Asking for scores of a study that kept labels lists what it has and how to record more."""
    from reseed.training import RecordConfig

    study = train(record=RecordConfig("final", level="labels"))
    with pytest.raises(StudyError, match=r"did not record 'margin' of the split 'evaluation'; it has: labels. Record"):
        study.final("margin")
    with pytest.raises(StudyError, match="of the split 'train'; it has: nothing"):
        study.recorded("labels", "train")


def test_a_folder_without_a_study_is_refused(tmp_path):
    """Opening nothing raises with the path."""
    with pytest.raises(StudyError, match=r"'.*nowhere' holds no study: it has no readable study.json"):
        Study.open(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "the study header '.*study.json' is corrupt"),
        ("[]", "has format None, but this version of reseed reads format 1"),
        ('{"format": 2}', "has format 2, but this version of reseed reads format 1; open it with the version"),
        ('{"format": 1}', "is corrupt: KeyError: 'class_names'"),
    ],
)
def test_corrupt_or_foreign_headers_are_refused(study, text, message):
    """A broken header, or one of another version, raises and says so."""
    (study.path / "study.json").write_text(text)
    with pytest.raises(StudyError, match=message):
        Study.open(study.path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda tree: "{", "is corrupt: JSONDecodeError"),
        (lambda tree: json.dumps([]), "is corrupt: TypeError"),
        (lambda tree: json.dumps({}), "is corrupt: KeyError: 'steps'"),
        (lambda tree: json.dumps(tree | {"run": 7}), "it speaks of run 7"),
        (lambda tree: json.dumps(tree | {"status": "half"}), "is corrupt: TypeError: status: "),
        (lambda tree: json.dumps(tree | {"predictions": "../../x"}), "'../../x' is no name of a predictions group"),
        (lambda tree: json.dumps(tree | {"predictions": 5}), "predictions: int is not an instance of str"),
        (lambda tree: json.dumps(tree | {"steps": ["a"]}), "steps: item 0 of tuple is not an instance of int"),
        (lambda tree: json.dumps(tree | {"extra": 1}), "unexpected keyword argument 'extra'"),
    ],
)
def test_corrupt_manifests_are_refused(study, change, message):
    """A broken manifest raises with its path and says which folder to delete."""
    path = study.path / "runs" / "run-00002" / "manifest.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(StudyError, match=message) as raised:
        Study.open(study.path)
    assert "Delete the folder" in str(raised.value)
    assert "run-00002" in str(raised.value)


def test_a_run_of_another_study_is_refused(study, train):
    """A run folder moved here from a study of another recipe raises."""
    other = train("other", Recipe(epochs=1), runs=2)
    folder = study.path / "runs" / "run-00001"
    shutil.rmtree(folder)
    shutil.copytree(other.path / "runs" / "run-00001", folder)
    with pytest.raises(StudyError, match=r"run 1 of the study .* belongs to another recipe or other data"):
        Study.open(study.path)


def test_missing_samples_are_named(study):
    """Without its table of samples a study is not usable."""
    (study.path / "evaluation.parquet").unlink()
    with pytest.raises(StudyError, match=r"cannot read '.*evaluation.parquet'"):
        Study.open(study.path)
    (study.path / "evaluation.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(StudyError, match=r"cannot read '.*evaluation.parquet'"):
        Study.open(study.path)


def test_no_complete_run_is_an_error_only_for_arrays(study):
    """A study without complete runs opens, and says so when arrays are asked for."""
    shutil.rmtree(study.path / "runs")
    opened = Study.open(study.path)
    assert opened.missing == (0, 1, 2, 3)
    with pytest.raises(StudyError, match="has no complete run yet"):
        _ = opened.labels


def test_another_recipe_in_the_same_folder_is_refused(train):
    """Continuing with another recipe, seed or recording raises and lists what differs."""
    root = train("kept", Recipe(epochs=1), runs=2).path
    with pytest.raises(StudyError, match=r"already holds a study of another recipe \(epochs: 1 there, 2 now\)"):
        train_study(Recipe(epochs=2), root, runs=2)
    with pytest.raises(StudyError, match=r"already holds another study \(threads: 1 there, 2 now\). Choose another"):
        train_study(Recipe(epochs=1), root, runs=2, threads=2)


def test_a_study_killed_while_it_was_made_can_be_made_again(train, tmp_path):
    """Files that a killed process left before the header was written are no other study."""
    folder = tmp_path / "study"
    (folder / "cache").mkdir(parents=True)
    for name in ("evaluation.parquet", ".recipe.toml.0123abcd", ".lock"):
        (folder / name).write_bytes(b"half")
    assert len(train("study", runs=2).manifests) == 2


def test_a_folder_with_other_files_is_refused(tmp_path):
    """A folder that holds something else is never written into."""
    (tmp_path / "precious.txt").write_text("mine")
    with pytest.raises(StudyError, match="exists and holds no study; choose another out, or an empty folder"):
        train_study(Recipe(epochs=1), tmp_path, runs=2)
    assert (tmp_path / "precious.txt").read_text() == "mine"
