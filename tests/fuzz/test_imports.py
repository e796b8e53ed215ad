"""Files of predictions that are damaged: imported for what they hold, or refused in words."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, note
from hypothesis import strategies as st
from tests.fuzz import small
from tests.fuzz.driver import fuzzed, run, scratch
from tests.fuzz.mutations import bytes_of, json_of, randoms


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Predictions in every form, each of which is imported as it is."""
    folder = tmp_path_factory.mktemp("predictions")
    made = small.predictions(folder)
    for index, path in enumerate(made):
        with scratch() as out:
            shutil.copy(path, out)
            assert run("import", out / path.name, "--out", out / "study", inside=out).status == 0, (index, path)
    return made


@fuzzed
@given(st.data(), st.booleans(), randoms)
def test_damaged_predictions_do_no_harm(files, data, with_targets, random):
    """Predictions with changed bytes, values or lines are imported or refused, and a study is left behind or none."""
    path = data.draw(st.sampled_from(files))
    with scratch() as folder:
        copy = Path(shutil.copy(path, folder))
        copy.write_bytes(_changed(copy, random))
        note(repr(copy.read_bytes()[:2000]))
        options = ("--targets", _targets(folder, files, random)) if with_targets and copy.suffix == ".npy" else ()
        ended = run("import", copy, "--out", folder / "study", *options, inside=folder)
        if ended.status == 0:
            assert run("inspect", folder / "study", "--json", inside=folder).status == 0


def _changed(path: Path, random) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".jsonl" and random.random() < 0.6:
        lines = content.decode().splitlines()
        place = random.randrange(len(lines))
        lines[place] = json_of(lines[place], random).decode("utf-8", "replace")
        return "\n".join(lines).encode()
    if path.suffix == ".json" and random.random() < 0.6:
        return json_of(content.decode(), random)
    return bytes_of(content, random)


def _targets(folder: Path, files: list[Path], random) -> Path:
    copy = Path(shutil.copy(random.choice([path for path in files if path.suffix == ".npy"]), folder / "targets.npy"))
    copy.write_bytes(bytes_of(copy.read_bytes(), random))
    return copy
