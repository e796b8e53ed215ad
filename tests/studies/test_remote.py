"""Studies at a URL: they are what they would be in a folder, whoever is killed and whoever else writes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import reseed
from reseed import recipe_for
from reseed._errors import InputError, MissingExtraError, StorageError, StudyError, TrainingError
from reseed.studies import Study, local_folder, run, train_study
from reseed.studies._object_store import ObjectStore, save
from reseed.studies._remote import located
from reseed.studies._tasks import only_writer

from_url = pytest.importorskip("obstore.store", reason="needs the extra `cluster`").from_url
pytestmark = pytest.mark.cluster
RECIPE = recipe_for("digits", "mlp", changes={"epochs": 2})


def train(url: str, **options: Any) -> Study:
    """Train a small study at a URL."""
    return train_study(RECIPE, url, **({"runs": 3, "engine": "serial", "probe": False} | options))


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """The same study in a folder."""
    return train(str(tmp_path_factory.mktemp("local") / "study"))


@pytest.fixture
def bucket(s3: Path, url: str) -> Path:
    """The folder behind the URL."""
    return s3 / url.removeprefix("s3://")


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """What another machine sees: nothing of this one's copies."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RESEED_CACHE", str(tmp_path / "another cache"))
        yield patch


def drop(url: str, folder: str) -> None:
    """Delete what is in a folder of a study at a URL, as its user may."""
    store = from_url(url)
    store.delete([item["path"] for item in store.list(folder or None).collect()])


def assert_same(one: Study, other: Study) -> None:
    """Assert that two studies say the same, bit for bit."""
    assert one.header == other.header
    assert one.samples.digest == other.samples.digest
    assert [manifest.seeds for manifest in one.manifests] == [manifest.seeds for manifest in other.manifests]
    for name in other.recorded_names():
        assert np.array_equal(one.recorded(name).to_numpy(), other.recorded(name).to_numpy()), name


@pytest.mark.parametrize("options", [{}, {"engine": "processes", "jobs": 2}, {"engine": "cluster", "group": 1}])
def test_a_study_at_a_url_is_the_one_in_a_folder(request, url, local, options, elsewhere):
    """Every engine trains to a URL what it trains to a folder; other machines open it there."""
    if options.get("engine") == "cluster":
        request.getfixturevalue("nodes")
    study = train(url, **options)
    assert study.url == url
    assert repr(study).startswith(f"Study('{url}': digits, mlp, 3 runs")
    elsewhere.undo()
    opened = Study.open(f"{url}/")
    assert opened.path != study.path
    assert opened.recipe == RECIPE
    assert_same(opened, local)


def test_weights_at_a_url_are_fetched_when_they_are_asked_for(url, bucket, local, elsewhere):
    """They are copied to the URL before the manifest, and to another machine when its user wants the networks."""
    train(url)
    assert len(list(bucket.glob("runs/*/weights-*/*.safetensors"))) == 3
    elsewhere.undo()
    opened, said = Study.open(url), []
    assert not list(opened.path.glob("runs/*/weights-*"))
    inputs = local.inputs().inputs
    for runs, words in (([1], "1 runs"), (None, "2 runs")):
        networks = opened.networks(runs, announce=said.append)
        assert said.pop() == f"fetching the weights of {words} from '{url}'"
        labels = networks.predict(inputs).argmax(-1).numpy()
        assert np.array_equal(labels, local.final()[1:2] if runs else local.final())
    opened.networks(announce=pytest.fail)
    assert not list(opened.path.glob(".copy-*"))


def test_weights_at_a_url_are_checked(url, bucket, elsewhere):
    """What was changed there is refused; what was deleted there is trained again."""
    train(url)
    first, second, _ = sorted(bucket.glob("runs/*/weights-*/*.safetensors"))
    from_url(url).put(first.relative_to(bucket).as_posix(), first.read_bytes()[:-1] + b"x")
    from_url(url).delete(second.relative_to(bucket).as_posix())
    elsewhere.undo()
    opened, said = Study.open(url), []
    with pytest.raises(
        StudyError, match=f"the weights '{url}/runs/run-00000/.*' are not those that the run's manifest"
    ):
        opened.networks([0], announce=said.append)
    assert len(opened.networks([1, 2], announce=said.append)) == 2
    assert said[1:] == [f"fetching the weights of 2 runs from '{url}'", said[2]]
    assert said[2].startswith("training 1 runs again for the networks of 1")
    elsewhere.setenv("RESEED_CACHE", str(bucket.parent / "a third cache"))
    with (
        reseed.max_bytes(10_000),
        pytest.raises(StudyError, match=r"the object '.*' takes .* above the limit"),
    ):
        Study.open(url).networks([2], announce=said.append)


def test_stacks_keep_their_groups_at_a_url(url):
    """A stacked study is continued at a URL with the groups that it began with."""
    train(url, engine="stacked", group=2)
    assert train(url, runs=5, engine="auto").header.groups == ((0, 1), (1, 3), (3, 5))


def test_a_study_at_a_url_is_continued_elsewhere(url, bucket, local, elsewhere):
    """More runs are added by another machine; finished ones are not touched."""
    elsewhere.undo()
    train(url, runs=2)
    before = {path: path.stat().st_mtime_ns for path in bucket.glob("runs/*/manifest.json")}
    elsewhere.setenv("RESEED_CACHE", str(bucket.parent / "copies"))
    assert_same(train(url), local)
    assert all(path.stat().st_mtime_ns == stamp for path, stamp in before.items())
    with pytest.raises(StudyError, match="already holds a study of another recipe"):
        train_study(recipe_for("digits", "mlp", changes={"epochs": 1}), url, runs=3)


def test_a_killed_command_is_continued(url, bucket, local, tmp_path):
    """After kill -9 finished runs stay at the URL, and the same command does the others."""
    script = (
        "import sys; from reseed import recipe_for, train_study;"
        "train_study(recipe_for('digits', 'mlp', changes={'epochs': 2}), sys.argv[1], runs=20, engine='serial')"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}  # what kill -9 leaves there
    command = subprocess.Popen([sys.executable, "-c", script, url], env=environment)
    while len(list(bucket.glob("runs/*/manifest.json"))) < 2 and command.poll() is None:
        time.sleep(0.01)
    command.send_signal(signal.SIGKILL)
    command.wait()
    kept = len(list(bucket.glob("runs/*/manifest.json")))
    assert 2 <= kept < 20
    study = train(url, runs=20)
    assert not study.missing
    assert np.array_equal(study.final("confidence")[:3], local.final("confidence"))


def test_two_machines_at_once_lose_nothing(url, bucket, local, elsewhere, monkeypatch):
    """A run that two machines did at the same time is there once, whole; the other's predictions do no harm."""
    push, pushed = ObjectStore.upload, []

    def upload(store: ObjectStore, names: Any, root: Path) -> None:
        names = list(names)
        if not pushed and any("predictions" in name for name in names):
            pushed.append(names)
            with pytest.MonkeyPatch.context() as other:
                other.setenv("RESEED_CACHE", str(bucket.parent / "the other's copies"))
                assert_same(train(url), local)
        push(store, names, root)

    monkeypatch.setattr(ObjectStore, "upload", upload)
    assert_same(train(url), local)
    assert pushed
    assert sorted(len(list(folder.glob("predictions-*"))) for folder in bucket.glob("runs/*")) == [1, 1, 2]
    assert_same(Study.open(url), local)


def test_two_commands_on_one_machine_are_refused(url):
    """The copy is written by one command at a time; the message names the URL."""
    with only_writer(url), pytest.raises(StudyError, match=f"another process is writing the study '{url}'"):
        train(url)


def test_the_copy_follows_the_url(url, local):
    """A run that is dropped at the URL is done again; a study that is replaced is not mixed with its copy."""
    train(url)
    drop(url, "runs/run-00001")
    assert Study.open(url).missing == (1,)
    assert_same(train(url), local)
    drop(url, "")
    with pytest.raises(StudyError, match=f"'{url}' holds no study"):
        Study.open(url)
    other = run(lambda seed: lambda x: x, out=url, runs=2, eval_data=(np.array([0, 1]), [0, 1]), engine="serial")
    assert (other.header.kind, other.recipe, other.missing) == ("fit", None, ())


def test_predictions_are_imported_to_a_url(url, elsewhere):
    """What somebody holds already can be put at a URL."""
    Study.from_predictions([["yes", "no"], ["yes", "yes"]], url, targets=["yes", "no"])
    elsewhere.undo()
    assert Study.open(url).final().tolist() == [[1, 0], [1, 1]]


def test_a_store_that_fails_for_a_while_is_tried_again(url, local, monkeypatch):
    """A run whose copying fails is done again; when it goes on failing, the error names the URL."""
    push, failures = ObjectStore.upload, [1]

    def upload(store: ObjectStore, names: Any, root: Path) -> None:
        names = list(names)
        if failures and any("predictions" in name for name in names):
            failures.pop()
            raise StorageError(f"cannot use {store.url!r}: it is full.")
        push(store, names, root)

    monkeypatch.setattr("reseed.engines._ledger._FIRST_WAIT_S", 0.0)
    monkeypatch.setattr(ObjectStore, "upload", upload)
    assert_same(train(url), local)
    failures.extend([1] * 9)
    with pytest.raises(TrainingError, match=f"1 of 4 runs did not finish .*cannot use '{url}': it is full"):
        train(url, runs=4, retries=1)


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("AWS_SECRET_ACCESS_KEY", "wrong", r"403 Forbidden \(SignatureDoesNotMatch\)"),
        ("AWS_ALLOW_HTTP", "false", ""),
        ("AWS_ENDPOINT_URL", "http://127.0.0.1:1", "error sending request"),
    ],
)
def test_a_store_that_cannot_be_used_is_told(url, monkeypatch, variable, value, reason):
    """The error names the URL and where credentials come from."""
    monkeypatch.setenv(variable, value)
    expected = rf"cannot use '{url}': .*{reason}\. Look at .* credentials .*\(AWS_ACCESS_KEY_ID, .*AWS_ENDPOINT_URL"
    with pytest.raises(StorageError, match=expected):
        Study.open(url)


def test_a_bucket_that_is_not_there_is_told(s3):
    """Nothing is made where the bucket is missing."""
    with pytest.raises(StorageError, match=r"cannot use 's3://none/study': .*\(NoSuchBucket\)\. Look at the URL"):
        train("s3://none/study")
    assert not (s3 / "none").exists()


def test_a_place_with_other_files_is_refused(url):
    """A study is not mixed with what is at a URL already."""
    from_url(url).put("precious.txt", b"mine")
    with pytest.raises(StudyError, match=f"'{url}' holds 'precious.txt' and no study; choose another out"):
        train(url)
    assert [item["path"] for item in from_url(url).list().collect()] == ["precious.txt"]


def test_a_damaged_run_at_a_url_is_told(url):
    """A manifest that is corrupt at the URL is named, with where to find it."""
    train(url)
    from_url(url).put("runs/run-00002/manifest.json", b"{")
    with pytest.raises(StudyError, match=f"in the local copy of '{url}': the manifest .* is corrupt"):
        Study.open(url)


@pytest.mark.parametrize("place", ["ftp://host/study", "s3:/bucket/study", "s3:///study", Path("gs://bucket/study")])
def test_what_looks_like_a_url_is_no_folder(place, tmp_path, monkeypatch):
    """A URL of another kind, or one that lost a slash, is refused and makes no folder."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=r"is no place for a study: .* a URL that begins with s3://, gs://, az://"):
        train(place)
    assert not list(tmp_path.iterdir())


def test_folders_are_folders(url):
    """Paths, those of Windows too, are no URLs; a folder that is asked for is no URL."""
    assert [located(place)[1] for place in ("study", "a:b", "C:/study", "/srv/x:/y", ".")] == [None] * 5
    with pytest.raises(InputError, match=f"'{url}' is a URL; give a folder"):
        local_folder(url)


def test_without_obstore_the_extra_is_named(url, monkeypatch):
    """The error says what to install."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(MissingExtraError, match=rf"a study at '{url}' needs the packages obstore .*reseed\[cluster\]"):
        Study.open(url)


def test_objects_that_are_too_large_are_not_fetched(url, elsewhere, tmp_path):
    """What an object would take is known before it is fetched, in the thread that would do so as well."""
    Study.from_predictions([[0, 1] * 2000, [1, 0] * 2000], url, sample_ids=range(4000))
    elsewhere.setenv("RESEED_CACHE", str(tmp_path / "a third cache"))
    with (
        reseed.max_bytes(3000),
        pytest.raises(StudyError, match=r"the object '.*' takes .* above the limit of 2\.93 KiB"),
    ):
        Study.open(url)


def test_objects_do_not_leave_the_copy(tmp_path):
    """The name of an object cannot lead out of the folder it is copied to."""
    with pytest.raises(StudyError, match="leads outside the study"):
        save(tmp_path / "copy", "../outside", b"x")
    assert not (tmp_path / "outside").exists()


def test_what_a_killed_copy_left_is_removed(url):
    """Half copied runs of a killed process are gone with the next look at the study."""
    study = train(url)
    (study.path / ".copy-left").mkdir()
    assert Study.open(url).path == study.path
    assert not (study.path / ".copy-left").exists()


def test_another_machine_knows_what_was_corrupted(url: str, elsewhere: pytest.MonkeyPatch) -> None:
    """Which training samples were corrupted is at the URL before the first run."""
    recipe = recipe_for("digits", "mlp", changes={"epochs": 1, "data.corruption": {"kind": "pair", "rate": 0.2}})
    study = train_study(recipe, url, runs=2, engine="serial", probe=False)
    elsewhere.setenv("RESEED_CACHE", str(study.path.parent / "a third cache"))
    found = Study.open(url)
    assert found.path != study.path
    assert np.array_equal(found.corruption.changed, study.corruption.changed)
    assert found.corruption.changed.any()
