"""Temporary files of killed commands: the next writer removes them, and nobody takes them for something else."""

import os
import subprocess
import sys

import pytest

import reseed
from reseed._errors import StudyError
from reseed.models import ModelConfig
from reseed.studies import Study
from reseed.studies._files import is_partial, remove_partials, replace_text
from reseed.training import Recipe

RECIPE = Recipe(model=ModelConfig("mlp", hidden=(4,)), epochs=1, batch_size=64)


@pytest.fixture(scope="module")
def dead():
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def _left(folder, name, process, more="0123456789"):
    """Leave a half-written file as a process of some number would, and return it."""
    path = folder / f".{name}.{process:06x}{more}"
    path.write_text("half of")
    return path


def test_a_file_that_is_being_written_has_a_name_that_says_so(tmp_path):
    """While it is written a file has a temporary name with the process in it; afterwards there is no such file."""
    from reseed.studies import replace_file

    seen = []

    def write(partial):
        partial.write_text("new")
        remove_partials(tmp_path)
        seen.append(partial.name)

    replace_file(tmp_path / "file.json", write)
    assert is_partial(seen[0])
    assert seen[0].startswith(f".file.json.{os.getpid():06x}")
    assert [path.name for path in tmp_path.iterdir()] == ["file.json"]
    replace_text(tmp_path / "file.json", "newer")
    assert (tmp_path / "file.json").read_text() == "newer"


def test_only_what_dead_processes_left_is_removed(tmp_path, dead):
    """Files of living processes and of other names stay; those that earlier versions named stay no longer."""
    gone = [_left(tmp_path, "summary.json", dead), _left(tmp_path, "report.html", dead, "ab"), _left(tmp_path, "a", 0)]
    kept = [_left(tmp_path, "summary.json", os.getpid()), tmp_path / ".lock", tmp_path / ".bashrc"]
    for path in kept:
        path.touch()
    remove_partials(tmp_path)
    assert not any(path.exists() for path in gone)
    assert all(path.exists() for path in kept)
    remove_partials(tmp_path / "none")


def test_the_next_writer_of_a_study_removes_them(train, dead):
    """Training goes on in a folder with half-written files at the top, of features, of lessons and of a manifest."""
    study = train(recipe=RECIPE, runs=2)
    run = study.path / "runs" / "run-00001"
    (run / "manifest.json").unlink()
    left = [_left(run, "manifest.json", dead)]
    for folder, name in (("", "summary.json"), ("cache", "features.npy"), ("lessons", "0123.npy")):
        (study.path / folder).mkdir(exist_ok=True)
        left.append(_left(study.path / folder, name, dead))
    assert len(Study.open(study.path).manifests) == 1
    assert all(path.exists() for path in left)  # reading removes nothing
    assert len(train(recipe=RECIPE, runs=2).manifests) == 2
    assert not any(path.exists() for path in left)


def test_a_study_that_was_killed_before_it_began_is_begun(train, tmp_path, dead):
    """Half a header alone is no other study; a folder with other files is refused, and left as it is."""
    (tmp_path / "study").mkdir()
    left = _left(tmp_path / "study", "study.json", dead)
    train(recipe=RECIPE, runs=2)
    assert not left.exists()
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").touch()
    mine = _left(tmp_path / "mine", "notes.txt", dead)
    with pytest.raises(StudyError, match="exists and holds no study"):
        train("mine", recipe=RECIPE, runs=2)
    with pytest.raises(StudyError, match="exists and holds no study"):
        reseed.run(lambda seed: None, eval_data=([[0], [1]], [0, 1]), runs=2, out=tmp_path / "mine")
    assert mine.exists()


def test_a_design_goes_on_where_it_was_killed(tmp_path, dead):
    """A folder of several studies is still that with half of its numbers in it, which are then removed."""
    options = {"recipe": RECIPE, "runs": 2, "training_sets": 2, "out": tmp_path / "nested", "engine": "serial"}
    reseed.measure_nested(**options, announce=lambda line: None)
    left = _left(tmp_path / "nested", "nested.json", dead)
    reseed.measure_nested(**options, announce=lambda line: None)
    assert not left.exists()
