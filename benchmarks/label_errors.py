"""How well wrong labels are found, beside cleanlab on the same trainings.

    RESEED_DATA=... python benchmarks/label_errors.py --out studies [--seeds 3] [--only mnist]

Sets of 5,000 training samples. The recipe of the ranking was chosen with eleven of them in view (`VIEWED`), first with
five: MNIST and CLINC150 of which a tenth of the labels is another class, drawn uniformly; MASSIVE of which a tenth is
the next class; CIFAR-10 with the labels that people gave (CIFAR-10N, `aggre` and `worse`). That recipe failed on one of
six others (`massive-any`), so what is averaged is now chosen by likelihood. The last four (`FRESH`) were asked once
that was fixed. Each is asked with several seeds, of the networks, the corruption and the folds: five folds, the cost of
four trainings on all samples (`one`), and two divisions into five, that of eight (`two`). Ours is the ranking that
`reseed.memorize` ships, with nothing chosen here.

cleanlab gets the same networks' out-of-sample probabilities, those of the last epoch and their means over all epochs,
and is asked for every quality score it has, adjusted and not: ten lines. `cleanlab_default` is self-confidence at the
last epoch; `cleanlab_best` the line with the best average precision, chosen per set and seed *with* the true errors,
which nobody can who uses it. It works in an environment of its own (`label_errors_peer.txt`), made on the first call.

Written to `label_errors.json`: average precision, AUROC, precision among as many as are wrong; how many are thought
wrong, and the precision and recall of those; means over seeds with Student's intervals, differences paired by seed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _environment import write_result
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

import reseed
from reseed.memorization import averaging_start, held_out_probabilities, in_sample_margin, rank_suspects
from reseed.statistics import t_interval

HERE = Path(__file__).parent
PINS = HERE / "label_errors_peer.txt"
SAMPLES, FOLDS = 5000, 5
_IMAGES = {
    "epochs": 20,
    "batch_size": 128,
    "model.hidden": [128],
    "optimizer.name": "adam",
    "optimizer.lr": 0.001,
}


def _made_wrong(kind: str, rate: float) -> dict[str, Any]:
    return {"data.corruption.kind": kind, "data.corruption.rate": rate}


VIEWED: dict[str, tuple[str, str, dict[str, Any]]] = {
    "mnist": ("mnist", "mlp", _made_wrong("labels", 0.1) | _IMAGES),
    "clinc150": ("clinc150", "text-tfidf", _made_wrong("labels", 0.1)),
    "massive": ("massive", "text-tfidf", _made_wrong("pair", 0.1)),
    "cifar10-aggre": ("cifar10", "mlp", {"data.labels": "aggre", **_IMAGES}),
    "cifar10-worse": ("cifar10", "mlp", {"data.labels": "worse", **_IMAGES}),
    "mnist-pair": ("mnist", "mlp", _made_wrong("pair", 0.1) | _IMAGES),
    "mnist-40": ("mnist", "mlp", _made_wrong("labels", 0.4) | _IMAGES),
    "clinc-pair": ("clinc150", "text-tfidf", _made_wrong("pair", 0.1)),
    "clinc-02": ("clinc150", "text-tfidf", _made_wrong("labels", 0.02)),
    "massive-any": ("massive", "text-tfidf", _made_wrong("labels", 0.1)),
    "massive-40": ("massive", "text-tfidf", _made_wrong("labels", 0.4)),
}
FRESH: dict[str, tuple[str, str, dict[str, Any]]] = {
    "mnist-20": ("mnist", "mlp", _made_wrong("pair", 0.2) | _IMAGES),
    "clinc-20": ("clinc150", "text-tfidf", _made_wrong("labels", 0.2)),
    "massive-20": ("massive", "text-tfidf", _made_wrong("labels", 0.2)),
    "cifar10-random1": ("cifar10", "mlp", {"data.labels": "random1", **_IMAGES}),
}
SCORES = ("average_precision", "auroc", "precision_at_wrong")


def peer_python() -> Path:
    """Return the interpreter of cleanlab's environment, which is made where it is not there yet."""
    folder = Path(tempfile.gettempdir()) / "reseed-benchmark-cleanlab"
    made = folder / "bin" / "python"
    if not (folder / "made").exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([made, "-m", "pip", "install", "--quiet", "--no-deps", "-r", PINS], check=True)
        (folder / "made").touch()
    return made


def quality(suspicion: NDArray[Any], is_wrong: NDArray[np.bool_]) -> dict[str, float]:
    """Return how well a ranking finds what is wrong."""
    first = np.argsort(-suspicion, kind="stable")[: is_wrong.sum()]
    return {
        "average_precision": float(average_precision_score(is_wrong, suspicion)),
        "auroc": float(roc_auc_score(is_wrong, suspicion)),
        "precision_at_wrong": float(is_wrong[first].mean()),
    }


def thought(found: NDArray[np.bool_], is_wrong: NDArray[np.bool_]) -> dict[str, float]:
    """Return how many are thought wrong, and how many of these and of all wrong ones that is right for."""
    hits = float((found & is_wrong).sum())
    return {
        "count": int(found.sum()),
        "precision": hits / max(1, int(found.sum())),
        "recall": hits / int(is_wrong.sum()),
    }


def asked(name: str, seed: int, folder: Path) -> dict[str, Any]:
    """Train, rank by both, and return the numbers of one set and seed, of one division into folds and of two."""
    data, model, changes = (VIEWED | FRESH)[name]
    changes = changes | {"data.limit": SAMPLES, "data.split_seed": seed}
    if "data.corruption.kind" in changes:
        changes["data.corruption.seed"] = seed
    recipe = reseed.recipe_for(reseed.DataConfig(data), model, changes=changes)
    found = reseed.memorize(
        recipe=recipe,
        folds=FOLDS,
        repeats=2,
        out=folder / f"{name}-{seed}",
        seed=seed,
        weights="none",
        engine="stacked",
    )
    done = found.study.corruption
    assert done is not None
    labels, is_wrong = done.given_labels, done.true_labels != done.given_labels
    probabilities, inside = np.asarray(found.study.recorded("probabilities", "train")), found.study.trained_on()
    ways = {
        way: judged(probabilities[:runs], inside[:runs], labels, is_wrong)
        for way, runs in (("one", FOLDS), ("two", 2 * FOLDS))
    }
    shipped = quality(np.asarray(found.scores.samples["suspicion"]), is_wrong)
    if abs(shipped["average_precision"] - ways["two"]["reseed"]["average_precision"]) > 1e-3:
        raise SystemExit(f"{name}, seed {seed}: the ranking asked here is not the one that reseed.memorize ships")
    return {"case": name, "seed": seed, "samples": len(labels), "wrong": int(is_wrong.sum()), **ways}


def judged(
    probabilities: NDArray[Any], inside: NDArray[np.bool_], labels: NDArray[np.int64], is_wrong: NDArray[np.bool_]
) -> dict[str, Any]:
    """Return how well both find what is wrong by the same networks [run, checkpoint, sample, class]."""
    whole = _shares(held_out_probabilities(probabilities, inside))
    last = _shares(held_out_probabilities(probabilities[:, -1:], inside))
    start = averaging_start(probabilities, labels, inside)
    averaged = probabilities[:, start:]
    held_out, margins = held_out_probabilities(averaged, inside), in_sample_margin(averaged, labels, inside)
    found = rank_suspects(_shares(held_out), labels, margins)
    told = _cleanlab(labels, all_epochs=whole, last_epoch=last)
    lines = {line: quality(np.array(scores), is_wrong) for line, scores in told["lines"].items()}
    best = max(lines, key=lambda line: lines[line]["average_precision"])
    issues = np.zeros(len(labels), np.bool_)
    issues[told["issues"]["last_epoch"]] = True
    return {
        "averaging_start": start,
        "trainings": float(inside.sum() / len(labels)),
        "held_out_agreement": float((whole.argmax(1) == labels).mean()),
        "reseed": quality(found.score, is_wrong) | thought(found.is_issue, is_wrong),
        "cleanlab_default": lines["last_epoch, self_confidence"] | thought(issues, is_wrong),
        "cleanlab_best": lines[best] | {"line": best},
        "cleanlab_lines": lines,
        "cleanlab": told["version"],
    }


def _shares(values: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(values / values.sum(1, keepdims=True))


def _cleanlab(labels: NDArray[np.int64], **probabilities: NDArray[Any]) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "given.npz"
        np.savez(file, labels=labels, **probabilities)
        command = [peer_python(), HERE / "_cleanlab_peer.py", file]
        printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return dict(json.loads(printed.splitlines()[-1]))


def summed_up(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return means over seeds with their intervals, and our differences from cleanlab, paired by seed."""
    ways = {way: _summed_up([row[way] for row in rows]) for way in ("one", "two")}
    return {"seeds": len(rows), "wrong": [row["wrong"] for row in rows], **ways}


def _summed_up(rows: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for way in ("reseed", "cleanlab_default", "cleanlab_best"):
        found[way] = {score: _mean([row[way][score] for row in rows]) for score in SCORES}
    for way in ("cleanlab_default", "cleanlab_best"):
        gains = [row["reseed"]["average_precision"] - row[way]["average_precision"] for row in rows]
        found[f"gain_over_{way}"] = _mean(gains)
    for way in ("reseed", "cleanlab_default"):
        found[way] |= {name: _mean([row[way][name] for row in rows]) for name in ("count", "precision", "recall")}
    return found


def _mean(values: list[float]) -> dict[str, float | None]:
    mean, low, high = t_interval(np.asarray(values, np.float64))
    return {"mean": mean, "low": None if np.isnan(low) else low, "high": None if np.isnan(high) else high}


def main() -> None:
    """Ask every set with every seed, and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="a folder for the studies")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=[*VIEWED, *FRESH], choices=[*VIEWED, *FRESH])
    options = parser.parse_args()
    rows = []
    for name in options.only:
        for seed in range(options.seeds):
            rows.append(asked(name, seed, options.out))
            ours, theirs = rows[-1]["one"]["reseed"], rows[-1]["one"]["cleanlab_best"]
            print(
                f"{name}, seed {seed}: {ours['average_precision']:.3f}, cleanlab's best "
                f"{theirs['average_precision']:.3f} ({theirs['line']}); {ours['count']} thought wrong, "
                f"{rows[-1]['wrong']} are",
                flush=True,
            )
    summaries = {name: summed_up([row for row in rows if row["case"] == name]) for name in options.only}
    write_result(
        "label_errors",
        {"samples": SAMPLES, "folds": FOLDS, "fresh": list(FRESH), "summaries": summaries, "rows": rows},
    )


if __name__ == "__main__":
    main()
