"""`reseed measure --attribute`: the table, the file, and strict JSON."""

import json

TINY = ("--runs", "3", "--epochs", "1", "--engine", "serial", "--hidden", "8", "--no-probe", "--every", "final")


def test_table_file_and_json_agree(cli, tmp_path):
    """The command prints a row for each source; called again it trains nothing and prints the file with --json."""
    words = ("measure", "digits", "--attribute", *TINY, "--out", tmp_path / "sources")
    ended = cli(*words)
    assert ended.status == 0
    for text in ("all sources", "init only", "order only", "fixed alone", "do not add up", "attribution.json"):
        assert text in ended.out
    assert "study 1 of 3: runs differ in init, order" in ended.err
    again = cli(*words, "--json")
    assert json.loads(again.out) == json.loads((tmp_path / "sources" / "attribution.json").read_text())


def test_one_source_is_bad_input(cli, tmp_path):
    """A recipe that makes use of one source only ends with status 2 and says what to do."""
    ended = cli("measure", "digits", "--attribute", *TINY, "--vary", "order", "--out", tmp_path / "sources")
    assert ended.status == 2
    assert "name two sources or more, or turn on dropout or augmentation" in ended.err
