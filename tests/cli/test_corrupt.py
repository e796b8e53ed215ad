"""`--corrupt` and `--labels`."""

import json

import pyarrow.parquet as pq
import pytest

from reseed import Study

from .conftest import TINY


def test_a_corrupted_study_says_so(cli, tmp_path):
    """Measuring notes what was done, inspecting repeats it, and the export of the training split says to whom."""
    out = tmp_path / "study"
    ended = cli("measure", "digits", *TINY, "--corrupt", "labels:rate=0.1:exact=true", "--out", out)
    assert ended.status == 0, ended
    said = " ".join(cli("inspect", out).out.split())
    assert "note: 144 of 1,437 training labels were replaced on purpose, by another class (rate 0.1)" in said
    assert cli("export", out, tmp_path / "train.parquet", "--split", "train").status == 0
    table = pq.read_table(tmp_path / "train.parquet")
    assert sum(table["is_corrupted"].to_pylist()) == 144 == Study.open(out).corruption.changed.sum()
    refused = cli("measure", "digits", *TINY, "--corrupt", "labels:rate=0.2", "--out", out)
    assert refused.status == 2
    assert "data.corruption" in refused.err


def test_what_runs_answer_to_corrupted_samples_is_printed(cli, tmp_path):
    """Training samples are grouped by whether they were corrupted; where they were not recorded, the flag is named."""
    out = tmp_path / "study"
    options = (*TINY, "--corrupt", "labels:rate=0.1:exact=true")
    assert cli("measure", "digits", *options, "--record-train", "--out", out).status == 0
    rows = json.loads(cli("inspect", out, "--by", "is_corrupted", "--json").out)["groups"]
    assert {row["group"]: row["samples"] for row in rows} == {"corrupted": 144, "clean": 1293}
    assert cli("measure", "digits", *options, "--out", tmp_path / "other").status == 0
    refused = cli("inspect", tmp_path / "other", "--by", "is_corrupted")
    assert refused.status == 2
    assert "--record-train" in refused.err


def test_the_recipe_holds_it(cli, tmp_path):
    """What is printed as TOML is read again, and the command line wins over a file as a whole."""
    printed = cli("measure", "digits", "--corrupt", "gaussian:rate=0.3:statistics=sample", "--print-config").out
    assert '[data.corruption]\nkind = "gaussian"\nrate = 0.3\nstatistics = "sample"\nseed = 0\n' in printed
    (tmp_path / "recipe.toml").write_text(printed)
    assert cli("measure", "--recipe", tmp_path / "recipe.toml", "--print-config").out == printed
    other = cli("measure", "--recipe", tmp_path / "recipe.toml", "--corrupt", "pair:rate=0.5", "--print-config").out
    assert '[data.corruption]\nkind = "pair"\nrate = 0.5\nseed = 0\n' in other
    assert "corruption" not in cli("measure", "digits", "--print-config").out


@pytest.mark.parametrize("command", ["measure", "mitigate", "tune"])
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--corrupt", "label:rate=0.1"), "unknown corruption 'label'. Did you mean 'labels'?"),
        (("--corrupt", "labels"), "does not say how many labels; write labels:rate=0.1"),
        (("--corrupt", "labels:rate=2"), "corruption.rate is 2.0; give a share"),
        (("--corrupt", "pair:rate=-0.1"), "corruption.rate is -0.1; give a share"),
        (("--labels", "worse"), "labels='worse' are annotations of cifar10, and the data is 'digits'"),
    ],
)
def test_mistakes(cli, command, words, message):
    """All commands that train know the options, and say what is wrong."""
    ended = cli(command, "digits", *words, "--out", "o")
    assert ended.status == 2
    assert message in " ".join(ended.err.split())
    assert "--corrupt KIND[:OPTION=VALUE...]" in " ".join(cli(command, "--help").out.replace("│", " ").split())


def test_what_cannot_be_turned(cli, tmp_path):
    """Structured corruption needs square images, and numbers are none."""
    (tmp_path / "own.csv").write_text(
        "a,b,label\n" + "".join(f"{row},{row % 3},{'xy'[row % 2]}\n" for row in range(40))
    )
    ended = cli("measure", tmp_path / "own.csv", "--label", "label", "--corrupt", "structured", "--out", tmp_path / "o")
    assert ended.status == 2
    assert "corruption structured turns square images by 90 degrees, and samples of" in ended.err
