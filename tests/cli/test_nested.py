"""`reseed measure --nested`: the table, the file, and strict JSON."""

import json

import pytest

TINY = ("--epochs", "1", "--engine", "serial", "--hidden", "8", "--no-probe")


def test_table_file_and_json_agree(cli, tmp_path):
    """The command prints a row for each measure; called again it trains nothing and prints the file with --json."""
    words = ("measure", "digits", "--nested", "3", "--runs", "3", *TINY, "--out", tmp_path / "nested")
    ended = cli(*words)
    assert ended.status == 0
    for text in ("inconsistency", "instability", "share of variance", "intervals cover other", "nested.json"):
        assert text in ended.out
    assert "training sample 1 of 3" in ended.err
    again = cli(*words, "--json")
    assert json.loads(again.out) == json.loads((tmp_path / "nested" / "nested.json").read_text())


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--nested", "1"), "--nested must be 2 or more, got 1"),
        (("--nested", "2", "--attribute"), "--attribute and --nested ask for different things; pass one of them."),
        (("--nested", "2", "--vary", "data"), "vary names data"),
        (("--nested", "2", "--monitor"), "--monitor: --bootstrap and --nested record final probabilities only"),
        (("--epsilon", "0.1"), "--epsilon is for the divergences of --nested"),
    ],
)
def test_bad_options_end_with_status_2(cli, tmp_path, words, text):
    """What makes no sense is told, and nothing is trained."""
    ended = cli("measure", "digits", *words, *TINY, "--out", tmp_path / "nested")
    assert ended.status == 2
    assert text in ended.err
    assert not (tmp_path / "nested").exists()
