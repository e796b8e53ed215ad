"""The recorder of training dynamics."""

import io

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import DynamicsRecorder, logit_margin, training_dynamics
from reseed.instability.dynamics import _dynamics_recorder

CHECKPOINTS, SAMPLES, CLASSES = 7, 40, 4


@pytest.fixture
def logits():
    """Logits of 7 checkpoints, 40 samples and 4 classes, some of them tied."""
    return np.round(np.random.default_rng(8).normal(size=(CHECKPOINTS, SAMPLES, CLASSES)) * 2, 1)


@pytest.fixture
def targets():
    """True labels of 40 samples."""
    return np.random.default_rng(9).integers(0, CLASSES, SAMPLES)


def _offline(logits, targets, burn_in=0):
    """The table of the whole trajectory; the softmax is torch's."""
    own = torch.from_numpy(logits).softmax(-1).numpy()[:, np.arange(logits.shape[1]), targets]
    margins = logit_margin(logits, targets)
    return training_dynamics(logits.argmax(-1), targets, own_probability=own, margin=margins, burn_in=burn_in)


def _batches(rng, size):
    return np.array_split(rng.permutation(SAMPLES), SAMPLES // size)


def _record(recorder, logits, targets, rows=None, size=7, wrap=np.asarray, seed=0):
    """Shows every checkpoint in shuffled batches of the rows."""
    rng = np.random.default_rng(seed)
    for checkpoint in logits:
        for batch in _batches(rng, size):
            some = batch if rows is None else batch[np.isin(batch, rows)]
            recorder.update(wrap(some), wrap(checkpoint[some]), wrap(targets[some]))
        recorder.end_epoch()
    return recorder


def _assert_same(found, expected, tolerance=1e-12):
    assert set(found.samples) == set(expected.samples)
    for name, values in expected.samples.items():
        assert found.samples[name] == pytest.approx(values, abs=tolerance, nan_ok=True), name
    assert set(found.summary) == set(expected.summary)
    for name, value in expected.summary.items():
        assert found.summary[name] == (value if value is None else pytest.approx(value, abs=tolerance)), name


@pytest.mark.parametrize("granularity", ["visit", "epoch"])
@pytest.mark.parametrize("burn_in", [0, 3])
@pytest.mark.parametrize("size", [1, 7, SAMPLES])
def test_equals_the_whole_trajectory(logits, targets, granularity, burn_in, size):
    """Shuffled batches, of one sample as well, give the numbers of the functions on the trajectory."""
    recorder = DynamicsRecorder(SAMPLES, CLASSES, granularity=granularity, burn_in=burn_in)
    found = _record(recorder, logits, targets, size=size).result()
    _assert_same(found, _offline(logits, targets, burn_in))


def test_takes_tensors_that_need_gradients(logits, targets):
    """Logits as they come out of a model, in single precision, agree to single precision."""
    recorder = DynamicsRecorder(SAMPLES, CLASSES)
    wrapped = logits.astype(np.float32)

    def wrap(values):
        return torch.tensor(values, requires_grad=values.dtype == np.float32)

    found = _record(recorder, wrapped, targets, wrap=wrap).result()
    _assert_same(found, _offline(logits, targets), tolerance=1e-6)


def test_a_batch_of_one_may_lack_its_axis(logits, targets):
    """A row, its logits and its target without batch axis are a batch of one."""
    recorder = DynamicsRecorder(SAMPLES, CLASSES)
    for checkpoint in logits:
        for row in range(SAMPLES):
            recorder.update(row, checkpoint[row], targets[row])
    _assert_same(recorder.result(), _offline(logits, targets))


def test_samples_seen_unequally_often(logits, targets):
    """By visits, each sample has the numbers of its own shorter trajectory, also when it comes twice in a batch."""
    often = np.random.default_rng(10).integers(1, CHECKPOINTS + 1, SAMPLES)
    rows = np.repeat(np.arange(SAMPLES), often)
    shown = np.concatenate([logits[:count, row] for row, count in enumerate(often)])
    recorder = DynamicsRecorder(SAMPLES, CLASSES)
    for some in np.array_split(np.arange(len(rows)), 3):
        recorder.update(rows[some], shown[some], targets[rows[some]])
    found = recorder.result().samples
    for row, count in enumerate(often):
        alone = _offline(logits[:count, row : row + 1], targets[row : row + 1]).samples
        for name, values in alone.items():
            assert found[name][row] == pytest.approx(values[0], abs=1e-12), name


def test_by_epochs_a_second_look_is_ignored(logits, targets):
    """With `epoch` only the first time in an epoch counts, within one batch and across batches."""
    recorder = DynamicsRecorder(SAMPLES, CLASSES, granularity="epoch")
    rows = np.arange(SAMPLES)
    for checkpoint in logits:
        twice = np.concatenate([rows, rows[:5]])
        recorder.update(twice, np.concatenate([checkpoint, -checkpoint[:5]]), targets[twice])
        recorder.update(rows, checkpoint[::-1], targets)
        recorder.end_epoch()
    _assert_same(recorder.result(), _offline(logits, targets))


def test_by_epochs_times_are_epochs():
    """A sample that is first seen in the third epoch, and is right, is learned at index 2, not 0."""
    recorder = DynamicsRecorder(2, 2, granularity="epoch")
    for rows in ([0], [0], [0, 1]):
        recorder.update(rows, [[0.0, 1.0]] * len(rows), [1] * len(rows))
        recorder.end_epoch()
    assert recorder.result().samples["first_learned"].tolist() == [0, 2]


def test_a_saved_recorder_goes_on(logits, targets):
    """Saved with torch after three checkpoints and loaded, it ends with exactly the same numbers."""
    first = _record(DynamicsRecorder(SAMPLES, CLASSES), logits[:3], targets)
    kept = io.BytesIO()
    torch.save(first.state_dict(), kept)
    kept.seek(0)
    second = DynamicsRecorder(SAMPLES, CLASSES)
    second.load_state_dict(torch.load(kept, weights_only=True))
    for recorder in (first, second):
        _record(recorder, logits[3:], targets, seed=1)
    _assert_same(second.result(), first.result(), tolerance=0)


def test_a_state_is_a_copy(logits, targets):
    """What is recorded later does not change a state that was taken before."""
    recorder = _record(DynamicsRecorder(SAMPLES, CLASSES), logits[:2], targets)
    state = recorder.state_dict()
    _record(recorder, logits[2:], targets)
    assert int(state["state"]["visits"].max()) == 2


@pytest.mark.parametrize("granularity", ["visit", "epoch"])
def test_merged_devices_equal_one(logits, targets, granularity):
    """Two recorders of disjoint samples, merged, have the numbers of one that saw all."""
    parts = [
        _record(DynamicsRecorder(SAMPLES, CLASSES, granularity=granularity), logits, targets, rows=rows)
        for rows in (np.arange(0, SAMPLES, 2), np.arange(1, SAMPLES, 2))
    ]
    parts[0].merge(parts[1])
    _assert_same(parts[0].result(), _offline(logits, targets))


def test_merging_refuses_shared_samples_and_other_epochs(logits, targets):
    """Samples that both have seen, other settings and other epochs are refused, and nothing is changed."""
    recorder = _record(DynamicsRecorder(SAMPLES, CLASSES), logits, targets)
    with pytest.raises(InputError, match="other has seen 40 samples that this recorder has seen as well, the first is"):
        recorder.merge(recorder)
    with pytest.raises(
        InputError, match="other is of a recorder with burn_in=1, but this one has burn_in=0; make both"
    ):
        recorder.merge(DynamicsRecorder(SAMPLES, CLASSES, burn_in=1))
    with pytest.raises(InputError, match="state is of a recorder with samples=3, but this one has samples=40"):
        recorder.load_state_dict(DynamicsRecorder(3, CLASSES).state_dict())
    with pytest.raises(
        InputError, match=r"state has the keys \['epoch'\]; pass what `state_dict` of a recorder returned"
    ):
        recorder.load_state_dict({"epoch": 1})
    by_epoch = DynamicsRecorder(SAMPLES, CLASSES, granularity="epoch")
    later = DynamicsRecorder(SAMPLES, CLASSES, granularity="epoch")
    later.end_epoch()
    with pytest.raises(
        InputError, match="other is in epoch 1 but this recorder in epoch 0; merge after the same epoch"
    ):
        by_epoch.merge(later)
    _assert_same(recorder.result(), _offline(logits, targets))


def test_samples_that_were_not_seen_are_nan(logits, targets):
    """Samples without a checkpoint after the burn-in are NaN with a warning, and the summary leaves them out."""
    recorder = _record(DynamicsRecorder(SAMPLES, CLASSES), logits, targets, rows=np.arange(30))
    with pytest.warns(RuntimeWarning, match="10 of 40 samples were not seen after the burn-in; they are NaN"):
        found = recorder.result()
    expected = _offline(logits[:, :30], targets[:30])
    for name, values in expected.samples.items():
        assert np.isnan(found.samples[name][30:]).all()
        assert found.samples[name][:30] == pytest.approx(values, abs=1e-12)
    assert found.summary["label_flips_mean"] == pytest.approx(expected.summary["label_flips_mean"])
    assert found.summary["samples_with_value"] == 30


def test_nothing_recorded_has_no_mean():
    """An empty batch records nothing; means are then None."""
    recorder = DynamicsRecorder(2, 3)
    recorder.update(np.zeros(0, int), np.zeros((0, 3)), np.zeros(0, int))
    with pytest.warns(RuntimeWarning, match="2 of 2 samples were not seen"):
        assert recorder.result().summary["correctness_mean"] is None


def test_labels_need_not_be_counted(logits, targets, monkeypatch):
    """Without counts there is no entropy column, and the state has no axis of classes; blocks change nothing."""
    recorder = _record(DynamicsRecorder(SAMPLES, CLASSES, count_labels=False), logits, targets)
    assert "trajectory_label_entropy" not in recorder.result().samples
    assert all(values.ndim == 1 for values in recorder.state_dict()["state"].values())
    monkeypatch.setattr(_dynamics_recorder, "_ENTROPY_BLOCK", 12)
    _assert_same(_record(DynamicsRecorder(SAMPLES, CLASSES), logits, targets).result(), _offline(logits, targets))


def test_the_spread_does_not_cancel():
    """Probabilities next to 1 that differ by 1e-12 have that spread: the mean is subtracted before squaring."""
    steps = np.random.default_rng(11).normal(scale=1e-9, size=500)
    recorder = DynamicsRecorder(1, 2)
    for step in steps:
        recorder.update([0], [[20 + step * 1e6, 0.0]], [0])
    own = 1 / (1 + np.exp(-(20 + steps * 1e6)))
    assert recorder.result().samples["variability"][0] == pytest.approx(np.std(own), rel=1e-5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 2), "samples must be at least 1, got 0; pass the size of the data set"),
        ((1, 1), "num_classes must be at least 2, got 1"),
    ],
)
def test_sizes_are_checked(arguments, message):
    """Sizes must be possible."""
    with pytest.raises(InputError, match=message):
        DynamicsRecorder(*arguments)


def test_options_are_checked():
    """Unknown granularities and negative burn-ins are refused."""
    with pytest.raises(InputError, match="granularity='step' is unknown; pass 'visit' or 'epoch'"):
        DynamicsRecorder(1, 2, granularity="step")
    with pytest.raises(InputError, match="burn_in must be a whole number of checkpoints, 0 or more, got -1"):
        DynamicsRecorder(1, 2, burn_in=-1)


@pytest.mark.parametrize(
    ("rows", "logits", "targets", "message"),
    [
        ([0, 1], [[0.0, 1.0]], [0], r"rows is int64\[2\], logits is float64\[1, 2\] and targets is int64\[1\]; pass"),
        ([0], [[0.0, 1.0, 2.0]], [0], r"pass \[batch\], \[batch, 2\] and \[batch\]"),
        ([2], [[0.0, 1.0]], [0], r"rows holds values outside 0..1, the samples of this recorder"),
        ([0], [[0.0, 1.0]], [-1], r"targets holds -1 at position \(0,\), outside 0..1"),
        ([0], [[0.0, float("inf")]], [0], r"logits holds inf at position \(0, 1\); pass finite logits"),
        ([0], [[0.0, float("nan")]], [0], r"logits holds NaN at position \(0, 1\)"),
    ],
)
def test_bad_batches_are_refused_and_not_recorded(rows, logits, targets, message):
    """Messages name the argument and say what to pass; the recorder is as before."""
    recorder = DynamicsRecorder(2, 2)
    with pytest.raises(InputError, match=message):
        recorder.update(rows, logits, targets)
    assert int(recorder.state_dict()["state"]["visits"].sum()) == 0


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_takes_tensors_on_a_gpu(logits, targets):
    """Batches on a GPU are recorded as those on the host."""
    recorder = DynamicsRecorder(SAMPLES, CLASSES)
    found = _record(recorder, logits, targets, wrap=lambda values: torch.tensor(values, device="cuda")).result()
    _assert_same(found, _offline(logits, targets))


def test_wrong_labels_have_low_margins():
    """A linear model trained on two blobs with a tenth of labels wrong ranks the wrong ones last, as papers predict."""
    rng = np.random.default_rng(12)
    truth = np.repeat([0, 1], 100)
    inputs = rng.normal(size=(200, 5)) + 1.5 * (2 * truth[:, None] - 1)
    is_wrong = np.arange(200) % 10 == 0
    given = np.where(is_wrong, 1 - truth, truth)
    weights = np.zeros((5, 2))
    recorder = DynamicsRecorder(200, 2)
    for _ in range(30):
        scores = inputs @ weights
        recorder.update(np.arange(200), scores, given)
        probabilities = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
        weights -= 0.1 * inputs.T @ (probabilities - np.eye(2)[given]) / 200
    found = recorder.result().samples
    for name in ("trajectory_margin", "confidence", "correctness"):
        assert np.quantile(found[name][is_wrong], 0.9) < np.quantile(found[name][~is_wrong], 0.1), name
