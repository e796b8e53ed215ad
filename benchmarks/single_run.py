"""Measures how well one training foretells which samples flip between trainings, with weights learnt elsewhere.

Each argument is a study of several runs, made for example by

    reseed measure massive --encoder ENCODER --runs 16 --out massive
    reseed measure clinc150 --encoder ENCODER --runs 16 --out clinc150
    reseed measure massive-domain --model text-tfidf --runs 16 --out massive-domain-tfidf
    reseed measure clinc150 --model text-tfidf --runs 16 --out clinc150-tfidf
    reseed measure mnist --model mlp --limit 3000 --epochs 10 --runs 16 --out mnist
    reseed measure gauss.parquet --epochs 15 --runs 16 --out gauss
    reseed measure cifar10 --model mlp --limit 3000 --epochs 10 --lr 0.01 --runs 16 --out cifar10
    reseed measure digits --runs 16 --out digits

With `--dropout 0.1 --dropout-passes 20` added to each but cifar10, dropout passes are signals too; the score without
them is then printed beside.

Here `--gauss gauss.parquet` makes the file: 7,000 points of 40 Gaussian classes in 30 dimensions.

Every study is tested with weights learnt on the studies of other data sets only: texts of massive and massive-domain
are the same, so none of them serves the other. `--unseen cifar10` is never learnt from. Figures are means over runs
with 95 % t-intervals; `half_of_the_runs` is what half of the trainings themselves achieve against the other half.
The share of samples that flip is compared with what one run expects of it; its error is in log-odds.
Prints a table and writes `single_run.json` beside this file; `--weights PATH` also writes weights of all but the
unseen studies. Run it with `python benchmarks/single_run.py massive clinc150 ... --unseen cifar10`.
`single_run_dropout.json` is what it wrote for all of these but cifar10, each made with `--dropout 0.1
--dropout-passes 20`.
"""

import argparse
from dataclasses import asdict, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from _environment import write_result
from scipy.special import logit

from reseed import Study
from reseed.instability import SingleRunModel, calibrate, single_run_score, single_run_table
from reseed.instability._calibrate import SIGNALS
from reseed.instability._foretold import signals_by_run

TOP = 100
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


def make_gauss(path: str) -> None:
    """Writes points of Gaussian classes whose centres are drawn once, as a table."""
    rng = np.random.default_rng(5)
    classes, dimensions, train, test = 40, 30, 4000, 3000
    centres = rng.normal(0, 0.75, (classes, dimensions))
    labels = rng.integers(0, classes, train + test)
    points = (centres[labels] + rng.normal(size=(train + test, dimensions))).astype(np.float32)
    columns = {f"x{axis}": points[:, axis] for axis in range(dimensions)}
    columns |= {"label": [f"c{label}" for label in labels], "split": ["train"] * train + ["test"] * test}
    parquet.write_table(pa.table(columns), path)


def family(study: Study) -> str:
    """Returns the data set's name without what follows a hyphen: studies of one family share their samples."""
    return study.header.dataset.partition("-")[0]


def expected_share(study: Study, model: SingleRunModel) -> dict[str, float]:
    """Returns the share of samples that flip among the other runs, what one run expects of it, and the error."""
    labels = study.final("labels")
    signals = signals_by_run(study, names=model.signals)
    expected = np.mean([np.mean(single_run_score(each, replace(model, cut=0.0))) for each in signals])
    others = [np.delete(labels, run, 0) for run in range(len(labels))]
    actual = np.mean([(each != each[0]).any(0).mean() for each in others])
    return {"expected": float(expected), "actual": float(actual), "error": float(logit(actual) - logit(expected))}


def main() -> None:
    """Calibrates and tests on every study in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("studies", nargs="*")
    parser.add_argument("--unseen", nargs="*", default=[])
    parser.add_argument("--weights")
    parser.add_argument("--gauss")
    options = parser.parse_args()
    if options.gauss:
        make_gauss(options.gauss)
        return
    seen = [Study.open(path) for path in options.studies]
    unseen = [Study.open(path) for path in options.unseen]
    result = {}
    for study in (*seen, *unseen):
        model = calibrate([other for other in seen if family(other) != family(study)])
        rows = {row.signal: asdict(row) for row in single_run_table(study, model, top=TOP)}
        if study.has_dropout_passes:
            plain = calibrate([other for other in seen if family(other) != family(study)], signals=SIGNALS)
            rows["score_without_passes"] = asdict(single_run_table(study, plain, top=TOP)[0])
        rows["score_without_cut"] = asdict(single_run_table(study, replace(model, cut=0.0), top=TOP)[0])
        name = f"{study.header.dataset}, {study.header.model}"
        share = expected_share(study, model)
        print(f"{name}: {'  '.join(f'{key} {value:.4f}' for key, value in share.items())}", flush=True)
        result[name] = {
            "runs": len(study.manifests),
            "weights": asdict(model),
            "top": TOP,
            "share": share,
            "signals": rows,
        }
        for signal in (name for name in SHOWN if name in rows):
            figures = rows[signal]
            parts = [
                f"{key} {figures[key]['mean']:.3f} [{figures[key]['low']:.3f}, {figures[key]['high']:.3f}]"
                for key in ("spearman", "kendall", "auroc", "precision", "spearman_flipping")
            ]
            print(f"{name}: {signal:18s} {'  '.join(parts)}", flush=True)
    if options.weights:
        calibrate(seen).write(options.weights)
    write_result("single_run", {"studies": result})


if __name__ == "__main__":
    main()
