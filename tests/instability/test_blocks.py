"""Studies that are evaluated in blocks of samples: the same numbers, and memory that runs do not fill."""

import tracemalloc

import numpy as np
import pytest

from reseed import InputError
from reseed.instability import (
    _blocks,
    estimate,
    evaluate,
    flip_pairs,
    jitter,
    label_entropy,
    mode_label,
    mode_share,
    rarefaction,
)
from reseed.instability._blocks import sample_ranges
from reseed.instability.evaluation._label_pass import label_pass
from reseed.instability.evaluation._samples_table import values_read
from reseed.instability.evaluation._score_pass import mean_and_std
from reseed.instability.labels import _counts, _flip_pairs
from reseed.studies import Header, Manifest, ReadingProgress, Samples, Study, _equal_runs, _final, _views, equal_runs
from reseed.studies._store import run_writer
from reseed.training import probability_arrays

SAMPLES = 53


def write_study(folder, level="labels", runs=5, checkpoints=1, samples=SAMPLES, classes=4, unknown=0, lead=0):
    """Writes a study of runs that agree on some samples, the first ones without a target."""
    rng = np.random.default_rng(3)
    targets = rng.integers(0, classes, samples)
    targets[:unknown] = -1
    table = Samples(tuple(map(str, range(samples))), targets, tuple(map(str, range(classes))))
    described = {"dataset": "made up", "model": "none", "class_names": table.class_names, "data": table.digest}
    Study.create(folder, Header(kind="import", runs=runs, **described), table)
    shared = rng.normal(0, 2, (samples, classes)) + lead * np.eye(classes)[0]
    for run in range(runs):
        with run_writer(folder, run, checkpoints, classes) as writer:
            for checkpoint in range(checkpoints):
                scores = np.exp(shared + rng.normal(0, 1, shared.shape))
                arrays = probability_arrays(scores / scores.sum(1, keepdims=True), targets, level)
                writer.write("evaluation", checkpoint, arrays)
            writer.finish(Manifest(run, "complete", writer.name, tuple(range(checkpoints)), table.digest))
    return Study.open(folder)


STUDIES = {
    "labels": {},
    "scores, some targets unknown": {"level": "scores", "checkpoints": 4, "unknown": 9},
    "full, no targets": {"level": "full", "checkpoints": 2, "unknown": SAMPLES},
    "two runs": {"level": "scores", "runs": 2, "checkpoints": 3},
    "one class in all answers": {"level": "scores", "lead": 50},
    "one sample": {"samples": 1, "level": "scores", "checkpoints": 2},
    "trajectories of labels": {"checkpoints": 6, "classes": 2},
}


@pytest.fixture(params=STUDIES.values(), ids=STUDIES.keys())
def study(request, tmp_path):
    """A small study of each kind."""
    return write_study(tmp_path / "study", **request.param)


def assert_same(found, expected):
    """All that two evaluations say is equal, to 1e-12 where it is no whole number or text."""
    assert found.summary.keys() == expected.summary.keys()
    for name, value in expected.summary.items():
        if value is not None and (isinstance(value, float) or name.endswith("ci95")):
            np.testing.assert_allclose(np.array(found.summary[name], float), np.array(value, float), atol=1e-12, rtol=0)
        else:
            assert found.summary[name] == value, name
    assert found.samples.schema == expected.samples.schema
    for name in expected.samples.column_names:
        ours, theirs = found.samples[name], expected.samples[name]
        if str(theirs.type) == "double":
            np.testing.assert_allclose(ours.to_numpy(), theirs.to_numpy(), atol=1e-12, rtol=0, err_msg=name)
        else:
            assert ours.to_pylist() == theirs.to_pylist(), name
    for ours, theirs in zip(found.classes, expected.classes, strict=True):
        assert (ours.label, ours.samples) == (theirs.label, theirs.samples)
        np.testing.assert_allclose(
            [ours.accuracy, ours.label_entropy], [theirs.accuracy, theirs.label_entropy], atol=1e-12
        )
    for name in ("label_a", "label_b", "share", "samples"):
        np.testing.assert_allclose(getattr(found.pairs, name), getattr(expected.pairs, name), atol=1e-12)
    np.testing.assert_allclose(found.rarefaction.unstable_fraction, expected.rarefaction.unstable_fraction, atol=1e-12)
    assert found.notes == expected.notes


@pytest.mark.filterwarnings("ignore:labels holds a single sample")
@pytest.mark.parametrize("size", [1, 300, 2000])
def test_blocks_change_nothing(study, monkeypatch, size):
    """Evaluating a sample, a few, or a number that does not divide them at a time equals evaluating all at once."""
    expected = evaluate(study)
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", size)
    assert_same(evaluate(study), expected)


def test_blocks_equal_the_functions_on_stacked_arrays(tmp_path, monkeypatch):
    """Columns and intervals from blocks are those of the public functions on the whole [run, sample] array."""
    study = write_study(tmp_path / "study", "scores", checkpoints=3)
    labels = study.final("labels")
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 150)
    found = evaluate(study)
    for name, measure in (
        ("label_entropy", label_entropy),
        ("jitter", jitter),
        ("mode_label", mode_label),
        ("mode_share", mode_share),
    ):
        np.testing.assert_allclose(found.samples[name].to_numpy(), measure(labels), atol=1e-12)
    for name, key in (("label_entropy", "label_entropy_mean"), ("jitter", "jitter"), ("unstable_fraction",) * 2):
        expected = estimate(labels, name, "two-way")
        assert found.summary[key] == pytest.approx(expected.value, abs=1e-12)
        assert found.summary[f"{name}_ci95"] == pytest.approx([expected.low, expected.high], abs=1e-12)
    pairs = flip_pairs(labels, top=20)
    np.testing.assert_array_equal(found.pairs.label_a, pairs.label_a)
    np.testing.assert_array_equal(found.pairs.samples, pairs.samples)
    np.testing.assert_allclose(found.pairs.share, pairs.share, atol=1e-12)
    np.testing.assert_allclose(found.rarefaction.unstable_fraction, rarefaction(labels).unstable_fraction, atol=1e-12)
    for name in ("confidence", "own_probability", "margin"):
        values = study.final(name).astype(np.float64)
        np.testing.assert_allclose(found.samples[f"{name}_mean"].to_numpy(), values.mean(0), atol=1e-12)
        np.testing.assert_allclose(found.samples[f"{name}_std"].to_numpy(), values.std(0), atol=1e-12)


def test_missing_runs_are_left_out_of_blocks(tmp_path, monkeypatch):
    """Of a study with a missing run, blocks hold the others, as the whole does."""
    write_study(tmp_path / "study", "scores", runs=6, checkpoints=2)
    (tmp_path / "study/runs/run-00002/manifest.json").unlink()
    study = Study.open(tmp_path / "study")
    expected = evaluate(study)
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 100)
    found = evaluate(study)
    assert found.summary["runs"] == 5
    assert_same(found, expected)


def test_equal_scores_are_told_apart_in_blocks(tmp_path, monkeypatch):
    """Equal scores of all runs are found to be equal, whatever the blocks; one that differs is found as well."""
    same = Study.from_predictions(np.tile([[[0.7, 0.3]] * 9], (3, 1, 1)), tmp_path / "same")
    other = np.tile([[[0.7, 0.3]] * 9], (3, 1, 1))
    other[2, 8] = [0.6, 0.4]
    differ = Study.from_predictions(other, tmp_path / "differ")
    for size in (1, 4, 1000):
        monkeypatch.setattr(_equal_runs, "_STEP", size)
        assert equal_runs(same).groups == ((0, 1, 2),)
        assert equal_runs(differ).groups == ((0, 1),)


def test_impossible_scores_are_refused(tmp_path):
    """A score outside [0, 1] is an error, not a mean."""
    study = write_study(tmp_path / "study", "scores")
    array = study.final_array("confidence")
    wrong = type(array)(array.name, array.path, array.runs, [values[:] + 1 for values in map(_opened, array.arrays)], 4)
    with pytest.raises(InputError, match=r"confidence holds 1\.\d+ at position \(0,\), outside \[0, 1\]"):
        mean_and_std(wrong, lambda count: None)


def _opened(array):
    return _InMemory(array[:])


class _InMemory(np.ndarray):
    """An array with the parts of a stored one that are read."""

    def __new__(cls, values):
        return np.asarray(values).view(cls)

    @property
    def chunks(self):
        """All in one."""
        return self.shape

    @property
    def oindex(self):
        """Plain indexing, which is the same for an integer and a slice."""
        return self


@pytest.mark.parametrize(("samples", "bytes_a_sample", "chunk"), [(10, 3, 1), (1000, 7, 30), (1, 1, 1), (0, 2, 4)])
def test_ranges_cover_all_samples_once(monkeypatch, samples, bytes_a_sample, chunk):
    """Ranges follow on each other, end with the samples, and hold no more than a block."""
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 900)
    ranges = list(sample_ranges(samples, bytes_a_sample, chunk))
    covered = [sample for some in ranges for sample in range(some.start, some.stop)]
    assert covered == list(range(samples))
    assert all((some.stop - some.start) * bytes_a_sample <= 900 for some in ranges)


def test_ranges_end_where_chunks_do(monkeypatch):
    """Where several chunks fit into a block, none is read for two of them; where none fits, blocks are cut evenly."""
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 1000)
    assert [some.start for some in sample_ranges(250, 10, 30)] == [0, 90, 180]
    assert [some.start for some in sample_ranges(250, 10, 101)] == [0, 100, 200]


@pytest.mark.parametrize("level", ["labels", "scores"])
def test_no_read_is_larger_than_a_block(tmp_path, monkeypatch, level):
    """Whatever is read of the store at a time stays within the block, trajectories included."""
    study = write_study(tmp_path / "study", level, checkpoints=4, samples=500)
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 8_000)
    sizes = []
    for module in (_final, _views):
        read = module.read
        monkeypatch.setattr(module, "read", lambda array, key, read=read: sizes.append(read(array, key)) or sizes[-1])
    evaluate(study)
    assert max(values.nbytes for values in sizes) <= 8_000
    assert sum(values.size for values in sizes) >= values_read(study) - 5 * 500 * (4 if level == "scores" else 0)


@pytest.mark.parametrize("name", ["labels", "confidence"])
def test_memory_does_not_grow_with_runs(tmp_path, monkeypatch, name):
    """With eight times the runs, the peak grows by less than half of what the further runs' values would fill."""
    monkeypatch.setattr(_blocks, "BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(_counts, "_BLOCK", 5_000)
    monkeypatch.setattr(_flip_pairs, "_TOGETHER", 1_000)
    peaks = {}
    for runs in (10, 10, 80):  # the first time loads what is loaded once
        study = write_study(tmp_path / str(len(peaks)) / str(runs), "scores", runs=runs, samples=8_000, classes=2)
        array = study.final_array(name)
        tracemalloc.start()
        if name == "labels":
            label_pass(array, study.targets, 20, lambda count: None)
        else:
            mean_and_std(array, lambda count: None)
        peaks[runs] = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peaks[80] - peaks[10] < 70 * 8_000 * array.dtype.itemsize / 2


def test_all_values_are_told_to_the_progress_bar(study, monkeypatch):
    """What is announced to the bar is what it is advanced by."""
    told = []
    monkeypatch.setattr(ReadingProgress, "advance", lambda self, values: told.append(values))
    if len(study.samples) == 1:
        return
    evaluate(study)
    assert sum(told) == values_read(study)


@pytest.mark.parametrize(("terminal", "values", "shown"), [("1", 10**8, True), ("1", 10**6, False), ("", 10**8, False)])
def test_the_bar_is_shown_on_terminals_for_much_work_only(capsys, monkeypatch, terminal, values, shown):
    """Short work does not flash a bar, and nothing is drawn where standard error is no terminal."""
    monkeypatch.setenv("FORCE_COLOR", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with ReadingProgress(values) as progress:
        progress.advance(values)
    captured = capsys.readouterr()
    assert ("measuring" in captured.err) == shown
    assert captured.out == ""
