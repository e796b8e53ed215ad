"""`reseed tune`: tables, files, JSON, and what is printed of candidates that fail."""

import json

import pytest

from reseed.training import with_settings
from reseed.workflows._tune_space import Candidate

TINY = ("--epochs", "3", "--hidden", "16", "--lr", "0.3", "--engine", "serial", "--no-probe", "--max-cost", "1")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the search of this module lies; made by the first test that asks for it."""
    return tmp_path_factory.mktemp("tuned") / "digits"


def test_tables_and_json_agree(cli, folder):
    """The command prints every rung, the confirmation and where its page is; called again it prints the file."""
    words = ("tune", "digits", *TINY, "--budget", "19", "--out", folder)
    ended = cli(*words)
    assert ended.status == 0
    assert "rung 0: 1 candidate, 2 runs each" in ended.err
    for text in ("Rung 0: 2 runs, validation samples", "outcome", "tuned recipe: ", "of 19 trainings", "tune.json"):
        assert text in ended.out
    again = cli(*words, "--json")
    told = json.loads(again.out)
    assert told == json.loads((folder / "tune.json").read_text())
    assert told["winner"] is not None
    assert "second control" in ended.out
    assert f"report:  {folder / 'tune.html'}" in ended.out
    assert told["confirmation"] == json.loads((folder / "comparison.json").read_text())
    assert (f"recipe:  {folder / 'tuned.toml'}" in ended.out) == told["holds"]


def test_diverged_candidates_are_called_so(cli, tmp_path, monkeypatch):
    """Of a candidate whose runs diverged no numbers are printed, and no page is promised without a confirmation."""
    monkeypatch.setattr(
        "reseed.workflows._tune.candidates",
        lambda recipe, *_: (Candidate("wild", with_settings(recipe, {"optimizer.lr": 1e30}), 1.0),),
    )
    ended = cli("tune", "digits", *TINY, "--budget", "19", "--out", tmp_path / "search")
    assert ended.status == 0
    row = next(line for line in ended.out.splitlines() if "wild" in line)
    assert "diverged" in row
    assert "nan" not in ended.out
    assert "tuned recipe: none" in ended.out
    assert "comparison.html" not in ended.out
    assert "tuned.toml" not in ended.out
