"""`RunRecording`: a run that a foreign training writes, in arrays."""

import numpy as np
import pytest

from reseed import InputError, RecordConfig, StudyError
from reseed.studies import Header, RunRecording, Samples, Study

SAMPLES = Samples(("0", "1", "2", "3"), np.array([0, 1, 1, 0]), ("0", "1"))
HEADER = Header("fit", "data", "model", 2, SAMPLES.class_names, SAMPLES.digest, record=RecordConfig(level="labels"))
LABELS = np.array([0, 1, 0, 0])


def test_arrays_come_back_at_their_steps(tmp_path):
    """What was written is read as the study's labels, and the accuracy is that of the last checkpoint."""
    recording = RunRecording(tmp_path, np.int64(1), HEADER, SAMPLES)
    recording.write({"labels": 1 - LABELS}, np.int64(5))
    recording.write({"labels": LABELS}, 9)
    manifest = recording.finish({"fit": 3})
    assert (manifest.run, manifest.steps, manifest.accuracy, manifest.seeds) == (1, (5, 9), 0.75, {"fit": 3})
    labels = Study.open(tmp_path).labels
    np.testing.assert_array_equal(labels.values, [[1 - LABELS, LABELS]])
    assert labels.coords["checkpoint"].values.tolist() == [5, 9]


def test_checkpoints_hold_the_same_arrays(tmp_path):
    """Another set of arrays than that of the checkpoint before is refused."""
    recording = RunRecording(tmp_path, 0, HEADER, SAMPLES)
    recording.write({"labels": LABELS}, 1)
    with pytest.raises(InputError, match="step 2 records labels, margin, the checkpoint before it labels; record the"):
        recording.write({"labels": LABELS, "margin": LABELS / 2}, 2)


def test_two_writers_of_one_run(tmp_path):
    """The later writer takes the run over; the earlier one is told that its predictions are gone."""
    first = RunRecording(tmp_path, 0, HEADER, SAMPLES)
    first.write({"labels": LABELS}, 1)
    second = RunRecording(tmp_path, 0, HEADER, SAMPLES)
    second.write({"labels": 1 - LABELS}, 1)
    second.finish()
    with pytest.raises(StudyError, match=r"run 0 of the study .* is finished; record one that is missing"):
        first.finish()
    np.testing.assert_array_equal(Study.open(tmp_path).final(), [1 - LABELS])


def test_a_discarded_run_can_be_recorded_again(tmp_path):
    """Nothing is left of a recording that was discarded."""
    recording = RunRecording(tmp_path, 0, HEADER, SAMPLES)
    recording.write({"labels": LABELS}, 1)
    recording.discard()
    assert not list(tmp_path.rglob("predictions-*"))
    assert Study.open(tmp_path).missing == (0, 1)
