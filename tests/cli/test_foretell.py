"""`reseed inspect --foretell`: what foretells flips."""

import json

import pytest

import reseed
from reseed import Study
from reseed.cli import main


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A study of four runs on digits; tests only read it."""
    folder = tmp_path_factory.mktemp("four") / "digits"
    words = ("--runs", "4", "--epochs", "3", "--engine", "serial", "--hidden", "8", "--no-probe")
    with pytest.raises(SystemExit) as ended:
        main(["measure", "digits", *words, "--out", str(folder)])
    assert ended.value.code == 0
    return folder


def test_json_equals_the_library(cli, study):
    """--json prints every figure with its interval; what has no value is null."""
    found = json.loads(cli("inspect", study, "--foretell", "--json").out, parse_constant=pytest.fail)
    expected = reseed.foretell(study)
    assert [(row["lens"], row["column"]) for row in found["columns"]] == [(row.lens, row.name) for row in expected.rows]
    for row, wanted in zip(found["columns"], expected.rows, strict=True):
        for name in ("auroc", "lift", "kendall"):
            assert row[name]["low"] == pytest.approx(getattr(wanted.found, name).low)
            assert row[name]["samples"] == 360
    assert found["half_of_the_runs"]["auroc"]["value"] == pytest.approx(expected.half.found.auroc.value)


def test_table_begins_with_the_best(cli, study, monkeypatch):
    """Columns with their lens by AUROC, each with an interval, and what the figures mean."""
    monkeypatch.setenv("COLUMNS", "140")
    ended = cli("inspect", study, "--foretell")
    assert ended.status == 0
    expected = reseed.foretell(Study.open(study))
    shown = [line.split("\u2502")[1].strip() for line in ended.out.splitlines() if line.startswith("\u2502")]
    names = ["half of the runs, for comparison" if not row.lens else row.name for row in expected.ranked]
    assert [name for name in shown if name] == names
    best = expected.rows[0].found
    assert f"{best.auroc.value:.3f}" in ended.out
    assert f"[{best.lift.low:.2f}, {best.lift.high:.2f}]" in ended.out
    assert "Each of the 4 runs in turn is the single one: its values rank the 360 samples, and the other 3" in ended.out
    assert "0.5 is chance, 1 is perfect" in ended.out
    assert "95 % intervals, of other runs and other samples" in ended.out


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--foretell", "--profile"), "--profile and --foretell ask for different things; pass one of them."),
        (("--foretell", "--medoid"), "--foretell and --medoid ask for different things; pass one of them."),
    ],
)
def test_mistakes(cli, study, options, text):
    """What --foretell cannot do ends with a reason."""
    ended = cli("inspect", study, *options)
    assert ended.status == 2
    assert text in ended.err


def test_two_runs_are_too_few(cli, tmp_path):
    """A study of two runs says how many are needed."""
    Study.from_predictions([[0, 1], [1, 1]], tmp_path / "study")
    ended = cli("inspect", tmp_path / "study", "--foretell")
    assert ended.status == 2
    assert "3 or more are needed" in ended.err
