"""Checks the formulas of docs/scale.md (`_cost_model.py`) against what is measured at several sizes.

- store: studies of made-up predictions, written with `RunWriter`: bytes, files, seconds to write, open, read and
  evaluate, peak memory of a fresh process for opening, evaluating and the report, above that of a process that has
  imported the libraries.
- record: peak memory of predicting and recording one checkpoint, one run or several stacked, in a fresh process.
- time: seconds of whole serial studies, predicted from three small ones.
- workers: seconds to start a process, and of the same study with the engines `serial` and `processes`.
- real: bytes of a study of a data set (`massive`, from the folder in RESEED_DATA), for the compression of real answers.

    python benchmarks/scale.py
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _cost_model import Size
from _environment import write_result
from _predictions import Predictions

from reseed.data import DataConfig
from reseed.instability import evaluate
from reseed.models import ModelConfig, architecture
from reseed.report import report_data, write
from reseed.studies import Header, Manifest, Study, train_study
from reseed.studies._cost import peak_resident as peak
from reseed.studies._samples import samples_from
from reseed.studies._store import run_writer
from reseed.training import (
    NoSink,
    Recipe,
    RecordConfig,
    RecordedSplit,
    SeedPlan,
    StackedTraining,
    Training,
    TrainingSet,
    default_recipe,
    run_training,
)

SIZES = [
    Size(10, 5, 10_000, 10, "scores"),
    Size(50, 20, 100_000, 10, "scores"),
    Size(10, 5, 10_000, 1_000, "full"),
    Size(100, 1, 1_000_000, 10, "labels"),
    Size(30, 3, 300_000, 10, "scores"),  # this and the next were measured after the formulas had been written
    Size(200, 1, 200_000, 100, "labels"),
]
RECORDED = [(Size(1, 1, 200_000, 100, level), stacked) for level in ("labels", "scores", "full") for stacked in (1, 4)]
REPETITIONS = 3
TIMED = 5  # repetitions of short timings, of which the fastest counts: the machine is shared


def seconds(function: Callable[..., object], *arguments: Any) -> float:
    """Time one call."""
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def child(*words: str) -> dict[str, float]:
    """Run a part of this script in a fresh process and return what it measured."""
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def make_study(root: Path, size: Size) -> float:
    """Write a study of made-up predictions and return the seconds that writing runs took."""
    predictions = Predictions(size.checkpoints, size.samples, size.classes, size.level)
    samples = samples_from(size.samples, targets=predictions.targets, class_names=range(size.classes))
    described = {"dataset": "made up", "model": "none", "class_names": samples.class_names, "data": samples.digest}
    Study.create(root, Header(kind="import", runs=size.runs, **described), samples)
    taken = 0.0
    for run in range(size.runs):
        start = time.perf_counter()
        with run_writer(root, run, size.checkpoints, size.classes) as writer:
            taken += time.perf_counter() - start
            for checkpoint, arrays in enumerate(predictions.of_run(run)):
                taken += seconds(writer.write, "evaluation", checkpoint, arrays)
            steps = tuple(range(1, size.checkpoints + 1))
            taken += seconds(writer.finish, Manifest(run, "complete", writer.name, steps, samples.digest))
    return taken


def look(folder: str) -> None:
    """Open, read, evaluate and report a study, and print seconds and peaks as JSON."""
    import pyarrow.parquet  # noqa: F401
    import scipy.special  # noqa: F401
    import sklearn.isotonic  # noqa: F401
    import xarray  # noqa: F401
    import zarr  # noqa: F401

    base, found = peak(), {}
    start = time.perf_counter()
    study = Study.open(folder)
    found |= {"open_s": time.perf_counter() - start, "open_bytes": peak() - base}
    found["final_labels_s"] = seconds(study.final, "labels")
    found["one_sample_s"] = seconds(study.labels.isel(sample=0).to_numpy)
    start = time.perf_counter()
    stability = evaluate(study)
    found |= {"evaluate_s": time.perf_counter() - start, "evaluate_bytes": peak() - base}
    start = time.perf_counter()
    write(report_data(study, stability), Path(folder) / "report.html")
    found |= {"report_s": time.perf_counter() - start, "report_bytes": peak() - base}
    print(json.dumps(found))


def store(size: Size) -> dict[str, object]:
    """Compare the formulas of one size with what a study on disk takes."""
    rounds, predicted = [], {"files": size.files, "raw_bytes": size.raw_bytes}
    with tempfile.TemporaryDirectory() as folder:
        written = make_study(Path(folder), size)
        paths = [path for path in (Path(folder) / "runs").rglob("*") if path.is_file()]
        on_disk = {"write_s": written, "files": len(paths), "bytes": sum(path.stat().st_size for path in paths)}
        rounds = [child("look", folder) for _ in range(REPETITIONS)]
    predicted |= {"open_bytes": size.open_bytes, "evaluate_bytes": size.evaluate_bytes}
    middle = {key: statistics.median(one[key] for one in rounds) for key in rounds[0]}
    print(f"{size}: predicted {predicted}, measured {on_disk | middle}")
    return {"size": asdict(size), "predicted": predicted, "on_disk": on_disk, "rounds": rounds}


def record(level: str, samples: int, classes: int, stacked: int) -> None:
    """Predict and record one checkpoint of a small network, and print the growth of the peak as JSON."""
    from scipy.special import entr  # noqa: F401

    data = TrainingSet(torch.randn(64, 8), torch.randint(0, classes, (64,)), classes)
    split = RecordedSplit("evaluation", torch.randn(samples, 8), np.zeros(samples, np.int64))
    recipe = Recipe(model=ModelConfig(hidden=(8,)), steps=1)
    seeds = tuple(SeedPlan().seeds(run) for run in range(stacked))
    build = architecture(recipe.model)
    alone = Training(recipe, build, data, seeds[0])
    training = alone if stacked == 1 else StackedTraining(recipe, build, data, seeds)
    with tempfile.TemporaryDirectory() as folder:
        run_training(training, (1,), (), level, [NoSink()] * stacked)
        with run_writer(Path(folder), stacked, 1, classes) as writer:  # what is loaded once is loaded
            writer.write("evaluation", 0, {"labels": np.zeros(1)})
        base = peak()
        writers = [run_writer(Path(folder), run, 1, classes) for run in range(stacked)]
        run_training(training, (1,), (split,), level, [writer.__enter__() for writer in writers])
    print(json.dumps({"bytes": peak() - base}))


def recording(size: Size, stacked: int) -> dict[str, object]:
    """Compare the formula for recording with the peak of a fresh process."""
    words = ("record", size.level, str(size.samples), str(size.classes), str(stacked))
    found = [child(*words)["bytes"] for _ in range(REPETITIONS)]
    predicted = size.record_bytes(stacked)
    print(
        f"record {size}, {stacked} stacked: predicted {predicted / 1e6:.0f} MB, measured {np.median(found) / 1e6:.0f}"
    )
    return {"size": asdict(size), "stacked": stacked, "predicted_bytes": predicted, "measured_bytes": found}


def study_seconds(runs: int, epochs: int, every: str, engine: str = "serial", jobs: int | None = None) -> float:
    """Time a whole study of digits."""
    recipe = replace(default_recipe("mlp"), epochs=epochs)
    with tempfile.TemporaryDirectory() as folder:
        options = {"engine": engine, "jobs": jobs, "probe": False, "record": RecordConfig(every)}
        return seconds(lambda: train_study(recipe, Path(folder) / "study", runs=runs, **options))


def training_time() -> dict[str, object]:
    """Predict whole studies' seconds from the time of a step, of a checkpoint and of a run in small ones."""
    steps = 45  # of an epoch: 1,437 samples in batches of 32
    study_seconds(2, 1, "final")  # what is loaded once is loaded
    small = [(10, 2, "final"), (10, 12, "final"), (10, 12, "epoch")]
    base, long, often = (min(study_seconds(*one) for _ in range(TIMED)) for one in small)
    step = (long - base) / (10 * 10 * steps)
    checkpoint = (often - long) / (10 * 11)
    run = base / 10 - 2 * steps * step - checkpoint
    rows = []
    for runs, epochs, every in ((10, 30, "final"), (20, 15, "epoch"), (40, 20, "5")):
        count = {"final": 1, "epoch": epochs}.get(every) or -(-epochs * steps // int(every))
        predicted = runs * (epochs * steps * step + count * checkpoint + run)
        found = [study_seconds(runs, epochs, every) for _ in range(TIMED)]
        print(f"{runs} runs of {epochs} epochs, {count} checkpoints: predicted {predicted:.2f} s, measured {found}")
        rows.append(
            {"runs": runs, "epochs": epochs, "checkpoints": count, "predicted_s": predicted, "measured_s": found}
        )
    return {"step_s": step, "checkpoint_s": checkpoint, "run_s": run, "studies": rows}


def workers() -> dict[str, object]:
    """Time starting a process that imports reseed, and short studies with and without worker processes."""
    code = "import reseed, torch, zarr, scipy.special"
    start = [seconds(subprocess.run, [sys.executable, "-c", code]) for _ in range(5)]
    found: dict[str, object] = {"start_s": start}
    for runs in (2, 8, 32):
        found[f"{runs} runs, serial"] = [study_seconds(runs, 15, "final") for _ in range(TIMED)]
        found[f"{runs} runs, processes"] = [fresh_workers(runs) for _ in range(TIMED)]
    print(found)
    return found


def fresh_workers(runs: int) -> float:
    """Time a study with two worker processes that are started for it."""
    from joblib.externals.loky import get_reusable_executor

    get_reusable_executor().shutdown(wait=True)
    return study_seconds(runs, 15, "final", "processes", 2)


def real() -> dict[str, object]:
    """Return how far the predictions of a real study are compressed, array by array."""
    recipe = replace(default_recipe("text-tfidf", DataConfig("massive")), epochs=10)
    with tempfile.TemporaryDirectory() as folder:
        study = train_study(recipe, Path(folder) / "study", runs=3, engine="serial", record=RecordConfig("epoch"))
        labels = study.labels.to_numpy()
        found = {
            "agreement_between_runs": float((labels[0, -1] == labels[1, -1]).mean()),
            "agreement_between_checkpoints": float((labels[:, 1:] == labels[:, :-1]).mean()),
            "checkpoints": labels.shape[1],
            "samples": labels.shape[2],
        }
        for name in study.recorded_names():
            chunks = (study.path / "runs").glob(f"*/predictions-*/evaluation/{name}/c/**/*")
            size = sum(path.stat().st_size for path in chunks if path.is_file())
            found[f"{name}_bytes_over_raw"] = size / study.recorded(name).nbytes
        found["labels_bytes_over_raw, a chunk for each checkpoint"] = one_by_one(labels, Path(folder) / "again")
    print(found)
    return found


def one_by_one(labels: np.ndarray, path: Path) -> float:
    """Return how far labels [run, checkpoint, sample] are compressed when each checkpoint is by itself."""
    import zarr

    array = zarr.create_array(path, shape=labels.shape, chunks=(1, 1, labels.shape[2]), dtype=labels.dtype)
    array[:] = labels
    return sum(file.stat().st_size for file in (path / "c").rglob("*") if file.is_file()) / labels.nbytes


def main() -> None:
    """Measure everything and write the raw numbers beside this file."""
    result = {
        "repetitions": REPETITIONS,
        "repetitions of timings": TIMED,
        "store": [store(size) for size in SIZES],
        "record": [recording(*one) for one in RECORDED],
        "time": training_time(),
        "workers": workers(),
        "real": real(),
    }
    write_result("scale", result)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["look", folder]:
            look(folder)
        case ["record", level, samples, classes, stacked]:
            record(level, int(samples), int(classes), int(stacked))
        case _:
            main()
