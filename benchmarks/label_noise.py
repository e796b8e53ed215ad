"""What label noise does to the answers that change between seeds, and what helps.

    RESEED_DATA=... python benchmarks/label_noise.py --out studies [--runs 10] [--only mnist]

MNIST (2,000 training samples, an MLP) and CLINC150 (3,000 texts, tf-idf), of whose training labels none, a tenth, a
fifth and two fifths are another class, drawn uniformly. All are trained until they answer most wrong labels by heart.
Recorded are both splits, after a third of the training and at its end.

1. Label entropy and jitter (churn of two runs) of groups of samples. Of the training split: corrupted ones, and those
   with true labels, hard and easy; of the evaluation split hard and easy. Which are hard is said by networks of another
   study, without noise, that did not see the sample: the fifth with the lowest probability of the true label. Nulls:
   the study without noise, a second one with other seeds, and random subsets of the samples with true labels.
2. `reseed.mitigate` under a fifth and two fifths of wrong labels: what methods do to label entropy and accuracy of the
   evaluation split, beside a second control; and the second control stopped after a third of its training, a point that
   was not searched for.
3. Corrupted training samples near evaluation samples: see `_label_noise_neighbours.py`.

Written to `label_noise.json`, with intervals over runs and samples.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _environment import write_result
from _label_noise_neighbours import neighbours
from numpy.typing import NDArray

import reseed
from reseed.instability import accuracy_difference, estimate, label_entropy_reduction
from reseed.instability import label_entropy as entropy_of
from reseed.statistics import Estimate
from reseed.studies import train_study

RATES, NOISY = (0.0, 0.1, 0.2, 0.4), (0.2, 0.4)
FOLDS, HARD, SUBSETS = 5, 0.2, 1000
REFERENCE_SEED = 1000
METHODS = (
    "label-smoothing",
    "confidence-penalty",
    "mixup",
    "cosine-decay",
    "ema",
    "ema+init-scale+label-smoothing",
    "tgtss:source=in_batch+ema",
    "prediction-ensemble:members=3",
)
CASES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "mnist": (
        "mnist",
        "mlp",
        {"data.limit": 2000, "model.hidden": [128], "optimizer.name": "adam", "optimizer.lr": 0.003},
    ),
    "clinc150": ("clinc150", "text-tfidf", {"data.limit": 3000}),
}
EPOCHS, BATCH = 30, 64
Mask = NDArray[np.bool_]
Labels = NDArray[np.integer[Any]]


def recipe_of(case: str, rate: float) -> reseed.Recipe:
    """Return the recipe of a set with a share of its labels wrong."""
    data, model, changes = CASES[case]
    changes = changes | {"epochs": EPOCHS, "batch_size": BATCH}
    if rate:
        changes |= {"data.corruption.kind": "labels", "data.corruption.rate": rate}
    return reseed.recipe_for(reseed.DataConfig(data), model, changes=changes)


def record_of(case: str) -> reseed.RecordConfig:
    """Return what is recorded: both splits after a third of the training, after two thirds and at its end."""
    a_third = EPOCHS // 3 * -(-CASES[case][2]["data.limit"] // BATCH)
    return reseed.RecordConfig(every=a_third, train=True, weights="final")


@dataclass(frozen=True, eq=False)
class Reference:
    """What networks without noise, of other seeds, say of samples that they did not see.

    Attributes:
        train: Probability of the true label, [train sample].
        evaluation: The same, [evaluation sample].
        memorised: Training samples that networks which saw them answer right, and those which did not wrong.
        targets: True labels of the training split.
    """

    train: NDArray[np.float64]
    evaluation: NDArray[np.float64]
    memorised: Mask
    targets: NDArray[np.int64]


def reference_of(case: str, folder: Path, runs: int) -> Reference:
    """Train networks that each leave a fold out of the set without noise."""
    record = reseed.RecordConfig(every="final", train=True, weights="none")
    plan = reseed.SeedPlan(REFERENCE_SEED, folds=FOLDS)
    study = train_study(recipe_of(case, 0.0), folder, runs=runs, plan=plan, record=record, threads=1)
    own, labels = (np.asarray(study.recorded(name, "train"))[:, -1] for name in ("own_probability", "labels"))
    inside = study.trained_on()
    targets = study.inputs("train").targets
    right = labels == targets
    return Reference(
        np.where(inside, 0.0, own).sum(0) / (~inside).sum(0),
        study.final("own_probability").astype(np.float64).mean(0),
        np.asarray((right | ~inside).all(0) & (~right | inside).all(0)),
        targets,
    )


def hardest(probability: NDArray[np.float64]) -> Mask:
    """Return the fifth of the samples with the lowest probability."""
    mask = np.zeros(len(probability), np.bool_)
    mask[np.argsort(probability, kind="stable")[: round(HARD * len(probability))]] = True
    return mask


def group(labels: Labels, inside: Mask, given: Labels, true: Labels) -> dict[str, Any]:
    """Return what runs [run, sample] answer to a group of samples, and how unlike."""
    some = labels[:, inside]
    return {
        "samples": int(inside.sum()),
        "changing": int((some != some[0]).any(0).sum()),
        "label_entropy": told(estimate(some, "label_entropy", "two-way")),
        "jitter": told(estimate(some, "jitter", "two-way")),
        "given_label": float((some == given[inside]).mean()),
        "true_label": float((some == true[inside]).mean()),
    }


def groups_of(study: reseed.Study, reference: Reference) -> dict[str, Any]:
    """Return the groups of both splits, after a third of the training and at its end.

    Random subsets are of the training samples with true labels, as many as are corrupted, after a third of the training
    (at its end hardly any changes), and of the evaluation samples, as many as are hard.
    """
    corruption = study.corruption
    given = reference.targets if corruption is None else corruption.given_labels
    wrong = given != reference.targets
    hard = hardest(reference.train)
    train = {"corrupted": wrong, "true": ~wrong, "hard": hard & ~wrong, "easy": ~hard & ~wrong}
    hard_evaluation = hardest(reference.evaluation)
    evaluation = {"all": np.ones_like(hard_evaluation), "hard": hard_evaluation, "easy": ~hard_evaluation}
    found: dict[str, Any] = {}
    for when, place in (("early", 0), ("final", -1)):
        inner, outer = (np.asarray(study.recorded("labels", split))[:, place] for split in ("train", "evaluation"))
        found[when] = {
            "train": {name: group(inner, mask, given, reference.targets) for name, mask in train.items() if mask.any()},
            "evaluation": {name: group(outer, mask, study.targets, study.targets) for name, mask in evaluation.items()},
        }
    inner = np.asarray(study.recorded("labels", "train"))[:, 0]
    found["random_subsets"] = {
        "train": random_subsets(inner[:, ~wrong], int(wrong.sum()) or int(hard.sum())),
        "evaluation": random_subsets(study.final(), int(hard_evaluation.sum())),
    }
    return found


def random_subsets(labels: Labels, size: int) -> dict[str, float]:
    """Return the middle 95 % of mean label entropy over random subsets of a size."""
    values, rng = np.asarray(entropy_of(labels)), np.random.default_rng(0)
    means = [values[rng.choice(len(values), min(size, len(values)), replace=False)].mean() for _ in range(SUBSETS)]
    low, high = np.quantile(means, [0.025, 0.975])
    return {"samples": min(size, len(values)), "mean": float(values.mean()), "low": float(low), "high": float(high)}


def told(found: Estimate) -> dict[str, float]:
    """Return an estimate as JSON."""
    return {"value": found.value, "low": found.low, "high": found.high}


def methods_of(found: reseed.Comparison, control: reseed.Study, second: reseed.Study) -> list[dict[str, Any]]:
    """Return what each method does to label entropy and accuracy of the evaluation split, and what stopping early does.

    Runs of the study that is stopped are the second control's, so that they are not those of the control.
    """
    rows = [
        {
            "name": row.name,
            "role": row.role,
            "label_entropy": told(row.effect.label_entropy),
            "jitter": told(row.effect.jitter),
            "reduction": row.effect.reduction and told(row.effect.reduction),
            "beyond_null": row.effect.beyond_null and told(row.effect.beyond_null),
            "distinguishable": row.effect.is_distinguishable,
            "accuracy": row.effect.accuracy and told(row.effect.accuracy),
            "accuracy_difference": row.effect.accuracy_difference and told(row.effect.accuracy_difference),
            "cost_training": row.cost.training,
            "cost_inference": row.cost.inference,
            "wrong_labels_learned": learned(row.study, -1),
        }
        for row in found.rows
    ]
    early, whole = np.asarray(second.labels[:, 0]), control.final()
    rows.append(
        {
            "name": "a third of the training",
            "role": "early",
            "label_entropy": told(estimate(early, "label_entropy", "two-way")),
            "jitter": told(estimate(early, "jitter", "two-way")),
            "reduction": told(label_entropy_reduction(early, whole)),
            "accuracy_difference": told(accuracy_difference(early, whole, control.targets)),
            "cost_training": 1 / 3,
            "cost_inference": 1,
            "wrong_labels_learned": learned(second, 0),
        }
    )
    return rows


def learned(study: reseed.Study, checkpoint: int) -> float:
    """Return the share of corrupted training samples to which runs answer the wrong label that they were given."""
    corruption = study.corruption
    assert corruption is not None
    wrong = corruption.changed
    labels = np.asarray(study.recorded("labels", "train"))[:, checkpoint, wrong]
    return float((labels == corruption.given_labels[wrong]).mean())


def asked(case: str, folder: Path, runs: int) -> dict[str, Any]:
    """Train everything of one set, and return its numbers."""
    record = record_of(case)
    reference = reference_of(case, folder / "reference", runs)
    seeds = {"without-noise": 0, "without-noise-again": 1}
    plain = {
        name: train_study(
            recipe_of(case, 0.0), folder / name, runs=runs, plan=reseed.SeedPlan(seed), record=record, threads=1
        )
        for name, seed in seeds.items()
    }
    base, again = plain.values()
    found: dict[str, Any] = {
        "case": case,
        "train_samples": len(reference.train),
        "evaluation_samples": len(reference.evaluation),
        "memorised_without_noise": int(reference.memorised.sum()),
        "rates": [{"rate": 0.0, "wrong": 0, **groups_of(base, reference)}],
        "reseeded": groups_of(again, reference),
        "methods": [],
        "neighbours": [neighbours(base, reference, 0.0)],
    }
    for rate in RATES[1:]:
        recipe = recipe_of(case, rate)
        if rate in NOISY:
            out = folder / f"mitigate-{rate}"
            compared = reseed.mitigate(recipe=recipe, methods=METHODS, runs=runs, out=out, record=record, threads=1)
            study, second = (reseed.Study.open(out / name) for name in ("control", "second-control"))
            found["methods"].append({"rate": rate, "rows": methods_of(compared, study, second)})
            found["neighbours"].append(neighbours(study, reference, rate))
        else:
            out = folder / f"noise-{rate}"
            study = train_study(recipe, out, runs=runs, record=record, threads=1)
        assert study.corruption is not None
        wrong = int(study.corruption.changed.sum())
        found["rates"].append({"rate": rate, "wrong": wrong, **groups_of(study, reference)})
    return found


def main() -> None:
    """Ask every set, and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True, help="a folder for the studies")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--only", nargs="*", default=list(CASES), choices=list(CASES))
    options = parser.parse_args()
    cases = [asked(case, options.out / case, options.runs) for case in options.only]
    facts = {"runs": options.runs, "folds": FOLDS, "hard_share": HARD, "epochs": EPOCHS, "rates": RATES}
    write_result("label_noise", {**facts, "cases": cases})


if __name__ == "__main__":
    main()
