"""`reseed measure --bootstrap`: the table, the file, and strict JSON."""

import json

import pytest

TINY = ("--epochs", "1", "--engine", "serial", "--hidden", "8", "--no-probe")


def test_table_file_and_json_agree(cli, tmp_path):
    """The command prints a row for each measure; called again it trains nothing and prints the file with --json."""
    words = ("measure", "digits", "--bootstrap", "--runs", "3", *TINY, "--out", tmp_path / "bootstrap")
    ended = cli(*words)
    assert ended.status == 0
    for text in (
        "mean absolute prediction error",
        "instability index",
        "other seeds on all data (9)",
        "bootstrap.json",
    ):
        assert text in ended.out
    assert "resampled: runs differ in data" in ended.err
    again = cli(*words, "--json")
    told = json.loads((tmp_path / "bootstrap" / "bootstrap.json").read_text())
    assert json.loads(again.out) == told
    assert told["bootstraps"] == 3


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--runs", "1"), "--runs must be 2 or more, got 1"),
        (("--until", "0.1"), "--until and --bootstrap ask for different things; pass one of them."),
        (("--vary", "init"), "without data"),
    ],
)
def test_bad_options_end_with_status_2(cli, tmp_path, words, text):
    """What makes no sense is told, and nothing is trained."""
    ended = cli("measure", "digits", "--bootstrap", *words, *TINY, "--out", tmp_path / "bootstrap")
    assert ended.status == 2
    assert text in ended.err
    assert not (tmp_path / "bootstrap").exists()
