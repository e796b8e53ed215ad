"""Weights of the one-run estimate that are none: refused in words."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given, note
from tests.fuzz import small
from tests.fuzz.driver import fuzzed, run, scratch
from tests.fuzz.mutations import bytes_of, json_of, randoms


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of runs with several checkpoints."""
    return small.recorded_study(tmp_path_factory.mktemp("whole") / "study")


@fuzzed
@given(randoms)
def test_weights_do_no_harm(study, random):
    """A file of weights with other values than it should have is refused, or used."""
    content = json_of(small.weights(), random)
    content = bytes_of(content, random) if random.random() < 0.3 else content
    note(repr(content[:2000]))
    with scratch() as folder:
        path = folder / "weights.json"
        path.write_bytes(content)
        copy = Path(shutil.copytree(study, folder / "study"))
        run("inspect", copy, "--one-run", "--weights", path, "--json", inside=folder)
