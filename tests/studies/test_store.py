"""The store: blocks, chunks, leftovers, and reading with other tools."""

import numpy as np
import pytest
import zarr

from reseed._errors import StudyError
from reseed.studies import _store
from reseed.studies._manifest import Manifest, read_manifest, run_folder
from reseed.studies._store import open_array, remove_leftovers, run_writer


def write_run(root, checkpoints=7, samples=10, classes=3, run=0):
    """Write random labels and probabilities; return them with the manifest."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, classes, (checkpoints, samples))
    probabilities = rng.random((checkpoints, samples, classes)).astype(np.float32)
    with run_writer(root, run, checkpoints, classes) as writer:
        for checkpoint in range(checkpoints):
            arrays = {"labels": labels[checkpoint], "probabilities": probabilities[checkpoint]}
            writer.write("evaluation", checkpoint, arrays)
        manifest = Manifest(run, "complete", writer.name, tuple(range(checkpoints)), "digest")
        writer.finish(manifest)
    return manifest, labels, probabilities


@pytest.mark.parametrize(("block", "chunk"), [(4 << 20, 16 << 20), (1, 1), (240, 200), (100, 16 << 20)])
def test_what_is_written_is_read_whatever_the_blocks(tmp_path, monkeypatch, block, chunk):
    """Arrays survive any division into blocks of checkpoints and chunks of samples."""
    monkeypatch.setattr(_store, "_BLOCK_BYTES", block)
    monkeypatch.setattr(_store, "_CHUNK_BYTES", chunk)
    manifest, labels, probabilities = write_run(tmp_path)
    assert np.array_equal(open_array(tmp_path, manifest, "evaluation", "labels")[:], labels)
    assert np.array_equal(open_array(tmp_path, manifest, "evaluation", "probabilities")[:], probabilities)


def test_other_tools_open_a_run(tmp_path):
    """Plain zarr reads a run, and its axes have names."""
    manifest, labels, _ = write_run(tmp_path)
    group = zarr.open_group(run_folder(tmp_path, 0) / manifest.predictions / "evaluation", mode="r")
    assert np.array_equal(group["labels"][:], labels)
    assert group["probabilities"].metadata.dimension_names == ("checkpoint", "sample", "class")
    assert group["labels"].metadata.zarr_format == 3


@pytest.mark.parametrize(("classes", "kind"), [(10, np.int16), (32767, np.int16), (32768, np.int32)])
def test_labels_are_as_wide_as_the_classes_need(tmp_path, classes, kind):
    """Labels of up to 32,767 classes take two bytes, more take four."""
    with run_writer(tmp_path, 0, 1, classes) as writer:
        writer.write("evaluation", 0, {"labels": np.array([0, classes - 1])})
        writer.finish(manifest := Manifest(0, "complete", writer.name, (0,), "digest"))
    stored = open_array(tmp_path, manifest, "evaluation", "labels")
    assert stored.dtype == kind
    assert stored[:].tolist() == [[0, classes - 1]]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_unfinished_run_does_not_exist(tmp_path, error):
    """A run that is interrupted while it is written leaves no manifest and no predictions."""

    def write_and_fail():
        with run_writer(tmp_path, 0, 2, 3) as writer:
            writer.write("evaluation", 0, {"labels": np.zeros(5, int)})
            raise error

    with pytest.raises(error):
        write_and_fail()
    assert read_manifest(tmp_path, 0) is None
    assert list(run_folder(tmp_path, 0).iterdir()) == []


def test_what_comes_after_a_run_is_finished_leaves_it_alone(tmp_path):
    """Ctrl-C just after the manifest is written keeps the predictions; of an unfinished neighbour nothing stays."""

    def finish_and_fail():
        with run_writer(tmp_path, 0, 1, 3) as first, run_writer(tmp_path, 1, 1, 3) as second:
            for writer in (first, second):
                writer.write("evaluation", 0, {"labels": np.arange(3)})
            first.finish(Manifest(0, "complete", first.name, (0,), "digest"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        finish_and_fail()
    manifest = read_manifest(tmp_path, 0)
    assert open_array(tmp_path, manifest, "evaluation", "labels")[:].tolist() == [[0, 1, 2]]
    assert read_manifest(tmp_path, 1) is None
    assert list(run_folder(tmp_path, 1).iterdir()) == []


def test_leftovers_of_killed_writers_are_removed(tmp_path):
    """Groups that no manifest names go, the finished one stays."""
    manifest, *_ = write_run(tmp_path)
    leftover = run_folder(tmp_path, 0) / "predictions-00000000"
    leftover.mkdir()
    remove_leftovers(tmp_path, 0, manifest)
    assert not leftover.exists()
    assert (run_folder(tmp_path, 0) / manifest.predictions).exists()
    remove_leftovers(tmp_path, 0, None)
    assert not (run_folder(tmp_path, 0) / manifest.predictions).exists()


def test_predictions_that_were_taken_away_make_no_run(tmp_path):
    """A worker that was taken for dead, and whose leftovers were removed, does not make a run of what is left."""
    with run_writer(tmp_path, 0, 2, 10) as writer:
        writer.write("evaluation", 0, {"labels": np.zeros(5, int)})
        remove_leftovers(tmp_path, 0, None)
        writer.write("evaluation", 1, {"labels": np.zeros(5, int)})
        manifest = Manifest(0, "complete", writer.name, (0, 1), "data")
        with pytest.raises(StudyError, match="the predictions of run 0 were removed while they were written"):
            writer.finish(manifest)
    assert read_manifest(tmp_path, 0) is None


def test_missing_and_foreign_arrays_are_refused(tmp_path):
    """An array that is not there, or does not hold numbers, raises with its path."""
    manifest, *_ = write_run(tmp_path)
    with pytest.raises(StudyError, match=r"cannot read the predictions '.*margin'"):
        open_array(tmp_path, manifest, "evaluation", "margin")
    group = zarr.open_group(run_folder(tmp_path, 0) / manifest.predictions / "evaluation", mode="a")
    group.create_array("words", data=np.array([True, False]))
    with pytest.raises(StudyError, match=r"words' are corrupt: they hold bool"):
        open_array(tmp_path, manifest, "evaluation", "words")
