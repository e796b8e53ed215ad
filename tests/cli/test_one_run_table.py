"""`reseed inspect --one-run`: how well one run foretells the others."""

import json
import math

import pytest

from reseed import Study
from reseed.cli import main
from reseed.instability import single_run_table


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of four runs on digits; tests only read it."""
    folder = tmp_path_factory.mktemp("four") / "digits"
    words = ("--runs", "4", "--epochs", "4", "--engine", "serial", "--hidden", "8", "--no-probe")
    with pytest.raises(SystemExit) as ended:
        main(["measure", "digits", *words, "--out", str(folder)])
    assert ended.value.code == 0
    return folder


def test_json_equals_the_library(cli, study):
    """--json prints every figure of the table, with intervals."""
    found = json.loads(cli("inspect", study, "--one-run", "--json").out, parse_constant=pytest.fail)
    expected = single_run_table(Study.open(study), top=100)
    assert found["top"] == 100
    assert [row["signal"] for row in found["signals"]] == [row.signal for row in expected]
    for row, wanted in zip(found["signals"], expected, strict=True):
        for name in ("spearman", "kendall", "auroc", "precision", "spearman_flipping"):
            figure = getattr(wanted, name)
            for end in ("mean", "low", "high"):
                value = row[name][end]
                assert (math.nan if value is None else value) == pytest.approx(getattr(figure, end), nan_ok=True)


def test_table_begins_with_the_combination(cli, study, monkeypatch):
    """The combination comes first, then the signals by their rank correlation, each with an interval."""
    monkeypatch.setenv("COLUMNS", "140")
    ended = cli("inspect", study, "--one-run")
    assert ended.status == 0
    rows = {row.signal: row for row in single_run_table(Study.open(study), top=100)}
    lines = ended.out.splitlines()
    names = [line.split()[1] for line in lines if line.startswith("\u2502") and line.split()[1] in {*rows, "half"}]
    assert names[0] == "score"
    values = [rows["half_of_the_runs" if name == "half" else name].spearman.mean for name in names[1:]]
    assert len(values) == len(rows) - 1
    assert values == sorted(values, reverse=True)
    assert f"{rows['score'].spearman.mean:.3f}" in ended.out
    assert f"[{rows['score'].auroc.low:.3f}, {rows['score'].auroc.high:.3f}]" in ended.out
    assert "precision at 100" in ended.out


def test_other_weights_can_be_tested(cli, study, tmp_path):
    """--weights takes what reseed calibrate writes."""
    assert cli("calibrate", study, "--out", tmp_path / "weights.json").status == 0
    own = json.loads(cli("inspect", study, "--one-run", "--weights", tmp_path / "weights.json", "--json").out)
    default = json.loads(cli("inspect", study, "--one-run", "--json").out)
    assert own["signals"][0] != default["signals"][0]
    assert own["signals"][1:] == default["signals"][1:]


@pytest.mark.parametrize(
    ("options", "status", "text"),
    [
        (("--one-run", "--profile"), 2, "--profile and --one-run ask for different things"),
        (("--weights", "x.json"), 2, "--weights are those of --one-run; pass it as well."),
        (("--one-run", "--weights", "x.json"), 2, "holds no weights of a single-run model"),
    ],
)
def test_mistakes(cli, study, options, status, text):
    """What --one-run cannot do ends with a reason."""
    ended = cli("inspect", study, *options)
    assert ended.status == status
    assert text in ended.err


def test_two_runs_are_too_few(cli, tmp_path):
    """A study of two runs says how many are needed."""
    Study.from_predictions([[0, 1], [1, 1]], tmp_path / "study")
    ended = cli("inspect", tmp_path / "study", "--one-run")
    assert ended.status == 2
    assert "3 or more are needed" in ended.err
