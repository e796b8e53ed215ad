"""Studies and samples made to do harm: nothing is executed, followed outside, interpreted or silently believed."""

import json
import pickle
import shutil
from io import StringIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zarr
from rich.console import Console

import reseed
from reseed import Study, StudyError
from reseed._plain import plain
from reseed.report import print_stability

HOSTILE = (
    "<script>alert(1)</script>",
    "</script><!--",
    "\"double\" 'single' & &amp;",
    "middle\0NUL",
    "NUL at the end\0",
    "NUL at the end",
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07",
    "\x9b31m",
    "[red]markup[/red]",
    "[/]",
    "two\nlines",
    "two\r\nlines",
    "👩‍👩‍👧 🙂",
    "\u202edrawkcab",
    "\u200fשלמ",
    "\u2028",
    "  ",
)


@pytest.fixture
def study(tmp_path):
    """A small study of two runs with probabilities."""
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], (2, 5))
    return Study.from_predictions(probabilities, tmp_path / "study", targets=[0, 1, 2, 0, 1], level="full")


@pytest.fixture
def hostile(tmp_path):
    """A study whose ids, texts, class names and own names are all hostile."""
    answers = [[HOSTILE[(run + row * run) % len(HOSTILE)] for row in range(len(HOSTILE))] for run in range(4)]
    described = {"targets": HOSTILE, "sample_ids": HOSTILE, "class_names": HOSTILE, "texts": HOSTILE}
    names = {"dataset": "\x1b[2J[bold]data", "model": "<b>model\x9b", "notes": ["\x1b[31m[red]note"]}
    return answers, Study.from_predictions(answers, tmp_path / "study", **described, **names)


def _run_folder(study, run=1):
    return study.path / "runs" / f"run-{run:05d}"


def _labels(study, run=1):
    return _run_folder(study, run) / study.manifests[run].predictions / "evaluation" / "labels"


def _change_manifest(study, **changes):
    path = _run_folder(study) / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_hostile_text_comes_back_exactly(hostile):
    """Ids, texts, class names and labels survive the study and Parquet, character by character."""
    answers, study = hostile
    assert study.samples.ids == study.samples.texts == study.header.class_names == HOSTILE
    assert [[HOSTILE[label] for label in run] for run in study.final().tolist()] == answers
    reseed.inspect(study).write()
    table = pq.read_table(study.path / "samples.parquet")
    assert tuple(table["sample_id"].to_pylist()) == HOSTILE
    assert tuple(table["target_name"].to_pylist()) == HOSTILE


def test_terminal_shows_hostile_text_and_does_not_obey(hostile):
    """No control character reaches the terminal, and rich's markup is printed as it is written."""
    _, study = hostile
    file = StringIO()
    console = Console(file=file, width=400, force_terminal=False)
    print_stability(study, reseed.evaluate(study), console, top=50)
    shown = file.getvalue()
    assert {character for character in shown if not character.isprintable()} <= {"\n", "\u200d"}
    for expected in ("[red]markup[/red]", "[/]", r"\x1b[31mred\x1b[0m", r"\x9b31m", r"\u202edrawkcab", "👧", "שלמ"):
        assert expected in shown
    assert r"note: \x1b[31m[red]note" in shown


def test_colours_of_the_terminal_are_only_our_own(hostile):
    """On a terminal with colours, the escape sequences of a sample are still spelled out."""
    _, study = hostile
    file = StringIO()
    print_stability(study, reseed.evaluate(study), Console(file=file, width=400, force_terminal=True), top=50)
    assert "\x1b[31mred" not in file.getvalue()
    assert r"\x1b[31mred" in file.getvalue()


def test_report_escapes_hostile_text(hostile):
    """The page holds no script of a sample, and no control character."""
    _, study = hostile
    page = reseed.inspect(study).write().read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert "</script><!--" not in page
    assert "<b>model" not in page
    assert not set("\0\x1b\x07\x9b") & set(page)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\tb\nc", "a b c"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\0", r"\x00"),
        ("\u202e", r"\u202e"),
        ("\ud800", r"\ud800"),
        ("é 👩‍👧 [red]", "é 👩‍👧 [red]"),
    ],
)
def test_plain_text(text, shown):
    """White space becomes blanks, what is not seen is spelled out, the rest stays."""
    assert plain(text) == shown


@pytest.mark.parametrize("value", ["../../elsewhere", "/etc", "predictions-0123456", "", None, 3, ["predictions"], "."])
def test_manifest_names_a_group_beside_it(study, value):
    """A manifest that names anything but a predictions group is corrupt."""
    _change_manifest(study, predictions=value)
    with pytest.raises(StudyError, match=r"is no name of a predictions group|predictions: .* not an instance of str"):
        Study.open(study.path)


@pytest.mark.parametrize(
    "changes",
    [{"run": 0}, {"run": "x"}, {"status": "done"}, {"steps": ["a"]}, {"steps": None}, {"data": "other"}, {"more": 1}],
)
def test_tampered_manifest_is_refused(study, changes):
    """A manifest that does not belong where it is, or has other fields, is refused."""
    _change_manifest(study, **changes)
    with pytest.raises(StudyError, match=r"run-00001|run 1"):
        Study.open(study.path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "3", '"x"', '{"format": 1}', '{"format": 99}', "\xff"])
@pytest.mark.parametrize("name", ["study.json", "runs/run-00001/manifest.json"])
def test_damaged_json_is_refused(study, name, text):
    """A header or manifest that is cut off or something else is refused with its place."""
    (study.path / name).write_text(text, encoding="latin-1")
    with pytest.raises(StudyError, match="study"):
        Study.open(study.path)


@pytest.mark.parametrize("part", ["runs", "run", "group", "split", "array", "manifest", "header", "samples"])
def test_links_never_lead_outside(study, tmp_path, part):
    """A folder or file of the study that is a link to elsewhere is refused, whatever it is a link to."""
    place = {
        "runs": study.path / "runs",
        "run": _run_folder(study),
        "group": _labels(study).parent.parent,
        "split": _labels(study).parent,
        "array": _labels(study),
        "manifest": _run_folder(study) / "manifest.json",
        "header": study.path / "study.json",
        "samples": study.path / "evaluation.parquet",
    }[part]
    shutil.move(place, tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StudyError, match="leads outside the study"):
        Study.open(study.path).final()


@pytest.mark.parametrize("name", ["study.json", "recipe.toml", "evaluation.parquet", "runs", "runs/run-00001"])
def test_links_that_lead_to_themselves_are_refused(study, name):
    """A link that never arrives is refused by name, and not followed for ever."""
    path = study.path / name
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    path.symlink_to(path)
    with pytest.raises(
        StudyError, match=r"(leads nowhere|cannot be \w+): .*([Ll]oop|Too many levels of symbolic links)"
    ):
        reseed.inspect(study.path)


def test_links_within_the_study_are_followed(study, tmp_path):
    """The study's own folder may be reached through a link."""
    (tmp_path / "link").symlink_to(study.path)
    np.testing.assert_array_equal(Study.open(tmp_path / "link").final(), study.final())


def test_pickles_inside_a_study_are_not_read(study, tmp_path):
    """An array of an old format whose codec unpickles is refused, and its pickle is not loaded."""
    marker, place = tmp_path / "marker", _labels(study)
    shutil.rmtree(place)
    array = zarr.create_array(
        place, shape=(1, 5), dtype="i2", zarr_format=2, compressors=None, filters=None, fill_value=0
    )
    array[:] = 1
    described = json.loads((place / ".zarray").read_text())
    described |= {"dtype": "|O", "filters": [{"id": "pickle", "protocol": 2}], "fill_value": None}
    (place / ".zarray").write_text(json.dumps(described))
    payload = b"cos\nmkdir\n(V" + str(marker).encode() + b"\ntR."
    for chunk in place.glob("[0-9]*"):
        chunk.write_bytes(payload)
    assert any(place.glob("[0-9]*"))
    with pytest.raises(StudyError):
        Study.open(study.path).final()
    assert not marker.exists()
    pickle.loads(payload)  # noqa: S301
    assert marker.exists()  # the payload works


def test_pickle_in_place_of_samples_is_not_read(study, tmp_path):
    """The table of samples is Parquet or nothing."""
    marker = tmp_path / "marker"
    (study.path / "evaluation.parquet").write_bytes(b"cos\nmkdir\n(V" + str(marker).encode() + b"\ntR.")
    with pytest.raises(StudyError, match=r"cannot read .*evaluation\.parquet"):
        Study.open(study.path)
    assert not marker.exists()
    pickle.loads((study.path / "evaluation.parquet").read_bytes())  # noqa: S301
    assert marker.exists()


@pytest.mark.parametrize(
    "columns",
    [
        {"sample_id": list("abcde"), "target": [0, 1, 2, 0, 9]},
        {"sample_id": list("abcde"), "target": [0, 1, 2, 0, -2]},
        {"sample_id": list("aacde"), "target": [0, 1, 2, 0, 1]},
        {"sample_id": ["a", None, "c", "d", "e"], "target": [0, 1, 2, 0, 1]},
        {"sample_id": list("abcde"), "target": [0, None, 2, 0, 1]},
        {"sample_id": list("abcde"), "target": list("abcde")},
        {"sample_id": [1, 2, 3, 4, 5], "target": [0, 1, 2, 0, 1]},
        {"target": [0, 1, 2, 0, 1]},
    ],
    ids=["class-9", "class--2", "twice", "null-id", "null-target", "names", "numbers", "no-id"],
)
def test_tampered_samples_are_refused(study, columns):
    """A table of samples that does not fit the study is refused."""
    pq.write_table(pa.table(columns), study.path / "evaluation.parquet")
    with pytest.raises(StudyError, match=r"cannot read .*evaluation\.parquet"):
        Study.open(study.path)


def test_missing_samples_are_refused(study):
    """A study without its table of samples is not usable."""
    (study.path / "evaluation.parquet").unlink()
    with pytest.raises(StudyError, match="not usable without it"):
        Study.open(study.path)


def test_linked_chunks_are_refused(study, tmp_path):
    """A chunk of predictions that is a link is refused, wherever it leads."""
    chunk = next(path for path in _labels(study).rglob("*") if path.is_file() and path.name != "zarr.json")
    shutil.move(chunk, tmp_path / "chunk")
    chunk.symlink_to(tmp_path / "chunk")
    with pytest.raises(StudyError, match="hold links, which may lead outside the study"):
        Study.open(study.path).final()


def _chunk(study, name):
    folder = _labels(study).with_name(name)
    return next(path for path in folder.rglob("*") if path.is_file() and path.name != "zarr.json")


@pytest.mark.parametrize("name", ["labels", "confidence"])
def test_truncated_chunks_are_refused(study, name):
    """A chunk that was cut off is told with its place, in whole and lazily."""
    chunk = _chunk(study, name)
    chunk.write_bytes(chunk.read_bytes()[:-3])
    opened = Study.open(study.path)
    with pytest.raises(StudyError, match=rf"{name}.* are damaged"):
        opened.final(name)
    with pytest.raises(StudyError, match=rf"{name}.* are damaged"):
        opened.recorded(name).to_numpy()


@pytest.mark.parametrize("name", ["labels", "confidence", "own_probability", "probabilities"])
def test_missing_chunks_are_refused(study, name):
    """A chunk that is gone is not read as empty values."""
    _chunk(study, name).unlink()
    with pytest.raises(StudyError, match=rf"the recorded '{name}' of run 1 .* are damaged"):
        Study.open(study.path).final(name)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.full((1, 5), -5, np.int16), "damaged: some are missing or impossible"),
        (np.full((1, 5), 3, np.int16), "damaged: some are missing or impossible"),
        (np.zeros((1, 5), np.float32), "corrupt: they hold float32"),
        (np.zeros((1, 4), np.int16), r"corrupt: they have shape \(1, 4\)"),
        (np.zeros((2, 5), np.int16), r"corrupt: they have shape \(2, 5\)"),
        (np.zeros((1, 5, 1), np.int16), r"corrupt: they have shape \(1, 5, 1\)"),
    ],
)
def test_impossible_labels_are_refused(study, values, message):
    """Labels of another type or shape, or outside the classes, are not counted."""
    place = _labels(study)
    shutil.rmtree(place)
    zarr.create_array(place, data=values)
    with pytest.raises(StudyError, match=message):
        Study.open(study.path).final()


def test_runs_are_counted_once(study):
    """Folders whose names only look like a run's are no runs."""
    for name in ("run-1", "run-000001", "run-\u0661\u0661\u0661\u0661\u0661"):
        shutil.copytree(_run_folder(study), study.path / "runs" / name)
    assert [manifest.run for manifest in Study.open(study.path).manifests] == [0, 1]


@pytest.mark.parametrize(
    "changes",
    [
        {"runs": "x"},
        {"runs": 0},
        {"runs": 10**12},
        {"class_names": [1, 2]},
        {"notes": "note"},
        {"parameters": []},
        {"kind": "magic"},
        {"record": {"every": []}},
        {"vary": None},
        {"threads": "1"},
    ],
)
def test_tampered_header_is_refused(study, changes):
    """A header whose fields have other types or impossible values is corrupt."""
    path = study.path / "study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    with pytest.raises(StudyError, match=r"study\.json' is corrupt"):
        Study.open(study.path)


@pytest.mark.parametrize("text", ["{", "{}", "[]", '{"zarr_format": 2}'])
def test_damaged_array_metadata_is_refused(study, text):
    """Metadata of an array that is damaged names the array."""
    (_labels(study) / "zarr.json").write_text(text)
    with pytest.raises(StudyError, match="labels"):
        Study.open(study.path).final()
