"""`reseed robustness`: of a study, whose report then shows it, and of a network of one's own."""

import json
import shutil

import pytest

import reseed

QUICK = ("--effort", "quick", "--samples", "20")


@pytest.fixture(scope="module")
def evaluated(measured, tmp_path_factory):
    """A study on which the command has run."""
    folder = tmp_path_factory.mktemp("robust") / "study"
    shutil.copytree(measured, folder)
    with pytest.raises(SystemExit) as ended:
        reseed.cli.main(["robustness", str(folder), *QUICK])
    assert ended.value.code == 0
    return folder


def test_a_study_keeps_and_shows_them(cli, evaluated, monkeypatch):
    """The groups are printed, the scores are kept, and the report has their section."""
    monkeypatch.setenv("COLUMNS", "160")
    ended = cli("robustness", evaluated, *QUICK)  # from what is kept
    assert ended.status == 0
    for group in ("Task", "Adversaries", "Corruptions", "Boundary", "Neurons", "Pairs of runs"):
        assert group in ended.out
    assert f"report: {evaluated}/report.html" in ended.out
    assert (evaluated / "scores" / "robustness" / "evaluation.json").is_file()
    assert 'id="scores-robustness"' in (evaluated / "report.html").read_text()
    assert "boundary_distance" in cli("inspect", evaluated, "--foretell").out


def test_json_is_what_is_kept(cli, evaluated):
    """Numbers, intervals, columns and cost."""
    tree = json.loads(cli("robustness", evaluated, *QUICK, "--json").out)
    kept = reseed.scores.kept_scores(reseed.Study.open(evaluated), "robustness")
    assert tree["summary"] == json.loads(json.dumps(dict(kept.summary)))
    assert tree["options"]["samples"] == 20
    assert tree["cost"]["forward_passes"] > 0


def test_a_network_of_ones_own(cli, tmp_path, monkeypatch):
    """A function returns it; nothing is written."""
    code = "import torch\n\ndef trained():\n    torch.manual_seed(0)\n"
    code += "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))\n"
    code += "\ndef nothing():\n    return 3\n\ndef broken():\n    raise ValueError('no file')\n"
    (tmp_path / "own_networks.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    tree = json.loads(cli("robustness", "own_networks:trained", "--data", "digits", *QUICK, "--json").out)
    low, high = tree["summary"]["accuracy_clean_ci95_samples"]
    assert low <= tree["summary"]["accuracy_clean"] <= high
    assert {path.name for path in tmp_path.iterdir()} <= {"own_networks.py", "__pycache__"}
    for name, text in {
        "own_networks:nothing": "returned no networks",
        "own_networks:broken": "raised ValueError: no file",
        "own_networks:missing": "cannot import",
    }.items():
        ended = cli("robustness", name, "--data", "digits", *QUICK)
        assert ended.status == 2
        assert text in ended.err


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("my_models:trained",), "'my_models:trained' names code; say with --data on which data it is asked."),
        (("STUDY", "--epsilon", "0"), "epsilon must be above 0 and finite, got 0.0"),
        (("STUDY", "--label", "intent"), "options of files are for --data; a study knows its own data."),
        (("nowhere",), "nowhere"),
    ],
)
def test_mistakes(cli, measured, words, text):
    """Each ends with a reason, before anything long begins."""
    ended = cli("robustness", *(measured if word == "STUDY" else word for word in words))
    assert ended.status == 2
    assert text in ended.err
