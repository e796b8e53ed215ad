"""Means over the data set of what the seed and the training sample do, with intervals."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float, Integer

from reseed.instability._arrays import ArrayLike, float_array
from reseed.instability._estimate import Estimate, check_level, interval, jackknife_variance, mean_variance
from reseed.instability._jitter import jitter
from reseed.instability._nested import nested_instability
from reseed.instability._nested_variance import nested_variance

_NAN = float("nan")


@dataclass(frozen=True)
class NestedEstimates:
    """What the seed and the training sample do to predictions, on average over samples.

    Attributes:
        inconsistency: divergence between two runs on one training set, in nats.
        instability: divergence between the mean predictions of two training sets, in nats.
        divergence: their sum, in nats.
        seed_variance: variance of predictions that the seed causes.
        data_variance: variance that another training set adds; may be below 0.
        data_share: the training set's share of both, NaN where neither does anything.
        seed_churn: share of predicted labels in which two runs on one training set differ.
        churn: share in which two runs differ whose seed and training set differ.
        training_sets: number of training sets.
        runs: runs on each of them.
    """

    inconsistency: Estimate
    instability: Estimate
    divergence: Estimate
    seed_variance: Estimate
    data_variance: Estimate
    data_share: Estimate
    seed_churn: Estimate
    churn: Estimate
    training_sets: int
    runs: int


def nested_estimates(probabilities: ArrayLike, *, epsilon: float | None = None, level: float = 0.95) -> NestedEstimates:
    """Returns the means of `nested_instability`, `nested_variance` and churn, each with an interval.

    An interval covers other training sets, other seeds and other samples: the delete-one jackknife over training
    sets, that over runs (run r of every set is left out together), and the variance over samples are added, and
    Student's t has one degree less than the fewer of sets and runs. A factor with fewer than three sets or runs,
    or a single sample, cannot be covered: the estimates' `method` names those that are. Intervals of what cannot be
    negative are cut off at 0.

    Args:
        probabilities: distributions [training_set, run, sample, class] for the same samples, preferably held out,
            of two or more training sets and runs; run r has the same seed on every set.
        epsilon: None, or a share in (0, 1) of the uniform distribution that is mixed into every prediction before
            divergences, which are infinite where one run rules a class out that another does not.
        level: confidence level of the intervals.

    Returns:
        The estimates; without an interval (NaN) where the value is not finite or no factor can be covered.

    Raises:
        InputError: an array of other axes, fewer than two training sets or runs, values that are no distributions,
            or an `epsilon` or `level` out of range.

    Example:
        >>> sets = [[[[0.5, 0.5]], [[0.6, 0.4]]], [[[0.7, 0.3]], [[0.8, 0.2]]]]
        >>> found = nested_estimates(sets)
        >>> round(found.seed_variance.value, 4), round(found.data_variance.value, 4), found.churn.value
        (0.01, 0.04, 0.0)
    """
    check_level(level)
    array = float_array(probabilities, "probabilities")
    whole = _measured(array, epsilon)
    samples = array.shape[2]
    jackknifed = [(_without(array, axis), array.shape[axis]) for axis in (0, 1) if array.shape[axis] > 2]
    covered = [name for axis, name in ((0, "training sets"), (1, "runs")) if array.shape[axis] > 2]
    left_out = [[_means(_measured(part, epsilon)) for part in parts] for parts, _ in jackknifed]
    if samples > 1:
        covered.append("samples")
    means = _means(whole)
    found = {}
    for name, value in means.items():
        variance = _NAN
        if np.isfinite(value) and covered:
            variance = sum(jackknife_variance(np.array([part[name] for part in parts])) for parts in left_out)
            variance += mean_variance(_influence(name, whole, means)) if samples > 1 else 0.0
        found[name] = replace(
            interval(
                value,
                variance,
                "two-way" if jackknifed else "samples",
                min((count for _, count in jackknifed), default=2),
                samples,
                level=level,
                bottom=-np.inf if name in ("data_variance", "data_share") else 0.0,
                top=1.0 if name in ("seed_churn", "churn", "data_share") else np.inf,
            ),
            method=", ".join(covered),
            runs=array.shape[0] * array.shape[1],
        )
    return NestedEstimates(**found, training_sets=array.shape[0], runs=array.shape[1])


def _without(array: Float[np.ndarray, "..."], axis: int) -> Iterator[Float[np.ndarray, "..."]]:
    """Yields the array without each entry of an axis, one at a time."""
    for left in range(array.shape[axis]):
        yield np.delete(array, left, axis)


def _measured(
    array: Float[np.ndarray, "training_set run sample class"], epsilon: float | None
) -> dict[str, Float[np.ndarray, " sample"]]:
    """Returns every measure of each sample."""
    spread = nested_variance(array)
    apart = nested_instability(array, epsilon=epsilon)
    labels = array.argmax(axis=-1)
    seed_churn, churn = _churns(labels)
    parts = {
        "inconsistency": apart.inconsistency,
        "instability": apart.instability,
        "seed_variance": spread.seed,
        "data_variance": spread.data,
        "seed_churn": seed_churn,
        "churn": churn,
    }
    return {name: np.asarray(part) for name, part in parts.items()}


def _churns(
    labels: Integer[np.ndarray, "training_set run sample"],
) -> tuple[Float[np.ndarray, " sample"], Float[np.ndarray, " sample"]]:
    """Returns the share of pairs with different labels: pairs of one set, and pairs of two sets and two seeds."""
    sets, runs, samples = labels.shape

    def differing(some: Integer[np.ndarray, "model sample"]) -> Float[np.ndarray, " sample"]:
        return np.asarray(jitter(some)) * len(some) * (len(some) - 1)

    of_set = sum((differing(labels[k]) for k in range(sets)), np.zeros(samples))
    of_run = sum((differing(labels[:, r]) for r in range(runs)), np.zeros(samples))
    both = differing(labels.reshape(sets * runs, samples)) - of_set - of_run
    return of_set / (sets * runs * (runs - 1)), both / (sets * (sets - 1) * runs * (runs - 1))


def _means(measured: dict[str, Float[np.ndarray, " sample"]]) -> dict[str, float]:
    means = {name: float(values.mean()) for name, values in measured.items()}
    total = means["seed_variance"] + means["data_variance"]
    means["divergence"] = means["inconsistency"] + means["instability"]
    means["data_share"] = means["data_variance"] / total if total > 0 else _NAN
    return means


def _influence(
    name: str, measured: dict[str, Float[np.ndarray, " sample"]], means: dict[str, float]
) -> Float[np.ndarray, " sample"]:
    """Returns values whose mean moves as the measure does when samples are others, to first order."""
    if name == "divergence":
        return np.asarray(measured["inconsistency"] + measured["instability"])
    if name != "data_share":
        return measured[name]
    data, total = measured["data_variance"], measured["seed_variance"] + measured["data_variance"]
    return np.asarray((data - means["data_share"] * total) / total.mean()) if total.mean() > 0 else data
