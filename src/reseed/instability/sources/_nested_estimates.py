"""Means over the data set of what the seed and the training sample do, with intervals."""

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, float_array
from reseed.instability.sources._nested import nested_instability
from reseed.instability.sources._nested_parts import LeftOut, left_out
from reseed.instability.sources._nested_variance import nested_variance
from reseed.statistics import Estimate, check_level, interval, mean_variance

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

    An interval covers other training sets, other seeds and other samples. With V_T the delete-one jackknife's variance
    over training sets, V_R that over runs (run r of every set is left out together), V_S that of the mean over samples,
    and V with two or three letters what two or three of them share (the same for single samples, or where set k and run
    r are left out together),

        V = V_T + V_R + V_S - V_TR - V_TS - V_RS + V_TRS,   at least V_S

    so that nothing is counted twice. The quantile is Student's; by Welch and Satterthwaite's formula its degrees are

        V^2 / (V_T^2 / (training sets - 1) + V_R^2 / (runs - 1) + V_S^2 / (samples - 1))

    but no fewer than one less than the fewer of sets and runs. A factor with fewer than three sets or runs, or a single
    sample, cannot be covered: the estimates' `method` names those that are, and the others' terms are left out.
    Intervals of what cannot be negative are cut off at 0.

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

    References:
        Cameron, Gelbach and Miller, "Robust inference with multiway clustering", Journal of Business & Economic
        Statistics 2011 (what is taken off). Satterthwaite, "An approximate distribution of estimates of variance
        components", Biometrics Bulletin 1946.
    """
    check_level(level)
    array = float_array(probabilities, "probabilities")
    spread = nested_variance(probabilities)
    apart = nested_instability(probabilities, epsilon=epsilon)
    parts = _with_sums(left_out(array, epsilon))
    sets, runs, samples = array.shape[:3]
    seed, data = spread.mean_seed, spread.mean_data
    values = {
        "inconsistency": apart.mean_inconsistency,
        "instability": apart.mean_instability,
        "divergence": apart.mean_inconsistency + apart.mean_instability,
        "seed_variance": seed,
        "data_variance": data,
        "data_share": data / (seed + data) if seed + data > 0 else _NAN,
        "seed_churn": float(parts["seed_churn"].whole.mean()) if samples else _NAN,
        "churn": float(parts["churn"].whole.mean()) if samples else _NAN,
    }
    covered = [name for name, count in (("training sets", sets), ("runs", runs)) if count > 2]
    covered += ["samples"] if samples > 1 else []
    found = {}
    for name, value in values.items():
        variance, degrees = _NAN, float(samples - 1)
        if np.isfinite(value) and covered:
            each, means = _share(parts, value) if name == "data_share" else (parts[name], parts[name].means())
            with np.errstate(invalid="ignore"):  # a divergence that is infinite without some run has no interval
                variance, degrees = _spread(each, means)
        found[name] = replace(
            interval(
                value,
                variance,
                "samples" if covered == ["samples"] else "two-way",
                sets * runs,
                samples,
                level=level,
                bottom=-np.inf if name in ("data_variance", "data_share") else 0.0,
                top=1.0 if name in ("seed_churn", "churn", "data_share") else np.inf,
                degrees=degrees,
            ),
            method=", ".join(covered),
        )
    return NestedEstimates(**found, training_sets=sets, runs=runs)


def _with_sums(parts: dict[str, LeftOut]) -> dict[str, LeftOut]:
    """Adds the measures that are sums and differences of others."""
    return parts | {
        "divergence": parts["inconsistency"].with_(parts["instability"], np.add),
        "data_variance": parts["total_variance"].with_(parts["seed_variance"], np.subtract),
    }


def _share(parts: dict[str, LeftOut], value: float) -> tuple[LeftOut, LeftOut]:
    """Returns the training set's share of the variance: samples' parts of it to first order, and its values."""
    data, total = parts["data_variance"], parts["total_variance"]
    level = total.whole.mean()
    each = data.with_(total, lambda one, other: (one - value * other) / level)
    return each, data.means().with_(total.means(), lambda one, other: one / np.where(other > 0, other, _NAN))


def _spread(each: LeftOut, means: LeftOut) -> tuple[float, float]:
    """Returns the variance over the factors that can be covered, what they share counted once, and its degrees.

    Args:
        each: The measure of each sample.
        means: Its means over samples.
    """
    sets, runs, samples = len(means.no_set), len(means.no_run), each.whole.shape[-1]
    main, degrees, shared = [], [], 0.0
    if samples > 1:
        main, degrees = [mean_variance(each.whole)], [samples - 1]
    for count, of_samples, of_mean in ((sets, each.no_set, means.no_set), (runs, each.no_run, means.no_run)):
        if count:
            main, degrees = [*main, float(_jackknife(of_mean))], [*degrees, count - 1]
            shared += float(_jackknife(of_samples).sum()) / samples**2 if samples > 1 else 0.0
    if sets and runs:
        shared += float(_of_both(means))
        shared -= float(_of_both(each).sum()) / samples**2 if samples > 1 else 0.0
    # Jackknives of three or four are too large, and so no bound from below; that over samples has many of them.
    least = main[0] if samples > 1 else max(main)
    variance = max(sum(main) - shared, least)
    noise = sum(part**2 / count for part, count in zip(main, degrees, strict=True))
    return variance, max(variance**2 / noise if noise else 0.0, min(degrees))


def _jackknife(values: Float[np.ndarray, "left_out ..."]) -> Float[np.ndarray, "..."]:
    """Returns (N - 1) / N sum (T_r - mean T)^2."""
    count = len(values)
    return np.asarray((count - 1) / count * ((values - values.mean(axis=0)) ** 2).sum(axis=0))


def _of_both(left: LeftOut) -> Float[np.ndarray, "..."]:
    """Returns the variance that single cells make, a set with a run, from what leaving out both does beyond either."""
    sets, runs = left.neither.shape[:2]
    beyond = left.whole - left.no_set[:, None] - left.no_run[None] + left.neither
    return np.asarray(
        (sets - 1) * (runs - 1) / (sets * runs) * ((beyond - beyond.mean(axis=(0, 1))) ** 2).sum(axis=(0, 1))
    )
