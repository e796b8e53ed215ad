"""`Recorder`: one run of a study from any loop."""

import numpy as np
import pytest
import torch
from scipy.special import softmax
from sklearn.datasets import load_digits
from torch import nn

import reseed
from reseed import InputError, Recorder, Study, StudyError
from reseed.cli import main

DATA = (None, [0, 1, 1])
RANDOM = np.random.default_rng(0)
LOGITS = RANDOM.normal(size=(5, 3, 2))  # [checkpoint, sample, class]


def record(out, run=0, *, checkpoints=LOGITS, runs=2, data=DATA, on_error="raise", **options):
    """Record predictions that are there, and open the study."""
    with Recorder(out, run=run, runs=runs, data=data, on_error=on_error, **options) as recorder:
        for predicted in checkpoints:
            recorder.record(predicted)
    return Study.open(out)


def _interrupted():
    yield LOGITS[0]
    raise KeyboardInterrupt


def train(out, run, epochs=2):
    """Train a small network on digits in a plain loop, recorded, and return its weights."""
    inputs, targets = load_digits(return_X_y=True)
    x, y = torch.tensor(inputs, dtype=torch.float32) / 16, torch.tensor(targets)
    torch.manual_seed(run)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 10))
    optimizer, step = torch.optim.Adam(model.parameters(), lr=0.01), 0

    def loop(recorder=None):
        nonlocal step
        for _ in range(epochs):
            for rows in torch.randperm(1000).split(100):
                optimizer.zero_grad()
                nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
                optimizer.step()
                step += 1
            if recorder is not None:
                recorder.record(model, step)

    if out is None:
        loop()
    else:
        with Recorder(out, run=run, runs=3, data=(x[1000:], y[1000:]), seed=run, level="full") as recorder:
            loop(recorder)
    return model.state_dict(), (model.eval()(x[1000:]).softmax(1).detach().numpy())


def test_a_plain_loop_becomes_a_study(tmp_path, capsys):
    """Three recorded trainings on digits are an ordinary study, which the command line inspects and reports."""
    final = [train(tmp_path / "mine", run)[1] for run in range(3)]
    study = Study.open(tmp_path / "mine")
    assert study.recorded("probabilities").shape == (3, 2, 797, 10)
    np.testing.assert_allclose(study.final("probabilities"), final, atol=1e-6)
    assert [manifest.seeds for manifest in study.manifests] == [{"fit": 0}, {"fit": 1}, {"fit": 2}]
    assert study.labels.coords["checkpoint"].values.tolist() == [10, 20]
    assert study.manifests[0].accuracy == (np.argmax(final[0], 1) == study.targets).mean()
    for command in ("inspect", "report"):
        with pytest.raises(SystemExit) as ended:
            main([command, str(tmp_path / "mine")])
        assert ended.value.code == 0
    assert "label entropy" in capsys.readouterr().out.lower()
    assert reseed.inspect(study).summary["runs"] == 3


def test_recording_leaves_the_training_as_it_was(tmp_path):
    """With dropout and a shuffled order, recorded and unrecorded trainings end with the same bits."""
    recorded, plain = train(tmp_path / "mine", 0)[0], train(None, 0)[0]
    assert all(torch.equal(recorded[name], plain[name]) for name in plain)


def test_many_checkpoints_of_unknown_number(tmp_path):
    """More checkpoints than fit into one stored chunk come back in order."""
    logits = RANDOM.normal(size=(150, 3, 2))
    study = record(tmp_path, checkpoints=logits, level="full")
    np.testing.assert_array_equal(study.labels.values[0], logits.argmax(2))
    np.testing.assert_allclose(study.recorded("probabilities").values[0], softmax(logits, 2), atol=1e-6)
    assert study.manifests[0].steps == tuple(range(1, 151))


def test_logits_and_their_probabilities_record_the_same(tmp_path):
    """Softmax outputs under `outputs='probabilities'` give what logits give."""
    first = record(tmp_path / "a")
    second = record(tmp_path / "b", checkpoints=softmax(LOGITS, 2), outputs="probabilities")
    for name in first.recorded_names():
        np.testing.assert_allclose(first.recorded(name), second.recorded(name), atol=1e-6)


@pytest.mark.parametrize("cast", [np.asarray, torch.tensor, np.ndarray.tolist, lambda x: torch.tensor(x).half()])
def test_forms_of_predictions(tmp_path, cast):
    """Arrays, tensors, half precision and lists are taken alike."""
    study = record(tmp_path, checkpoints=[cast(logits) for logits in LOGITS])
    np.testing.assert_array_equal(study.labels.values[0], LOGITS.argmax(2))


def test_labels_by_name(tmp_path):
    """Labels may be class names when only labels are recorded."""
    study = record(tmp_path, checkpoints=[["b", "a", "b"]], data=(None, ["a", "b", "b"]), level="labels")
    assert study.final().tolist() == [[1, 0, 1]]


def test_functions_get_batches_of_the_inputs(tmp_path):
    """A function of one's own is called with consecutive batches, whatever the inputs are."""
    sizes = []

    def predict(batch):
        sizes.append(len(batch))
        return [[float(text == "yes"), 0.5] for text in batch]

    study = record(tmp_path, checkpoints=[predict], data=(["yes", "no", "yes"], [0, 1, 1]), batch_size=2)
    assert sizes == [2, 1]
    assert study.final().tolist() == [[0, 1, 0]]


def test_only_the_last_checkpoint_is_kept_of_trainings_that_differ_in_length(tmp_path):
    """With `every='final'` runs may stop at different steps."""
    record(tmp_path, 0, every="final")
    study = record(tmp_path, 1, checkpoints=LOGITS[:2], every="final")
    assert [manifest.steps for manifest in study.manifests] == [(5,), (2,)]
    np.testing.assert_array_equal(study.final(), [LOGITS[4].argmax(1), LOGITS[1].argmax(1)])


def test_runs_of_other_checkpoints_are_refused_and_leave_nothing(tmp_path):
    """A run that is shorter or longer than the finished ones, or at other steps, says what to do."""
    record(tmp_path, 0)
    with pytest.raises(StudyError, match=r"at 2 checkpoints, run 0 of the study .* at 5 .* pass every='final'"):
        record(tmp_path, 1, checkpoints=LOGITS[:2])
    with pytest.raises(StudyError, match=r"step 6 as its checkpoint 6, but the finished runs .* 1, 2, 3, 4, 5; record"):
        record(tmp_path, 1, checkpoints=[*LOGITS, LOGITS[0]])
    assert list((tmp_path / "runs").rglob("predictions-*")) == list((tmp_path / "runs" / "run-00000").glob("pred*"))
    assert Study.open(tmp_path).missing == (1,)


def test_an_interrupted_run_leaves_nothing(tmp_path):
    """After an error in the loop the run can be begun again, and finished runs are as they were."""
    with pytest.raises(KeyboardInterrupt):
        record(tmp_path, checkpoints=_interrupted())
    assert not list(tmp_path.rglob("predictions-*"))
    assert Recorder.missing(tmp_path, 2) == (0, 1)
    record(tmp_path, 0)
    assert Recorder.missing(tmp_path, 2) == (1,)


def test_what_a_killed_process_left_is_removed(tmp_path):
    """Beginning a run removes the predictions that no manifest names."""
    Recorder(tmp_path, run=0, runs=2, data=DATA).begin()
    assert len(list(tmp_path.rglob("predictions-*"))) == 1
    record(tmp_path, 0)
    assert len(list(tmp_path.rglob("predictions-*"))) == 1


def test_runs_may_overlap(tmp_path):
    """Two recorders write different runs of one study at once; the second of the same run is told."""
    first, second, again = (Recorder(tmp_path, run=run, runs=2, data=DATA) for run in (0, 1, 1))
    for recorder in (first, second):
        recorder.begin()
    for logits in LOGITS:
        second.record(logits)
        first.record(logits)
    second.finish()
    first.finish()
    assert Study.open(tmp_path).missing == ()
    with pytest.raises(StudyError, match=r"run 1 of the study .* is finished; record one that is missing, or delete"):
        again.begin()


def test_another_study_is_refused(tmp_path):
    """A folder is continued only with the same evaluation data and settings."""
    record(tmp_path, 0)
    with pytest.raises(StudyError, match="already holds another study"):
        record(tmp_path, 1, data=(None, [0, 0, 1]))
    with pytest.raises(StudyError, match="already holds another study"):
        record(tmp_path, 1, level="full")


def test_a_training_that_is_not_finite_counts_as_diverged(tmp_path):
    """The first predictions that are not finite end the recording of the run, with a warning."""
    bad = [LOGITS[0], np.full((3, 2), np.nan), LOGITS[1]]
    with pytest.warns(UserWarning, match="predictions at step 2 are not finite: run 0 counts as diverged"):
        study = record(tmp_path, checkpoints=bad)
    assert [(manifest.run, manifest.diverged_at) for manifest in study.diverged] == [(0, 2)]
    assert study.missing == (1,)


def test_interrupted_trainings_go_on_from_their_checkpoint(tmp_path):
    """What was recorded up to the step of resuming is kept, what came after it is recorded anew."""
    recorder = Recorder(tmp_path, run=0, runs=2, data=DATA)
    recorder.begin(resumable=True)
    for logits in LOGITS[:3]:
        recorder.record(logits)
    recorder.discard()
    recorder = Recorder(tmp_path, run=0, runs=2, data=DATA)
    recorder.begin(resumable=True, resume_from=2)
    assert recorder.steps == (1, 2)
    for logits in LOGITS[2:]:
        recorder.record(logits)
    recorder.finish()
    np.testing.assert_array_equal(Study.open(tmp_path).labels.values[0], LOGITS.argmax(2))
    assert not list(tmp_path.rglob("unfinished"))
    with pytest.raises(
        StudyError, match=r"goes on from step 2, but .* holds nothing .* train the run from its beginning"
    ):
        Recorder(tmp_path, run=1, runs=2, data=DATA).begin(resumable=True, resume_from=2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runs": 0}, "runs must be 1 or more, got 0"),
        ({"run": 2}, r"run must be a number from 0 to 1 \(runs=2\), got 2"),
        ({"run": True}, "got True"),
        ({"outputs": "scores"}, "outputs must be 'logits' or 'probabilities', got 'scores'"),
        ({"batch_size": 0}, "batch_size must be 1 or more, got 0"),
        ({"data": (None, None)}, r"data is \(None, None\); pass inputs, targets, or both"),
        ({"predicted": lambda inputs: inputs}, "data has no inputs to predict"),
        ({"predicted": np.zeros((4, 2))}, r"with 3 samples, got \(4, 2\)"),
        ({"predicted": np.zeros((3, 5))}, "predictions have 5 columns for the 2 classes"),
        ({"predicted": np.zeros((3, 2), int)}, r"of shape \[sample, class\] must be floats, got int64"),
        ({"predicted": np.full((3, 2), 0.5)}, "predictions are probabilities, .* pass outputs='probabilities'"),
        ({"outputs": "probabilities"}, "pass softmax outputs, not logits"),
        ({"predicted": [0, 1, 1]}, "predictions are labels, .* level='labels'"),
        ({"step": -1}, "step must be a whole number of steps, 0 or more, got -1"),
        ({"step": 1.5}, "got 1.5"),
    ],
)
def test_mistakes(tmp_path, options, message):
    """Each message names what is wrong, shows it and says what to do; nothing is left of the run."""
    options = {"out": tmp_path, "run": 0, "runs": 2, "data": DATA, "predicted": LOGITS[0], "step": 3} | options
    options["on_error"] = "raise"
    predicted, step, out = options.pop("predicted"), options.pop("step"), options.pop("out")
    with pytest.raises(InputError, match=message), Recorder(out, **options) as recorder:
        recorder.record(predicted, step)
    assert not list(tmp_path.rglob("predictions-*"))


def test_mistakes_in_the_order_of_calls(tmp_path):
    """Steps must rise, something must be recorded, and recording needs an open recorder."""
    recorder = Recorder(tmp_path, run=0, runs=2, data=DATA, on_error="raise")
    with pytest.raises(InputError, match="the recorder is not open; use it as"):
        recorder.record(LOGITS[0])
    recorder.begin()
    recorder.record(LOGITS[0], 4)
    with pytest.raises(InputError, match="step must rise from checkpoint to checkpoint, got 4 after 4"):
        recorder.record(LOGITS[0], 4)
    recorder.discard()
    with pytest.raises(StudyError, match="run 0 has no checkpoint; call record at least once"), recorder:
        pass
