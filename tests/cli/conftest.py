"""Helpers for the tests of the command line."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from reseed.cli import main

TINY = ("--runs", "3", "--epochs", "2", "--engine", "serial", "--hidden", "8", "--no-probe")


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    status: int
    out: str
    err: str


Cli = Callable[..., Ended]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """Runs a command in this process and gives its exit status and what it printed."""

    def run(*words: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(word) for word in words])
        printed = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Ended(ended.value.code, printed.out, printed.err)

    return run


@pytest.fixture(scope="session")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small study of digits, made once by the command; tests only read it."""
    folder = tmp_path_factory.mktemp("measured") / "digits"
    with pytest.raises(SystemExit) as ended:
        main(["measure", "digits", *TINY, "--level", "full", "--out", str(folder)])
    assert ended.value.code == 0
    return folder


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """A file of labels [run, sample] of three runs, six samples and three classes."""
    path = tmp_path / "labels.npy"
    np.save(path, [[0, 1, 2, 0, 1, 2], [0, 1, 2, 0, 1, 1], [0, 2, 2, 0, 1, 0]])
    return path


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current folder for the user's own modules, forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", None)):
            del sys.modules[name]
