"""Measures how well one training foretells which samples flip between trainings, with weights learnt elsewhere.

    python benchmarks/single_run.py --encoder sentence-transformers/all-MiniLM-L6-v2 --out studies
    python benchmarks/single_run.py --encoder sentence-transformers/all-MiniLM-L6-v2 --out studies --dropout

make the studies of `STUDIES` in a folder, 16 runs each (an interrupted call continues), test the estimate on each of
them, print a table and write `single_run.json` beside this file. With `--dropout` all models have dropout, passes with
it are signals too, the score without them is printed beside, and the file is `single_run_dropout.json`.

Every study is tested with weights learnt on the studies of other data sets only: texts of massive and massive-domain
are the same, so none of them serves the other. Weights are learnt on the studies of `LESSONS`: cifar10 was not looked
at when the signals were chosen, and the other studies came later, for the share. What they are tested with is what
comes with reseed (`learnt`, also written to `--weights PATH`). Figures are means over runs with 95 % t-intervals;
`half_of_the_runs` is what half of the trainings themselves achieve against the other half.

The share of samples that flip is compared with what each run expects of it, by the line of `fit_share_line`. Line and
weights for a study are learnt without its data set, and what the line knows of another study is expected by weights
learnt without both. Beside it stands the interval of a constant error in log-odds, a line of slope 1. The line that
comes with reseed is learnt on all studies, each expected by weights that had not seen its data set.

gauss is made up: 7,000 points of 40 Gaussian classes in 30 dimensions, of which a fifth is held out; so is moons: 3,000
points of two overlapping half circles. speakers are the speeches of 12 characters of Shakespeare.
"""

import argparse
import gzip
import os
from collections import Counter
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
from _environment import write_result
from numpy.typing import NDArray
from scipy.special import expit, logit, stdtrit
from sklearn.datasets import load_breast_cancer
from sklearn.datasets import make_moons as noisy_moons

import reseed
from reseed import Study
from reseed.instability import (
    ShareLine,
    SingleRunModel,
    calibrate,
    fit_share_line,
    single_run_score,
    single_run_table,
)
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
    "massive-tfidf": ("massive", "text-tfidf", {}),
    "digits-cnn": ("digits", "cnn", {"epochs": 12}),
    "cancer": ("cancer.parquet", "mlp", {"data.eval_fraction": 0.5}),
    "moons": ("moons.parquet", "mlp", {"epochs": 15}),
    "speakers-tfidf": ("speakers.parquet", "text-tfidf", {}),
}
DROPOUT = tuple(STUDIES)[:7]
LESSONS = (
    "massive, text-encoder",
    "clinc150, text-encoder",
    "massive-domain, text-tfidf",
    "clinc150, text-tfidf",
    "mnist, mlp",
    "gauss.parquet, mlp",
    "digits, mlp",
)
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
    write_points(path, points, [f"c{label}" for label in labels])


def make_cancer(path: Path) -> None:
    """Writes scikit-learn's breast cancer data, every feature standardised, as a table."""
    points, labels = load_breast_cancer(return_X_y=True)
    points = ((points - points.mean(0)) / points.std(0)).astype(np.float32)
    write_points(path, points, [("malignant", "benign")[label] for label in labels])


def make_moons(path: Path) -> None:
    """Writes 3,000 points of two half circles that noise lets overlap, as a table."""
    points, labels = noisy_moons(3000, noise=0.25, random_state=5)
    write_points(path, points.astype(np.float32), [f"c{label}" for label in labels])


def make_speakers(path: Path) -> None:
    """Writes what the 12 characters with the most speeches say in the plays of `tinyshakespeare`, as a table."""
    text = gzip.decompress((Path(os.environ["RESEED_DATA"]) / "tinyshakespeare" / "input.txt.gz").read_bytes()).decode()
    speeches = [speech.split(":\n", 1) for speech in text.split("\n\n") if ":\n" in speech]
    chosen = {name for name, _ in Counter(speaker for speaker, _ in speeches).most_common(12)}
    kept = [(" ".join(said.split()), speaker) for speaker, said in speeches if speaker in chosen]
    texts, labels = zip(*kept, strict=True)
    parquet.write_table(pa.table({"text": texts, "label": labels}), path)


def write_points(path: Path, points: NDArray[np.float32], labels: list[str]) -> None:
    """Writes points and their labels as a table."""
    columns = {f"x{axis}": points[:, axis] for axis in range(points.shape[1])}
    parquet.write_table(pa.table({**columns, "label": labels}), path)


MADE = {
    "gauss.parquet": make_gauss,
    "cancer.parquet": make_cancer,
    "moons.parquet": make_moons,
    "speakers.parquet": make_speakers,
}


def make_studies(folder: Path, encoder: str, dropout: bool, threads: int | None) -> list[Study]:
    """Trains what is missing; with dropout, only what weights are learnt from."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, make in MADE.items():
        if not (folder / name).exists():
            make(folder / name)
    found = []
    for name, (data, model, changes) in STUDIES.items():
        if dropout and name not in DROPOUT:
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


def name_of(study: Study) -> str:
    """Returns data set and model."""
    return f"{study.header.dataset}, {study.header.model}"


class Calibrations:
    """What is learnt from the studies without some families, each once."""

    def __init__(self, studies: list[Study]) -> None:
        self.studies = studies
        self._weights: dict[frozenset[str], SingleRunModel] = {}
        self._expected: dict[tuple[str, frozenset[str]], NDArray[np.float64]] = {}

    def weights(self, *families: str) -> SingleRunModel:
        """Returns weights learnt without these families."""
        without = frozenset(families) & {family(study) for study in self.studies if name_of(study) in LESSONS}
        if without not in self._weights:
            chosen = [one for one in self.studies if name_of(one) in LESSONS and family(one) not in without]
            self._weights[without] = calibrate(chosen)
        return self._weights[without]

    def lessons(self, study: Study) -> list[Study]:
        """Returns what weights for a study are learnt on."""
        return [one for one in self.studies if name_of(one) in LESSONS and family(one) != family(study)]

    def expected(self, study: Study, *families: str) -> NDArray[np.float64]:
        """Returns the share that each run of a study expects by weights that saw neither its family nor these."""
        model = self.weights(family(study), *families)
        key = (name_of(study), frozenset((family(study), *families)))
        if key not in self._expected:
            signals = signals_by_run(study, names=model.signals)
            self._expected[key] = np.array(
                [np.mean(single_run_score(each, replace(model, cut=0.0))) for each in signals]
            )
        return self._expected[key]

    def line(self, *families: str) -> ShareLine:
        """Returns the line of shares, learnt without these families."""
        studies = [study for study in self.studies if family(study) not in families]
        return fit_share_line(
            [self.expected(study, *families) for study in studies],
            [actual_shares(study) for study in studies],
            [len(study.samples) for study in studies],
        )

    def constant(self, *families: str) -> list[float]:
        """Returns the errors in log-odds of the means over runs, of studies without these families."""
        studies = [study for study in self.studies if family(study) not in families]
        return [
            float(logit(actual_shares(study).mean()) - logit(self.expected(study, *families).mean()))
            for study in studies
        ]


def actual_shares(study: Study) -> NDArray[np.float64]:
    """Returns, for each run, the share of samples that flip among the others."""
    labels = study.final("labels")
    others = [np.delete(labels, run, 0) for run in range(len(labels))]
    return np.array([(each != each[0]).any(0).mean() for each in others])


def share(study: Study, calibrations: Calibrations) -> dict[str, Any]:
    """Returns the share of samples that flip among the other runs, and what single runs say of it."""
    own, samples = family(study), len(study.samples)
    expected, actual = calibrations.expected(study), actual_shares(study)
    said = [calibrations.line(own).predict(float(each), samples) for each in expected]
    errors = np.array(calibrations.constant(own))
    reach = stdtrit(len(errors) - 1, 0.975) * errors.std(ddof=1) * np.sqrt(1 + 1 / len(errors))
    low, high = (expit(logit(expected) + errors.mean() + way * reach) for way in (-1, 1))
    return {
        "expected": float(expected.mean()),
        "actual": float(actual.mean()),
        "error": float(logit(actual.mean()) - logit(expected.mean())),
        "by_run": {"expected": expected.tolist(), "actual": actual.tolist()},
        "said": float(np.mean([each.value for each in said])),
        "low": float(np.mean([each.low for each in said])),
        "high": float(np.mean([each.high for each in said])),
        "covered": sum(bool(each.low <= truth <= each.high) for each, truth in zip(said, actual, strict=True)),
        "width": float(np.mean([each.high - each.low for each in said])),
        "constant": {
            "covered": int(np.sum((low <= actual) & (actual <= high))),
            "width": float(np.mean(high - low)),
        },
    }


def tested(study: Study, calibrations: Calibrations) -> dict[str, Any]:
    """Returns how the estimate does on a study, with weights learnt elsewhere."""
    model = calibrations.weights(family(study))
    rows = {row.signal: asdict(row) for row in single_run_table(study, model, top=TOP)}
    if study.has_dropout_passes:
        plain = calibrate(calibrations.lessons(study), signals=SIGNALS)
        rows["score_without_passes"] = asdict(single_run_table(study, plain, top=TOP)[0])
    rows["score_without_cut"] = asdict(single_run_table(study, replace(model, cut=0.0), top=TOP)[0])
    found, name = share(study, calibrations), name_of(study)
    print(
        f"{name}: expected {found['expected']:.4f}, said {found['said']:.4f} [{found['low']:.4f}, {found['high']:.4f}]"
        f", actual {found['actual']:.4f}, covers {found['covered']} of {RUNS}",
        flush=True,
    )
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
        "share": found,
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
    calibrations = Calibrations(make_studies(given.out, given.encoder, given.dropout, given.threads))
    results = {name_of(study): tested(study, calibrations) for study in calibrations.studies}
    learnt = replace(calibrations.weights(), share=calibrations.line())
    if given.weights:
        learnt.write(given.weights)
    name = "single_run_dropout" if given.dropout else "single_run"
    write_result(name, {"lessons": LESSONS, "studies": results, "learnt": asdict(learnt)})


if __name__ == "__main__":
    main()
