"""`reseed randomize`: a row for each version, and where the files are."""

import json

QUICK = ("digits", "--limit", "40", "--epochs", "2", "--runs", "2", "--levels", "", "--draws", "1")


def test_a_row_for_each_version(cli, tmp_path, monkeypatch):
    """Printed, and as JSON from what is kept."""
    monkeypatch.setenv("COLUMNS", "200")
    ended = cli("randomize", *QUICK, "--out", tmp_path / "out")
    assert ended.status == 0, ended.err
    for said in ("true labels", "random labels", "shuffled: one order for all", "Gaussian noise in place of inputs"):
        assert said in ended.out
    assert "empirical Rademacher complexity: at least" in ended.out
    assert f"report:  {tmp_path}/out/randomization.html" in ended.out
    assert "Not fitted to 100.0% by every run within 2 epochs" in ended.out.replace("\n", " ")
    tree = json.loads(cli("randomize", *QUICK, "--out", tmp_path / "out", "--json").out)
    assert tree == json.loads((tmp_path / "out" / "randomization.json").read_text())


def test_levels_are_shares(cli, tmp_path):
    """What is none is shown."""
    ended = cli("randomize", "digits", "--levels", "0.2,half", "--out", tmp_path / "out")
    assert ended.status == 2
    assert "--levels must be shares such as 0.2,0.5, got 'half'." in ended.err
