"""The page on lenses: its example runs as it stands, and is everywhere by nothing but being kept."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import reseed
from reseed.cli import main

PAGE = Path(__file__).parents[2] / "docs" / "lenses.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where a reader has put the example, and has run it."""
    root = tmp_path_factory.mktemp("lens")
    lens, use = BLOCKS
    (root / "input_gradients.py").write_text(lens)
    (root / "use.py").write_text(use)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, [os.environ.get("PYTHONPATH"), str(root)]))}
    command = [sys.executable, "-W", "error", "use.py"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return root


def printed(capsys, *words):
    """What a command prints."""
    with pytest.raises(SystemExit) as ended:
        main([str(word) for word in words])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_the_example_is_short():
    """Forty lines besides its imports and constants, as promised."""
    body = BLOCKS[0].partition("def input_gradients")[2]
    assert len(body.splitlines()) < 40


def test_the_lens_is_everywhere(folder, tmp_path, capsys, monkeypatch):
    """In profile, export, report, inspect and among what foretells flips."""
    monkeypatch.setenv("COLUMNS", "160")
    study = reseed.Study.open(folder / "lens-study")
    column = reseed.profile(study)["input_gradient_norm"].to_numpy()
    assert (column > 0).all()
    reseed.export(study, tmp_path / "profile.csv")
    assert pd.read_csv(tmp_path / "profile.csv")["input_gradient_norm"].to_numpy() == pytest.approx(column)
    rows = {(row.lens, row.name): row.found for row in reseed.foretell(study).rows}
    found = rows["input_gradients", "input_gradient_norm"].auroc
    assert found.low > 0.5, "an answer that moves fast with its input changes with the seed more often"
    assert "input_gradient_norm" in printed(capsys, "inspect", study.path, "--foretell")
    told = json.loads(printed(capsys, "inspect", study.path, "--scores", "input_gradients", "--json"))
    assert told["evaluation"]["summary"]["input_gradient_norm_mean"] > 0
    printed(capsys, "report", study.path)
    page = (study.path / "report.html").read_text(encoding="utf-8")
    assert "Input gradients" in page
    assert "Most answers hardly move with their input." in page
