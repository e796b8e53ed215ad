"""Small inputs of every kind that is read, as functions that make them."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as csv
import pyarrow.parquet as pq
import torch
from tests.studies.logs import inspect_sample, text_row, write_inspect, write_rows

from reseed import Dataset, Recipe, Recorder, Study
from reseed.instability.one_run._single_run import default_model
from reseed.mitigations import parse_mitigations
from reseed.training import mitigated

WORDS = ("play", "music", "alarm", "seven", "lights", "kitchen", "weather", "tomorrow")
RECIPE = mitigated(Recipe(), parse_mitigations("tgtss+label-smoothing+swa")).to_toml()


def imported_study(folder: Path) -> Path:
    """Make a study of three runs with texts and full probabilities."""
    probabilities = np.random.default_rng(0).dirichlet([1, 1, 1], (3, 12)).astype(np.float32)
    texts = [f"{WORDS[row % 8]} {WORDS[row % 5]} {WORDS[row % 3]} please" for row in range(12)]
    Study.from_predictions(
        probabilities, folder, targets=[row % 3 for row in range(12)], texts=texts, class_names="abc", level="full"
    )
    return folder


def recorded_study(folder: Path) -> Path:
    """Make a study of three runs with three checkpoints each, numbers as inputs, and a recipe."""
    rng = np.random.default_rng(1)
    inputs, labels = torch.from_numpy(rng.normal(size=(12, 3)).astype(np.float32)), torch.arange(12) % 2
    data = Dataset("toy", "test", inputs, labels, tuple(map(str, range(12))), ("no", "yes"), ("size", "weight", "age"))
    for run in range(3):
        with Recorder(folder, run=run, runs=3, data=data, outputs="probabilities") as recorder:
            for step in (10, 20, 30):
                recorder.record(rng.dirichlet([1, 1], 12), step=step)
    (folder / "recipe.toml").write_text(RECIPE)
    return folder


def picture_study(folder: Path) -> Path:
    """Make a study of two runs whose samples are images."""
    rng = np.random.default_rng(2)
    inputs, labels = torch.from_numpy(rng.random((8, 1, 4, 4)).astype(np.float32)), torch.arange(8) % 2
    data = Dataset("toy", "test", inputs, labels, tuple(map(str, range(8))), ("no", "yes"))
    for run in range(2):
        with Recorder(folder, run=run, runs=2, data=data, outputs="probabilities", every="final") as recorder:
            recorder.record(rng.dirichlet([1, 1], 8), step=10)
    return folder


STUDIES = {"imported": imported_study, "recorded": recorded_study, "pictures": picture_study}


def weights() -> str:
    """Return the weights of the one-run estimate as JSON."""
    return json.dumps(asdict(default_model()))


def _long() -> pa.Table:
    rows = [(run, row) for run in range(3) for row in range(4)]
    return pa.table(
        {
            "run": [run for run, _ in rows],
            "sample_id": [str(row) for _, row in rows],
            "label": ["ab"[(run * row) % 2] for run, row in rows],
            "target": ["ab"[row % 2] for _, row in rows],
            "text": [f"{WORDS[row]} {WORDS[row + 1]} please" for _, row in rows],
        }
    )


def _probable() -> pa.Table:
    table, shares = _long().drop_columns("label"), np.linspace(0.1, 0.9, 12)
    return table.append_column("p_a", [shares]).append_column("p_b", [1 - shares])


def _wide() -> pa.Table:
    names = {f"run{run}": ["ab"[(run * row) % 2] for row in range(4)] for run in range(3)}
    return pa.table({"sample_id": list("wxyz"), **names})


def predictions(folder: Path) -> list[Path]:
    """Write predictions of three runs in every form that `reseed import` reads."""
    labels = np.array([[0, 1, 0, 1], [0, 1, 1, 1], [0, 0, 0, 1]])
    np.save(folder / "labels.npy", labels)
    np.save(folder / "names.npy", np.array(["a", "bb"])[labels])
    np.save(folder / "probabilities.npy", np.eye(2, dtype=np.float32)[labels])
    csv.write_csv(_wide(), folder / "wide.csv")
    csv.write_csv(_probable(), folder / "probable.tsv", csv.WriteOptions(delimiter="\t", quoting_style="none"))
    pq.write_table(_probable(), folder / "probable.parquet")
    csv.write_csv(_long(), folder / "long.csv")
    pq.write_table(_long(), folder / "long.parquet")
    (folder / "long.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in _long().to_pylist()))
    write_rows(folder / "samples_task.jsonl", [text_row(row, ["a", "b", "a"], "a", 1.0) for row in range(3)])
    judged = [(row, epoch, "CI"[(row + epoch) % 2]) for epoch in (1, 2) for row in (1, 2)]
    samples = [inspect_sample(row, "ab"[value == "I"], value, "a", epoch) for row, epoch, value in judged]
    write_inspect(folder / "log.json", samples)
    return sorted(folder.iterdir())
