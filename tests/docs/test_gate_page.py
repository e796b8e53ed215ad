"""The page on gates: what it shows runs as it stands, in the order of the page, on files that it names."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.studies.logs import inspect_sample, text_row, write_inspect, write_rows

from reseed import Study
from reseed.cli import main

PAGE = (Path(__file__).parents[2] / "docs" / "gate.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
GOLD = np.arange(400) % 4


def shown(language):
    """The page's blocks in one language."""
    return [body for name, body in FENCE.findall(PAGE) if name == language]


def answers(seed):
    """A model's answers to 400 samples, 1 in 50 of them wrong."""
    generator = np.random.default_rng(seed)
    return np.where(generator.random(400) < 0.02, (GOLD + 1) % 4, GOLD)


def write_evaluations(folder):
    """Evaluations of language models: gsm8k with two filters, and logs of Inspect, three of them in a folder."""
    for seed, name in enumerate(("old", "new")):
        right = answers(seed) == GOLD
        rows = [
            text_row(row, f"{row} apples", f"#### {row}", float(is_right), filter=name)
            for name in ("strict-match", "flexible-extract")
            for row, is_right in enumerate(right)
        ]
        write_rows(folder / f"samples_gsm8k_{name}.jsonl", rows)
    (folder / "logs-old").mkdir()
    for seed, place in enumerate(("logs-old/a.json", "logs-old/b.json", "logs-old/c.json", "logs-new.json")):
        samples = [
            inspect_sample(row, "a" if label == gold else "b", "C" if label == gold else "I", "a", epoch)
            for epoch in (1, 2)
            for row, (label, gold) in enumerate(zip(answers(10 * seed + epoch), GOLD, strict=True))
        ]
        write_inspect(folder / place, samples)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with the files that the page names."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "old-runs").mkdir()
    places = ["old.csv", "new.csv", *(f"old-runs/seed{seed}.csv" for seed in range(5))]
    for seed, place in enumerate(places):
        rows = [f"{row},text {row},{label},{GOLD[row]}" for row, label in enumerate(answers(seed))]
        (tmp_path / place).write_text("\n".join(["sample_id,text,label,target", *rows]) + "\n")
    write_evaluations(tmp_path)
    Study.from_predictions(np.stack([answers(seed) for seed in range(10, 15)]), "my-study", targets=GOLD)
    return tmp_path


def run(line):
    """Runs a command in this process and returns its status."""
    with pytest.raises(SystemExit) as ended:
        main(shlex.split(line)[1:])
    return ended.value.code


def test_commands_pass(folder):
    """Every command of the page lets another seed of the same recipe pass, and writes what it says."""
    lines = [line for block in shown("bash") for line in block.splitlines() if line.startswith("reseed ")]
    assert len(lines) >= 7
    assert {line: run(line) for line in lines} == dict.fromkeys(lines, 0)
    assert (folder / "gate.xml").exists()
    assert (folder / "gate.md").exists()
    assert (folder / "changed.csv").exists()


def test_the_action_runs_the_gate(folder):
    """The step of the GitHub Action that calls reseed runs, and what the next ones take is there."""
    (action,) = shown("yaml")
    (line,) = re.findall(r"- run: (reseed .*)", action)
    assert run(line) == 0
    named = re.findall(r"^ {12}(\S+)$|cat (\S+)", action, re.MULTILINE)
    assert [name for names in named for name in names if name and not (folder / name).exists()] == []


def test_python_runs(folder):
    """The test of the page passes under pytest, and its script runs without a warning."""
    test, script = shown("python")
    (folder / "test_gate.py").write_text(test)
    (folder / "script.py").write_text(script)
    for words in (["-m", "pytest", "-q", "test_gate.py"], ["-W", "error", "script.py"]):
        done = subprocess.run([sys.executable, *words], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "1 passed" in done.stdout or done.stdout.startswith("PASS: same as reseeding")
