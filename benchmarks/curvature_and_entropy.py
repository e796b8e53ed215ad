"""Does a flatter end of training mean firmer answers? Curvature against label entropy, over recipes and over runs.

    python benchmarks/curvature_and_entropy.py --out FOLDER

trains the recipes of the headline study that answer with one network, and those of the question about SAM, and asks
each run for the curvature of its training loss where it ended. FOLDER keeps the studies: the same command continues.

1. Over recipes: the mean label entropy of a recipe against the mean of the logarithm of its curvature.
2. Over runs of a recipe: on how many samples a run differs from the others, against its own curvature, each as ranks
   within the recipe, pooled over recipes.
3. Over samples of the control: label entropy against the mean length of the gradient of the sample's loss.
4. SAM and averages: sharpness at the last iterate and at the weights that answer, label entropy and accuracy.

Correlations are Spearman's; partial ones are of the ranks' residuals after a line in the ranks of the training loss (of
samples: of the confidence). Intervals are bootstraps over recipes, a jackknife over seeds, and bootstraps over samples;
p-values are of permutations of recipes, of runs in all recipes alike, and of samples.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from _curvature_studies import CASES, FACTORS, curvature_of, studies_of
from _environment import write_result
from numpy.typing import NDArray
from scipy.special import stdtrit
from scipy.stats import rankdata

from reseed.instability import estimate, label_entropy
from reseed.statistics import estimate_numbers, jackknife_variance, mean_numbers
from reseed.studies import Study

NULL = "second control"
MEASURES = ("sharpness", "hessian_trace", "hessian_norm")
BOOTSTRAPS, PERMUTATIONS = 2000, 1999

Array = NDArray[np.float64]


def main() -> None:
    """Train what is missing, ask, and write what the numbers say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", nargs="*", choices=CASES, default=list(CASES))
    asked = parser.parse_args()
    write_result("curvature_and_entropy", {"cases": {name: case_of(name, asked.out) for name in asked.only}})


def case_of(name: str, folder: Path) -> dict[str, Any]:
    """Return everything about a data set and a network."""
    case, studies = CASES[name], studies_of(name, folder)
    # The second control is the control with other seeds, and no recipe of its own.
    recipes = {called: recipe_of(study, case.samples) for called, study in studies.items() if called != NULL}
    means = {key: np.array([mean_log(one[key]) for one in recipes.values()]) for key in (*MEASURES, "loss")}
    entropy = np.array([one["label_entropy_mean"] for one in recipes.values()])
    factors = {said: recipes[called] for said, called in FACTORS.items() if called in recipes}
    return {
        "title": case.title,
        "recipes": len(recipes),
        "runs": case.runs,
        "over_recipes": {key: over_recipes(means[key], entropy, means["loss"]) for key in MEASURES},
        "loss_and_entropy": over_recipes(means["loss"], entropy, None),
        "loss_and_curvature": {key: partial(means[key], means["loss"], None) for key in MEASURES},
        "over_runs": {key: over_runs(recipes, key) for key in MEASURES},
        "over_samples": over_samples(studies["control"], case.samples),
        "sam": {"+".join(filter(None, said)) or "control": sam_row(one) for said, one in factors.items()},
        "numbers": {called: as_json(one) for called, one in recipes.items()},
    }


def recipe_of(study: Study, samples: int) -> dict[str, Any]:
    """Return numbers of a recipe, and of each of its runs, [run]."""
    found, labels = curvature_of(study, samples), study.final("labels")
    differs = (labels[:, None] != labels[None]).mean(-1)  # [run, run]
    tracked = study.tracked()
    return {
        **{key: np.asarray(found.of_runs[key]) for key in MEASURES},
        "loss": np.asarray(found.of_runs["loss_asked"]),
        "last_sharpness": np.asarray(tracked["sharpness"].values[:, -1]),
        "differs": differs,
        "accuracy": (labels == study.targets).mean(1),
        **estimate_numbers("label_entropy", estimate(labels, method="two-way")),
    }


def over_recipes(curvature: Array, entropy: Array, loss: Array | None) -> dict[str, Any]:
    """Return the correlation over recipes, and given the training loss."""
    random = np.random.default_rng(0)
    everyone = np.arange(len(entropy))

    def given(rows: NDArray[np.int64], shuffled: NDArray[np.int64] | None, against: Array | None) -> float:
        other = entropy[rows] if shuffled is None else entropy[shuffled]
        return partial(curvature[rows], other, None if against is None else against[rows])

    kinds: dict[str, Array | None] = {"plain": None} if loss is None else {"plain": None, "given_loss": loss}
    return {
        kind: {
            "value": given(everyone, None, against),
            **ends([given(random.integers(len(entropy), size=len(entropy)), None, against) for _ in range(BOOTSTRAPS)]),
            **null(
                given(everyone, None, against),
                [given(everyone, random.permutation(len(entropy)), against) for _ in range(PERMUTATIONS)],
            ),
        }
        for kind, against in kinds.items()
    }


def over_runs(recipes: Mapping[str, Mapping[str, Any]], key: str) -> dict[str, Any]:
    """Return the correlation over runs within recipes, and given the training loss.

    Run r has the same seeds in every recipe, so that recipes are not independent: runs are permuted in all of them
    alike, and the interval is a jackknife that leaves a seed out of all of them.
    """
    random, runs = np.random.default_rng(0), len(next(iter(recipes.values()))["loss"])

    def ranks(kept: NDArray[np.int64]) -> tuple[Array, Array, Array]:
        """Return the ranks of curvature, disagreement and loss within recipes, [recipe, run]."""
        each = []
        for one in recipes.values():
            differs = one["differs"][np.ix_(kept, kept)].sum(1)
            each.append([ranked(values) for values in (one[key][kept], differs, one["loss"][kept])])
        curvature, differs, loss = (np.stack(parts) for parts in zip(*each, strict=True))
        return curvature, differs, loss

    def pooled(found: tuple[Array, Array, Array], *, is_partial: bool) -> float:
        curvature, differs, loss = (values.ravel() for values in found)
        if is_partial:
            curvature, differs = residual(curvature, loss), residual(differs, loss)
        return correlation(curvature, differs)

    everyone = np.arange(runs)
    whole, without = ranks(everyone), [ranks(np.delete(everyone, run)) for run in range(runs)]
    answers = {}
    for kind, is_partial in (("plain", False), ("given_loss", True)):
        value = pooled(whole, is_partial=is_partial)
        left_out = np.array([pooled(one, is_partial=is_partial) for one in without])
        reach = float(stdtrit(runs - 1, 0.975) * np.sqrt(jackknife_variance(left_out)))
        orders = (random.permutation(runs) for _ in range(PERMUTATIONS))
        permuted = [pooled((whole[0], whole[1][:, order], whole[2]), is_partial=is_partial) for order in orders]
        answers[kind] = {"value": value, "low": value - reach, "high": value + reach, **null(value, permuted)}
    return answers


def over_samples(study: Study, samples: int) -> dict[str, Any]:
    """Return the correlation over samples of the control, and given the confidence; both sides from other runs.

    One half of the runs says how a sample's loss bends and how sure it is, the other half how its answers differ.
    """
    found, random = curvature_of(study, samples), np.random.default_rng(0)
    column = np.asarray(found.by_run["gradient_norm"])
    known = ~np.isnan(column).any(0)
    half = len(column) // 2
    length = column[:half, known].mean(0)
    doubt = 1 - study.final("confidence")[:half, known].mean(0)
    entropy = np.asarray(label_entropy(study.final("labels")[half:, known]))
    rows = np.arange(len(entropy))

    def value(kept: NDArray[np.int64], order: NDArray[np.int64], against: Array | None) -> float:
        return partial(length[kept], entropy[order], None if against is None else against[kept])

    answers = {}
    for kind, against in (("plain", None), ("given_confidence", doubt)):
        draws = [random.integers(len(rows), size=len(rows)) for _ in range(BOOTSTRAPS)]
        permuted = [value(rows, random.permutation(rows), against) for _ in range(PERMUTATIONS)]
        answers[kind] = {
            "value": value(rows, rows, against),
            **ends([value(each, each, against) for each in draws]),
            **null(value(rows, rows, against), permuted),
        }
    return {"samples": len(rows), **answers, "confidence_alone": partial(doubt, entropy, None)}


def as_json(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return numbers of a recipe with those of its runs as texts of five digits, parted by spaces."""
    return {
        key: " ".join(f"{each:.5g}" for each in value) if isinstance(value, np.ndarray) else value
        for key, value in one.items()
        if key != "differs"
    }


def sam_row(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the question about SAM needs of a recipe."""
    return {
        **mean_numbers("log_sharpness", np.log(one["sharpness"])),
        **mean_numbers("log_last_sharpness", np.log(one["last_sharpness"])),
        **mean_numbers("accuracy", one["accuracy"], bottom=0.0, top=1.0),
        "label_entropy_mean": one["label_entropy_mean"],
        "label_entropy_ci95": one["label_entropy_ci95"],
    }


def mean_log(values: Array) -> float:
    """Return the mean of the logarithms of what is above 0."""
    return float(np.log(values[values > 0]).mean())


def ranked(values: Array) -> Array:
    """Return ranks in [0, 1], less their mean."""
    ranks = rankdata(values) / len(values)
    return np.asarray(ranks - ranks.mean())


def residual(values: Array, against: Array) -> Array:
    """Return what a line in other numbers leaves."""
    centred = against - against.mean()
    slope = (centred * values).sum() / (centred**2).sum()
    return np.asarray(values - values.mean() - slope * centred)


def correlation(one: Array, other: Array) -> float:
    """Return Pearson's correlation; NaN where one is constant."""
    one, other = one - one.mean(), other - other.mean()
    size = np.sqrt((one**2).sum() * (other**2).sum())
    return float((one * other).sum() / size) if size > 0 else float("nan")


def partial(one: Array, other: Array, against: Array | None) -> float:
    """Return Spearman's correlation, or that of the residuals of ranks."""
    one, other = ranked(one), ranked(other)
    if against is None:
        return correlation(one, other)
    line = ranked(against)
    return correlation(residual(one, line), residual(other, line))


def ends(values: list[float]) -> dict[str, float]:
    """Return the ends of the 95 % interval of a bootstrap."""
    low, high = np.nanquantile(values, [0.025, 0.975])
    return {"low": float(low), "high": float(high)}


def null(value: float, permuted: list[float]) -> dict[str, float]:
    """Return how often chance is as far from 0."""
    found = np.abs(np.array(permuted))
    return {"p": float((1 + (found >= abs(value)).sum()) / (1 + len(found)))}


if __name__ == "__main__":
    main()
