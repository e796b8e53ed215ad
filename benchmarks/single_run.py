"""Measures how well one training foretells which samples flip between trainings, with weights learnt elsewhere.

    python benchmarks/single_run.py --encoder sentence-transformers/all-MiniLM-L6-v2 --out studies
    python benchmarks/single_run.py --encoder sentence-transformers/all-MiniLM-L6-v2 --out studies --dropout

make the studies of `STUDIES` in a folder, 16 runs each (an interrupted call continues), test the estimate on each of
them, print a table and write `single_run.json` beside this file. With `--dropout` all models have dropout, passes with
it are signals too, the score without them is printed beside, and the file is `single_run_dropout.json`.

Every study is tested with weights learnt on the studies of other data sets only: texts of massive and massive-domain
are the same, so none of them serves the other. Nothing is ever learnt from data sets of `UNSEEN`, which were not looked
at when the signals were chosen; what they are tested with is what comes with reseed (`learnt`, also written to
`--weights PATH`). Figures are means over runs with 95 % t-intervals; `half_of_the_runs` is what half of the trainings
themselves achieve against the other half. The share of samples that flip is compared with what one run expects of it;
its error is in log-odds.

gauss is made up: 7,000 points of 40 Gaussian classes in 30 dimensions, of which a fifth is held out.
"""

import argparse
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from _environment import write_result
from scipy.special import logit

import reseed
from reseed import Study
from reseed.instability import SingleRunModel, calibrate, single_run_score, single_run_table
from reseed.instability.one_run._calibrate import SIGNALS
from reseed.instability.one_run._foretold import signals_by_run
from reseed.training import RecordConfig

RUNS, TOP = 16, 100
STUDIES: dict[str, tuple[str, str, dict[str, Any]]] = {  # data set, model, changes of the recipe
    "massive": ("massive", "text-encoder", {}),
    "clinc150": ("clinc150", "text-encoder", {}),
    "massive-domain-tfidf": ("massive-domain", "text-tfidf", {}),
    "clinc150-tfidf": ("clinc150", "text-tfidf", {}),
    "mnist": ("mnist", "mlp", {"data.limit": 3000, "epochs": 10}),
    "gauss": ("gauss.parquet", "mlp", {"epochs": 15}),
    "digits": ("digits", "mlp", {}),
    "cifar10": ("cifar10", "mlp", {"data.limit": 3000, "epochs": 10, "optimizer.lr": 0.01}),
}
UNSEEN = ("cifar10",)
SHOWN = (
    "score",
    "score_without_passes",
    "score_without_cut",
    "late_label_entropy",
    "mean_margin",
    "dropout_label_entropy",
    "dropout_margin",
    "half_of_the_runs",
)


def make_gauss(path: Path) -> None:
    """Writes points of Gaussian classes whose centres are drawn once, as a table."""
    rng = np.random.default_rng(5)
    classes, dimensions, count = 40, 30, 7000
    centres = rng.normal(0, 0.75, (classes, dimensions))
    labels = rng.integers(0, classes, count)
    points = (centres[labels] + rng.normal(size=(count, dimensions))).astype(np.float32)
    columns = {f"x{axis}": points[:, axis] for axis in range(dimensions)}
    parquet.write_table(pa.table({**columns, "label": [f"c{label}" for label in labels]}), path)


def make_studies(folder: Path, encoder: str, dropout: bool, threads: int | None) -> list[Study]:
    """Trains what is missing; with dropout, what is never learnt from is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "gauss.parquet").exists():
        make_gauss(folder / "gauss.parquet")
    found = []
    for name, (data, model, changes) in STUDIES.items():
        if dropout and name in UNSEEN:
            continue
        source = str(folder / data) if data.endswith(".parquet") else data
        changed = changes | ({"model.encoder": encoder} if model == "text-encoder" else {})
        changed |= {"model.dropout": 0.1} if dropout else {}
        record = RecordConfig(dropout_passes=20 if dropout else 0)
        out = folder / (f"{name}-dropout" if dropout else name)
        recipe = reseed.recipe_for(source, model, changes=changed)
        found.append(reseed.measure(recipe=recipe, runs=RUNS, out=out, record=record, threads=threads).study)
        print(f"{out}: {len(found[-1].manifests)} runs", flush=True)
    return found


def family(study: Study) -> str:
    """Returns the data set's name without what follows a hyphen: studies of one family share their samples."""
    return study.header.dataset.partition("-")[0]


def lessons(study: Study, studies: list[Study]) -> list[Study]:
    """Returns what weights for a study may be learnt on: neither its own data nor any that is never learnt from."""
    return [other for other in studies if family(other) not in (family(study), *UNSEEN)]


def expected_share(study: Study, model: SingleRunModel) -> dict[str, float]:
    """Returns the share of samples that flip among the other runs, what one run expects of it, and the error."""
    labels = study.final("labels")
    signals = signals_by_run(study, names=model.signals)
    expected = np.mean([np.mean(single_run_score(each, replace(model, cut=0.0))) for each in signals])
    others = [np.delete(labels, run, 0) for run in range(len(labels))]
    actual = np.mean([(each != each[0]).any(0).mean() for each in others])
    return {"expected": float(expected), "actual": float(actual), "error": float(logit(actual) - logit(expected))}


def tested(study: Study, studies: list[Study]) -> dict[str, Any]:
    """Returns how the estimate does on a study, with weights learnt elsewhere."""
    model = calibrate(lessons(study, studies))
    rows = {row.signal: asdict(row) for row in single_run_table(study, model, top=TOP)}
    if study.has_dropout_passes:
        plain = calibrate(lessons(study, studies), signals=SIGNALS)
        rows["score_without_passes"] = asdict(single_run_table(study, plain, top=TOP)[0])
    rows["score_without_cut"] = asdict(single_run_table(study, replace(model, cut=0.0), top=TOP)[0])
    share = expected_share(study, model)
    name = f"{study.header.dataset}, {study.header.model}"
    print(f"{name}: {'  '.join(f'{key} {value:.4f}' for key, value in share.items())}", flush=True)
    for signal in (signal for signal in SHOWN if signal in rows):
        parts = [
            "{} {mean:.3f} [{low:.3f}, {high:.3f}]".format(key, **rows[signal][key])
            for key in ("spearman", "kendall", "auroc", "precision", "spearman_flipping")
        ]
        print(f"{name}: {signal:18s} {'  '.join(parts)}", flush=True)
    return {
        "runs": len(study.manifests),
        "checkpoints": len(study.manifests[0].steps),
        "samples": len(study.samples.ids),
        "weights": asdict(model),
        "top": TOP,
        "share": share,
        "signals": rows,
    }


def main() -> None:
    """Makes the studies, and calibrates and tests on every one in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dropout", action="store_true")
    parser.add_argument("--weights", type=Path, help="where the weights that come with reseed are written to")
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    studies = make_studies(given.out, given.encoder, given.dropout, given.threads)
    results = {f"{study.header.dataset}, {study.header.model}": tested(study, studies) for study in studies}
    learnt = calibrate([study for study in studies if family(study) not in UNSEEN])
    if given.weights:
        learnt.write(given.weights)
    name = "single_run_dropout" if given.dropout else "single_run"
    write_result(name, {"unseen": UNSEEN, "studies": results, "learnt": asdict(learnt)})


if __name__ == "__main__":
    main()
