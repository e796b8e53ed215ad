"""`reseed curvature`: of a study, whose report then shows it, and of a network of one's own."""

import json
import shutil

import pytest

import reseed

QUICK = ("--samples", "50", "--probes", "2", "--steps", "10", "--eigenvalues", "2")


@pytest.fixture(scope="module")
def bent(measured, tmp_path_factory):
    """A study on which the command has run."""
    folder = tmp_path_factory.mktemp("bent") / "study"
    shutil.copytree(measured, folder)
    with pytest.raises(SystemExit) as ended:
        reseed.cli.main(["curvature", str(folder), *QUICK])
    assert ended.value.code == 0
    return folder


def test_a_study_keeps_and_shows_them(cli, bent, monkeypatch):
    """The groups are printed, the scores are kept, and the report has their section."""
    monkeypatch.setenv("COLUMNS", "160")
    ended = cli("curvature", bent, *QUICK)  # from what is kept
    assert ended.status == 0
    for group in ("How sharply the loss bends", "How the gradient lies", "Single samples"):
        assert group in ended.out
    assert "Hessian products" in ended.out
    assert f"report: {bent}/report.html" in ended.out
    assert 'id="scores-curvature"' in (bent / "report.html").read_text()
    assert "gradient_norm" in cli("inspect", bent, "--foretell").out


def test_json_is_what_is_kept(cli, bent):
    """Numbers, intervals, columns and cost."""
    tree = json.loads(cli("curvature", bent, *QUICK, "--json").out)
    kept = reseed.scores.kept_scores(reseed.Study.open(bent), "curvature")
    assert tree["summary"] == json.loads(json.dumps(dict(kept.summary)))
    assert tree["cost"]["hessian_products"] > 0


def test_a_network_of_ones_own(cli, tmp_path, monkeypatch):
    """A function returns it; nothing is written."""
    code = "import torch\n\ndef trained():\n    torch.manual_seed(0)\n"
    code += "    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(64, 10))\n"
    (tmp_path / "own_bent.py").write_text(code)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    tree = json.loads(cli("curvature", "own_bent:trained", "--data", "digits", *QUICK, "--json").out)
    assert tree["summary"]["sharpness_mean"] > 0 >= tree["summary"]["smallest_eigenvalue_mean"] - 1e-3
    assert {path.name for path in tmp_path.iterdir()} <= {"own_bent.py", "__pycache__"}
