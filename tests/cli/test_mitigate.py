"""`reseed mitigate` and `reseed compare`: tables, files, JSON, and mistakes."""

import json

import pytest

from reseed.cli._options import methods
from reseed.mitigations import MITIGATIONS, Distill, LabelSmoothing, described

TINY = ("--runs", "3", "--epochs", "1", "--engine", "serial", "--hidden", "8", "--no-probe")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the comparison of this module lies; made by the first test that asks for it."""
    return tmp_path_factory.mktemp("mitigated") / "digits"


def test_tables_and_json_agree(cli, folder):
    """The command prints tables and a recommendation; called again it trains nothing and prints the file."""
    words = ("mitigate", "digits", "--methods", "control,swa", *TINY, "--out", folder)
    ended = cli(*words)
    assert ended.status == 0
    for text in ("second control", "swa", "entropy lower by, %", "recommendation: ", "comparison.html"):
        assert text in ended.out
    assert "Quality" not in ended.out
    assert "study 3 of 3: swa" in ended.err
    details = cli(*words, "--details").out
    for text in ("Label entropy", "Quality", "unsettles"):
        assert text in details
    again = cli(*words, "--json")
    assert json.loads(again.out) == json.loads((folder / "comparison.json").read_text())


def test_compare_prints_what_mitigate_did(cli, folder, tmp_path, monkeypatch):
    """Existing studies are compared the same way, in a folder of its own where none is named."""
    monkeypatch.chdir(tmp_path)
    places = (folder / "control", folder / "method-swa", "--null", folder / "second-control")
    told = json.loads(cli("compare", *places, "--json", "--names", "mine,yours").out)
    made = json.loads((folder / "comparison.json").read_text())
    assert [row["name"] for row in told["methods"]] == ["mine", "second control", "yours"]
    assert told["methods"][2]["reduction"] == made["methods"][2]["reduction"]
    (written,) = (tmp_path / "reseed-studies").iterdir()
    assert written.name.startswith("digits-comparison-")
    ended = cli("compare", *places, "--out", tmp_path / "here", "--interval", "jackknife")
    assert ended.status == 0
    assert "in brackets: 95 % interval, for other runs on these samples" in ended.out
    assert str(tmp_path / "here" / "comparison.html") in ended.out


def test_fresh_data_is_the_second_table(cli, tmp_path):
    """The command prints both tables and says what helps in both; `compare` does so for the same studies."""
    words = (*TINY, "--fresh-data", "0.8", "--margin", "2", "--out", tmp_path / "both")
    ended = cli("mitigate", "digits", "--methods", "swa", *words)
    assert ended.status == 0
    assert "study 6 of 6: swa, fresh data" in ended.err
    data = "another random 80 % of the training data in each run"
    out = " ".join(ended.out.split())
    assert f"under fresh data, {data}: " in out
    assert f"Fresh data: {data}." in out
    assert ended.out.count("second control") >= 2
    assert "while accuracy stays within 2 points" in out or "accuracy stays within 2 points (" in out
    told = json.loads((tmp_path / "both" / "comparison.json").read_text())
    places = [tmp_path / "both" / part for part in ("control", "method-swa", "second-control")]
    fresh = [place.parent / "fresh-data" / place.name for place in places]
    again = cli(
        *("compare", *places[:2], "--null", places[2], "--margin", "2", "--names", "control,swa", "--json"),
        *("--fresh", *fresh[:2], "--fresh-null", fresh[2], "--out", tmp_path / "compared"),
    )
    found = json.loads(again.out)
    assert (found["recommendation"], found["fresh_data"]) == (told["recommendation"], told["fresh_data"])
    inspected = cli("inspect", tmp_path / "both")
    assert "6 studies" in inspected.out
    assert "under fresh data, another random 80 %" in inspected.out


def test_list_says_what_every_method_is_and_costs(cli):
    """--list names every method with a line about it and its cost, and trains nothing."""
    ended = cli("mitigate", "--list")
    assert ended.status == 0
    for name in MITIGATIONS:
        assert f"{name}\n    " in ended.out
    assert ended.out.count("    Cost: ") == len(MITIGATIONS)
    assert "    Cost: \n" not in ended.out


def test_unknown_methods_list_the_known_ones(cli, tmp_path):
    """A misspelt method ends with status 2 and the names of all."""
    ended = cli("mitigate", "digits", "--methods", "control,sva", "--out", tmp_path / "none")
    assert ended.status == 2
    assert "unknown mitigation 'sva'. Did you mean 'swa'? Known: " in ended.err
    assert "swa" in ended.err


def test_printed_names_may_be_given_again(cli, tmp_path):
    """Commas separate methods, but not in a value, be it several numbers or a path."""
    several = LabelSmoothing(0.1, prior=(0.25, 0.75)), Distill(anchor="out/a,b"), LabelSmoothing(0.2)
    names = [described((method,)) for method in several]
    assert methods(",".join(names)) == methods(" , ".join(names)) == names
    ended = cli("mitigate", "digits", "--methods", "swa,label-smoothing:prior=0.5,0.6", "--out", tmp_path / "none")
    assert ended.status == 2
    assert "label-smoothing: prior must be probabilities that sum to 1, got (0.5, 0.6)" in ended.err


def test_studies_of_other_data_are_refused(cli, folder, labels, tmp_path):
    """Studies that cannot be compared end with status 2 and say why."""
    assert cli("import", labels, "--out", tmp_path / "other").status == 0
    ended = cli("compare", folder / "control", tmp_path / "other", "--out", tmp_path / "none")
    assert ended.status == 2
    assert "compare studies of the same classes" in ended.err
