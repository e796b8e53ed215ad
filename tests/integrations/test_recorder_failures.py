"""`Recorder` when recording fails: the training is left alone, what is not finite counts as diverged."""

import logging

import numpy as np
import pytest
import torch
from torch import nn

from reseed import InputError, Recorder, Study, StudyError
from reseed.integrations import RecordingWarning
from reseed.studies import RunRecording
from reseed.studies._store import _Buffer

DATA = (torch.arange(6.0).reshape(3, 2), [0, 1, 1])
LOGITS = np.random.default_rng(0).normal(size=(4, 3, 2))


def recorder(out, run=0, **options):
    """A recorder of three samples."""
    return Recorder(out, **{"run": run, "runs": 2, "data": DATA} | options)


def loop(out, predicted, run=0, **options):
    """Record what is predicted at each step, and return the recorder and the steps that the loop came to."""
    done = []
    with recorder(out, run, **options) as ours:
        for step, found in predicted.items():
            ours.record(found, step)
            done.append(step)
    return ours, done


def breaks(_):
    """Predict, and fail."""
    raise ZeroDivisionError("division by zero")


def test_an_error_at_a_checkpoint_is_reported_and_the_loop_goes_on(tmp_path, caplog):
    """What fails at step 3 is told once, with its traceback in the log; nothing of the run is left, nor in the way."""
    with pytest.warns(RecordingWarning) as told:
        ours, done = loop(tmp_path, {1: LOGITS[0], 2: LOGITS[1], 3: breaks, 4: breaks, 5: "nonsense"})
    assert done == [1, 2, 3, 4, 5]
    (message,) = [str(each.message) for each in told]
    assert message == (
        "run 0 is recorded no longer, and nothing of it kept, since step 3: ZeroDivisionError: division by zero. The "
        "training is left alone; on_error='raise' raises the error instead."
    )
    (entry,) = caplog.records
    assert (entry.name, entry.levelno, entry.getMessage()) == ("reseed.integrations", logging.ERROR, message)
    assert entry.exc_info[0] is ZeroDivisionError
    assert ours.steps == ()
    assert not list(tmp_path.rglob("predictions-*"))
    assert Recorder.missing(tmp_path, 2) == (0, 1)
    loop(tmp_path, {1: LOGITS[0]})
    assert Recorder.missing(tmp_path, 2) == (1,)


@pytest.mark.parametrize("every", [1, "final"])
def test_a_full_disk_does_not_end_the_loop(tmp_path, monkeypatch, every):
    """Where nothing can be written, at a checkpoint or at the end, the block ends without an error."""

    def full(self, *arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_Buffer, "append", full)
    with pytest.warns(RecordingWarning, match="No space left on device"):
        loop(tmp_path, {1: LOGITS[0]}, every=every)
    assert Study.open(tmp_path).missing == (0, 1)
    assert not list(tmp_path.rglob("predictions-*"))


def test_a_run_of_other_steps_does_not_end_the_loop(tmp_path):
    """Steps that the finished runs have not, and steps that are missing in the end, are told as warnings."""
    loop(tmp_path, {1: LOGITS[0], 2: LOGITS[0]})
    with pytest.warns(RecordingWarning, match="step 3 as its checkpoint 2, but the finished runs"):
        loop(tmp_path, {1: LOGITS[0], 3: LOGITS[0]}, 1)
    with pytest.warns(RecordingWarning, match="run 1 is not finished: run 1 was recorded at 1 checkpoints"):
        loop(tmp_path, {1: LOGITS[0]}, 1)
    assert Study.open(tmp_path).missing == (1,)


def test_a_run_that_somebody_else_finished_does_not_end_the_loop(tmp_path):
    """A run that was finished elsewhere meanwhile stays as it is, and is refused before the next training."""
    ours = recorder(tmp_path)
    ours.begin()
    ours.record(LOGITS[0])
    loop(tmp_path, {1: LOGITS[1]})
    with pytest.warns(RecordingWarning, match="run 0 of the study .* is finished"):
        ours.finish()
    assert np.array_equal(Study.open(tmp_path).final(), [LOGITS[1].argmax(1)])
    with pytest.raises(StudyError, match="is finished; record one that is missing"), recorder(tmp_path):
        pass


def test_errors_can_be_raised_instead(tmp_path):
    """With `on_error='raise'` errors come as they are, other values are refused."""
    with pytest.raises(ZeroDivisionError), recorder(tmp_path, on_error="raise") as ours:
        ours.record(breaks)
    with pytest.raises(InputError, match="on_error must be 'report' or 'raise', got 'ignore'"):
        recorder(tmp_path, on_error="ignore")


def test_an_interruption_is_no_failure(tmp_path):
    """Ctrl-C within a prediction ends the loop as it does anywhere else."""

    def interrupted(_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), recorder(tmp_path) as ours:
        ours.record(interrupted)
    assert Recorder.missing(tmp_path, 2) == (0, 1)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("bad", "options"),
    [
        (np.array([[0.0, 1], [NAN, 0], [0, 0]]), {}),
        ([[0.0, 1], [-INF, 0], [0, 0]], {}),
        (torch.tensor([[0.0, 1], [NAN, 0], [0, 0]], dtype=torch.bfloat16), {"level": "full"}),
        (torch.full((3, 2), INF).half(), {"level": "labels"}),
        (np.array([[0, 1e39], [0, 1], [0, 0]]), {}),  # infinite in the single precision in which scores are kept
        ([[0.5, 0.5], [NAN, NAN], [0.5, 0.5]], {"outputs": "probabilities"}),
        ([[0.5, 0.5], [INF, -INF], [0.5, 0.5]], {"outputs": "probabilities", "level": "labels"}),
        ([0.0, NAN, 1.0], {"level": "labels"}),
        (torch.tensor([0.0, NAN, 1.0]), {"level": "labels"}),
        (["a", NAN, "b"], {"level": "labels", "data": (None, ["a", "b", "b"])}),
        (lambda inputs: inputs * NAN, {}),
    ],
)
def test_what_is_not_finite_counts_as_diverged(tmp_path, bad, options):
    """NaN and infinite scores, of any type and kind, and labels that are NaN, end the run as diverged then."""
    are_labels = np.ndim(bad) == 1
    good = options.get("data", DATA)[1] if are_labels else [[0.25, 0.75 if "outputs" in options else 2.75]] * 3
    with pytest.warns(RecordingWarning, match="predictions at step 5 are not finite: run 0 counts as diverged"):
        loop(tmp_path, {2: good, 5: bad, 6: good}, **options)
    (manifest,) = Study.open(tmp_path).diverged
    assert (manifest.status, manifest.diverged_at, manifest.steps) == ("diverged", 5, (2,))


def test_a_recording_takes_no_scores_that_are_not_finite(tmp_path):
    """Arrays handed to `RunRecording` follow the same rule; only what belongs to an unknown target may be NaN."""
    ours = recorder(tmp_path, data=(None, ["a", "b", "b"]), sample_ids="xyz")
    recording = RunRecording(tmp_path, 0, ours._header, ours._samples)
    arrays = {"labels": np.zeros(3, int), "own_probability": np.full(3, NAN), "confidence": np.ones(3)}
    recording.write(arrays, 1)
    assert not recording.has_diverged
    recording.write(arrays | {"confidence": np.array([1, NAN, 1])}, 2)
    recording.write(arrays, 3)
    assert recording.has_diverged
    assert recording.steps == (1,)
    assert recording.finish().diverged_at == 2


def test_check_finds_mistakes_before_the_loop(tmp_path):
    """What `record` would refuse is raised from a few samples, with its cause, and nothing is written."""
    ours = recorder(tmp_path / "study")
    with pytest.raises(InputError, match=r"predictions have 5 columns for the 2 classes"):
        ours.check(nn.Linear(2, 5))
    with pytest.raises(
        InputError,
        match=r"asked for 3 samples before the training it raised ZeroDivisionError: division by zero; a function",
    ):
        ours.check(breaks)
    with pytest.raises(InputError, match="are probabilities, each row sums to 1"):
        ours.check([[0.5, 0.5]] * 3)
    with pytest.warns(RecordingWarning, match="before the training are not finite; where they stay so, run 0 will"):
        ours.check(lambda inputs: inputs * NAN)
    assert not list(tmp_path.iterdir())


def test_check_leaves_no_trace():
    """The trial asks for eight samples, gives draws back, and leaves alone what the first call would shape."""
    asked = []
    ours = recorder("unused", data=(torch.randn(20, 2), [0, 1] * 10))
    ours.check(lambda inputs: asked.append(len(inputs)) or torch.rand(len(inputs), 2) - 5)
    assert asked == [8]
    lazy = nn.LazyLinear(2)
    torch.manual_seed(0)
    expected = torch.rand(2)
    torch.manual_seed(0)
    ours.check(lazy)
    assert torch.equal(torch.rand(2), expected)
    assert lazy.has_uninitialized_params()


def test_a_training_goes_on_with_its_record_from_before_the_failure_only(tmp_path):
    """Resumed after the step at which recording failed, checkpoints would be missing: refused; before it not."""

    def begun(**resume):
        ours = recorder(tmp_path, on_error="report")
        ours.begin(resumable=True, **resume)
        return ours

    first = begun()
    first.record(LOGITS[0], 1)
    first.record(LOGITS[1], 2)
    with pytest.warns(RecordingWarning, match="since step 3: ZeroDivisionError"):
        first.record(breaks, 3)
    with pytest.raises(StudyError, match="goes on from step 4, but recording it had stopped at step 3; go on from a"):
        begun(resume_from=4)
    again = begun(resume_from=2)
    for step in (3, 4):
        again.record(LOGITS[step - 1], step)
    again.finish()
    assert Study.open(tmp_path).manifests[0].steps == (1, 2, 3, 4)
    assert not list(tmp_path.rglob("*.stopped"))
