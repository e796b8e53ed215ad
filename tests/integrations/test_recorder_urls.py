"""`Recorder` into a study at a URL."""

from pathlib import Path

import numpy as np
import pytest

from reseed import Recorder, StorageError, Study, StudyError
from reseed.studies._object_store import ObjectStore

from_url = pytest.importorskip("obstore.store", reason="needs the extra `cluster`").from_url
pytestmark = pytest.mark.cluster

LOGITS = np.random.default_rng(0).normal(size=(2, 3, 4, 2))  # [run, checkpoint, sample, class]
TARGETS = [0, 1, 1, 0]


@pytest.fixture
def bucket(s3: Path, url: str) -> Path:
    """The folder behind the URL."""
    return s3 / url.removeprefix("s3://")


def record(out, run, *, checkpoints=None, targets=TARGETS, **options):
    """Record one run of predictions that are there."""
    options = {
        "run": run,
        "runs": 2,
        "data": (None, targets),
        "level": "full",
        "seed": run,
        "on_error": "raise",
    } | options
    with Recorder(out, **options) as recorder:
        for predicted in LOGITS[run] if checkpoints is None else checkpoints:
            recorder.record(predicted)


def test_a_study_at_a_url_is_the_one_in_a_folder(url, bucket, tmp_path, monkeypatch):
    """Runs recorded on two machines to a URL are, bit for bit, those recorded to a folder."""
    assert Recorder.missing(url, runs=2) == (0, 1)
    record(url, 0)
    assert Recorder.missing(url, runs=2) == (1,)
    monkeypatch.setenv("RESEED_CACHE", str(tmp_path / "another machine"))
    assert Recorder.missing(url, runs=2) == (1,)
    before = {path: path.read_bytes() for path in bucket.rglob("*") if path.is_file() and "run-00000" in str(path)}
    record(url, 1)
    assert all(path.read_bytes() == content for path, content in before.items())
    for run in (0, 1):
        record(tmp_path / "local", run)
    found, expected = Study.open(url), Study.open(tmp_path / "local")
    assert (found.url, found.missing, found.header) == (url, (), expected.header)
    assert [manifest.seeds for manifest in found.manifests] == [{"fit": 0}, {"fit": 1}]
    for name in expected.recorded_names():
        assert np.array_equal(found.recorded(name).to_numpy(), expected.recorded(name).to_numpy())


def test_nothing_is_at_the_url_until_the_run_ends(url, bucket):
    """While a run is recorded, and after one that fails, the URL has the header alone; other runs come and go."""

    def interrupted():
        yield LOGITS[0][0]
        assert not list(bucket.rglob("predictions-*"))
        record(url, 1)  # the copy follows the URL meanwhile, which must not touch the run that is written
        yield LOGITS[0][1]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record(url, 0, checkpoints=interrupted())
    assert [path.parent.name for path in bucket.rglob("manifest.json")] == ["run-00001"]
    assert Recorder.missing(url, runs=2) == (0,)
    record(url, 0)
    assert np.array_equal(Study.open(url).final(), LOGITS[:, -1].argmax(-1))


def test_finished_runs_stay_finished(url, bucket, tmp_path, monkeypatch):
    """A run that another machine has finished is refused at its beginning and at its end, and stays as it was."""
    recorder = Recorder(url, run=0, runs=2, data=(None, TARGETS), level="full", on_error="raise")
    recorder.begin()
    recorder.record(LOGITS[0][0])
    with monkeypatch.context() as elsewhere:
        elsewhere.setenv("RESEED_CACHE", str(tmp_path / "another machine"))
        record(url, 0)
    before = next(bucket.rglob("manifest.json")).read_bytes()
    with pytest.raises(StudyError, match=r"run 0 of the study '.*' is finished; record one that is missing"):
        recorder.finish()
    with pytest.raises(StudyError, match=rf"is finished; .* delete the folder '{url}/runs/run-00000' first"):
        record(url, 0)
    assert next(bucket.rglob("manifest.json")).read_bytes() == before
    with pytest.raises(StudyError, match="record all runs at the same steps"):
        record(url, 1, checkpoints=[*LOGITS[1], LOGITS[1][0]])
    with pytest.raises(StudyError, match="already holds another study"):
        record(url, 1, targets=[1, 1, 1, 0])


@pytest.mark.parametrize("asked", [True, False])
def test_a_run_that_could_not_be_copied_is_copied_later(url, monkeypatch, asked):
    """Where the store fails at the end of a run, the run is kept here, and copied by `missing` or a new beginning."""
    upload = ObjectStore.upload

    def fails(store, names, root):
        names = list(names)
        if any("manifest" in name for name in names):
            raise StorageError("the network is gone")
        upload(store, names, root)

    with monkeypatch.context() as broken:
        broken.setattr(ObjectStore, "upload", fails)
        with pytest.raises(StorageError, match="the network is gone"):
            record(url, 0)
    assert Study.open(url).missing == (0, 1)
    if asked:
        assert Recorder.missing(url, runs=2) == (1,)
    else:
        with pytest.raises(StudyError, match=r"run 0 of the study .* is finished"):
            record(url, 0, checkpoints=LOGITS[1])
    record(url, 1)
    assert np.array_equal(Study.open(url).final(), LOGITS[:, -1].argmax(-1))


def test_a_study_that_was_deleted_leaves_nothing_behind(url, monkeypatch):
    """A run that was kept for a study which is no more at the URL does not get into the next one."""
    upload = ObjectStore.upload

    def fails(store, names, root):
        names = list(names)
        if any("manifest" in name for name in names):
            raise StorageError("the network is gone")
        upload(store, names, root)

    with monkeypatch.context() as broken:
        broken.setattr(ObjectStore, "upload", fails)
        with pytest.raises(StorageError):
            record(url, 0)
    store = from_url(url)
    store.delete([item["path"] for item in store.list().collect()])
    record(url, 1)
    assert Recorder.missing(url, runs=2) == (0,)
    assert Study.open(url).missing == (0,)


def test_an_interrupted_training_goes_on_at_a_url(url):
    """A resumable recording goes on on the machine that began it, with what was recorded before."""
    options = {"run": 0, "runs": 2, "data": (None, TARGETS), "level": "full"}
    first = Recorder(url, **options)
    first.begin(resumable=True)
    for step in (0, 1):
        first.record(LOGITS[0][step], step + 1)
    first.discard()
    record(url, 1)
    second = Recorder(url, **options)
    second.begin(resumable=True, resume_from=1)
    assert second.steps == (1,)
    for step in (1, 2):
        second.record(LOGITS[0][step], step + 1)
    second.finish()
    assert np.array_equal(Study.open(url).labels.to_numpy(), LOGITS.argmax(-1))
