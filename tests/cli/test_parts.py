"""What is missing from a report is told in the terminal, and costs neither the report nor the exit status."""

import re

import pytest

from reseed._parts import PartWarning

TINY = ("--runs", "2", "--epochs", "1", "--engine", "serial", "--hidden", "4", "--no-probe")
SHARED = ("open ticket", "close ticket", "hello", "goodbye", "thanks", "sorry")
UNSHARED = ("one", "two", "three", "four", "five", "six")


@pytest.fixture
def predictions(tmp_path):
    """Writes two runs' labels of some texts to a file; one label flips."""

    def write(texts):
        rows = [
            f"{run},{i},{'ab'[(i + (run and i == 3)) % 2]},{text}" for run in range(2) for i, text in enumerate(texts)
        ]
        path = tmp_path / "predictions.csv"
        path.write_text("\n".join(["run,sample_id,label,text", *rows]) + "\n", encoding="utf-8")
        return path

    return write


@pytest.mark.parametrize("texts", [SHARED, ("👍", "😡") * 3, ("今天下雨", "播放音乐", "明天下雨") * 2])
def test_texts_that_share_little_are_clustered(cli, tmp_path, predictions, texts):
    """Texts that share one word, emoji, and texts without blanks make a whole report."""
    ended = cli("import", predictions(texts), "--out", tmp_path / "study")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines()[-1] == f"report: {tmp_path / 'study/report.html'}"
    assert "By cluster" in (tmp_path / "study/report.html").read_text(encoding="utf-8")


def test_trained_texts_that_share_one_word_are_reported(cli, tmp_path):
    """Short texts of which a few share one word are trained and reported."""
    texts = [f"uniq{i} {'refund' if i % 5 == 0 else f'zz{i}'},{'pq'[i % 2]}" for i in range(40)]
    (tmp_path / "short.csv").write_text("text,label\n" + "\n".join(texts) + "\n")
    ended = cli("measure", tmp_path / "short.csv", *TINY, "--split-seed", "0", "--out", tmp_path / "study")
    assert ended.status == 0
    assert re.fullmatch(r".*short.csv, text-tfidf: 2 runs of 1 epoch, .*\n", ended.err)
    assert (tmp_path / "study/report.html").is_file()


def test_what_is_missing_is_told_where_the_report_is(cli, tmp_path, predictions):
    """After the paths of what was written stands what is missing from it, and why; in other forms on standard error."""
    note = "note: Samples are not grouped by cluster: the 6 texts share too few words to be clustered; choose another"
    ended = cli("import", predictions(UNSHARED), "--out", tmp_path / "study")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out.splitlines()[-2] == f"report: {tmp_path / 'study/report.html'}"
    assert ended.out.splitlines()[-1].startswith(note)
    for words in (
        ("report", tmp_path / "study"),
        ("import", predictions(UNSHARED), "--out", tmp_path / "two", "--json"),
    ):
        ended = cli(*words)
        assert ended.status == 0
        assert "note: Samples" not in ended.out
        assert ended.err.startswith(note)


@pytest.mark.filterwarnings("always::reseed._parts.PartWarning")
def test_what_nobody_foresaw_does_not_cost_the_report(cli, tmp_path, predictions, monkeypatch):
    """A fault in a part ends well: the report is there, the cause is told, and a warning shows it."""

    def fail(*_, **__):
        raise ZeroDivisionError("boom")

    monkeypatch.setattr("reseed.instability.where._sample_groups.text_clusters", fail)
    with pytest.warns(PartWarning, match="boom"):
        ended = cli("import", predictions(SHARED), "--out", tmp_path / "study")
    assert ended.status == 0
    note = "note: Samples are not grouped by cluster, because making it failed (ZeroDivisionError: boom)."
    assert ended.out.splitlines()[-1] == note
    assert "By class" in (tmp_path / "study/report.html").read_text(encoding="utf-8")
