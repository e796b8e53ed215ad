"""`reseed stabilise`: a row for each remedy, and where the files are."""

import json
import re
import shlex

QUICK = ("digits", "--limit", "60", "--epochs", "2", "--runs", "2", "--hidden", "8", "--remedies", "warmup")


def test_a_row_for_each_remedy(cli, tmp_path, monkeypatch):
    """Printed, and as JSON from what is kept."""
    monkeypatch.setenv("COLUMNS", "160")
    ended = cli("stabilise", *QUICK, "--rates", "0.2,0.4", "--out", tmp_path / "out")
    assert ended.status == 0, ended.err
    assert "At the largest rate at which every run trains" in ended.out
    for name in ("control", "warmup"):
        assert f"runs that train, {name}: 0.2: " in ended.out
    assert f"report:  {tmp_path}/out/stabilisation.html" in ended.out
    tree = json.loads(cli("stabilise", *QUICK, "--rates", "0.2,0.4", "--out", tmp_path / "out", "--json").out)
    assert tree == json.loads((tmp_path / "out" / "stabilisation.json").read_text())
    page = (tmp_path / "out" / "stabilisation.html").read_text()
    (again,) = (line for line in re.findall("reseed (stabilise [^<]*)", page) if "--out" in line)
    assert json.loads(cli(*shlex.split(again), "--json").out) == tree


def test_rates_are_numbers(cli, tmp_path):
    """What is none is shown."""
    ended = cli("stabilise", "digits", "--rates", "0.1,much", "--out", tmp_path / "out")
    assert ended.status == 2
    assert "--rates must be learning rates such as 0.1,0.2, got 'much'." in ended.err
