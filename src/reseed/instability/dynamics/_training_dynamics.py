"""Everything that the course of a training says about each sample, in one table."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Shaped

from reseed._arrays import ArrayLike, Result, brief, float_array, for_good, give_back, to_numpy, undefined
from reseed._errors import InputError
from reseed._labels import encode, label_array, same_shape
from reseed.instability._columns import COLUMNS
from reseed.instability.dynamics._forgetting import count_forgetting
from reseed.instability.dynamics._trajectory import check_burn_in, mean_and_variance, probability_array
from reseed.instability.labels._label_entropy import label_entropy
from reseed.statistics import t_interval

_BLOCK = 65_536  # samples of one run that are worked on at a time
WHEN = ("first_learned", "forgotten_for_good")
NEED_NO_TARGET = ("label_flips", "trajectory_label_entropy", "trajectory_margin")


@dataclass(frozen=True, eq=False)
class TrainingDynamics:
    """What the course of training, of one run or averaged over several, says about each sample.

    Attributes:
        samples: values [sample] by column name. Leaving out the burn-in: `confidence`, `variability` and
            `closeness` (see `cartography`; only where the probability is known), `correctness` (share of
            checkpoints that are right), `trajectory_label_entropy` (in nats, along the run) and
            `trajectory_margin` (mean margin, the AUM where margins are those of `logit_margin`; only where
            given). Of all checkpoints: `forgetting_events`, `label_flips`, `never_learned` and `unforgettable`
            (shares of runs: right at no checkpoint; right at some and never forgotten), `first_learned` and
            `forgotten_for_good` (the first checkpoint from which on the sample is right, or wrong; inf where
            that happens in no run, and runs in which it does not happen count as their number of checkpoints).
        summary: flat, JSON-ready numbers: `samples`, `samples_with_value`, `runs`, `checkpoints`, `burn_in`; of
            every column but the last two `<column>_mean`, the mean over samples that have a value and over
            runs, and `<column>_ci95_runs`, its 95 % t-interval over other runs. None where there is no value,
            and for the interval of a single run.
    """

    samples: dict[str, Result]
    summary: dict[str, Any]


def training_dynamics(
    labels: ArrayLike,
    targets: ArrayLike,
    *,
    own_probability: ArrayLike | None = None,
    margin: ArrayLike | None = None,
    burn_in: int = 0,
) -> TrainingDynamics:
    """Returns the measures of each run's course of training, averaged over runs.

    Every run is measured alone, and is read only when its turn comes; the working memory is that of one run
    and some vectors [sample]. More runs make the averages steadier and do not bias them, while more
    checkpoints show more events: compare only equal numbers of checkpoints.

    Args:
        labels: predicted labels [run, checkpoint, sample], or [checkpoint, sample] of one run.
        targets: true labels [sample]; negative numbers stand for unknown ones.
        own_probability: probability of the true label, of the shape of `labels`; may be NaN where the target
            is unknown.
        margin: margins of the same shape, such as those of `logit_margin`. The margin that studies record is
            another, the first minus the second probability, which is never negative.
        burn_in: number of first checkpoints that means and entropy leave out; counts of events and times use
            all checkpoints.

    Returns:
        A table of measures and its summary; NaN, with a warning, in columns that need a target where it is
        unknown.

    Raises:
        InputError: no runs or checkpoints (left), shapes that differ, or values that cannot be used.

    Example:
        >>> found = training_dynamics([[[0, 1], [1, 1], [1, 1]], [[0, 1], [0, 0], [1, 1]]], targets=[1, 1])
        >>> found.samples["correctness"].round(3), found.samples["forgetting_events"], found.samples["first_learned"]
        (array([0.5  , 0.833]), array([0. , 0.5]), array([1.5, 1. ]))

    References:
        Swayamdipta et al., "Dataset Cartography", EMNLP 2020. Toneva et al., "An Empirical Study of Example
        Forgetting during Deep Neural Network Learning", ICLR 2019. Pleiss et al., "Identifying Mislabeled Data
        using the Area Under the Margin Ranking", NeurIPS 2020. Averages over runs are this library's.
    """
    shape, labels_of = _by_run(labels, "labels")
    others: dict[str, Callable[[int], Any]] = {}
    for name, value in (("own_probability", own_probability), ("margin", margin)):
        if value is not None:
            found, others[name] = _by_run(value, name)
            if found != shape:
                raise InputError(
                    f"{name} has the shape {list(found)} but labels have {list(shape)} (as [run, checkpoint, sample]); "
                    "pass trajectories of the same runs, checkpoints and samples."
                )
    runs, checkpoints, size = shape
    check_burn_in(burn_in, checkpoints)
    gold = label_array(targets, "targets")
    if gold.shape != (size,):
        raise InputError(f"targets is {brief(gold)} but labels are of {size} samples; pass one true label for each.")
    known = gold >= 0 if gold.dtype.kind not in "UT" else np.ones(gold.shape, bool)
    totals: dict[str, Float[np.ndarray, " sample"]] = {}
    happened = {name: np.zeros(size, bool) for name in WHEN}
    means: list[dict[str, float | None]] = []
    for run in range(runs):
        trajectories = {name: to_numpy(values_of(run), name) for name, values_of in others.items()}
        columns = _of_run(label_array(labels_of(run)), gold, known, trajectories, burn_in, run)
        for name in WHEN:
            is_finite = np.isfinite(columns[name])
            happened[name] |= is_finite
            columns[name] = np.where(is_finite, columns[name], checkpoints)
        means.append(column_means(columns, known))
        for name, values in columns.items():
            totals[name] = totals[name] + values if name in totals else values.astype(np.float64)
    averages = {name: total / runs for name, total in totals.items()}
    for name in WHEN:
        averages[name][~happened[name]] = np.inf
    if not known.all():
        undefined(
            f"the targets of {np.count_nonzero(~known)} of {size} samples are unknown; columns that need them are NaN."
        )
    return dynamics(averages, known, means, checkpoints, burn_in, labels)


def run_columns(
    labels: ArrayLike,
    targets: ArrayLike,
    *,
    own_probability: ArrayLike | None = None,
    margin: ArrayLike | None = None,
    burn_in: int = 0,
) -> dict[str, Float[np.ndarray, " sample"]]:
    """Returns the columns of one run, those that `training_dynamics` averages over runs.

    What happens at no checkpoint has an infinite time, and what needs a target is NaN where that is unknown.

    Args:
        labels: predicted labels [checkpoint, sample].
        targets: see `training_dynamics`.
        own_probability: [checkpoint, sample].
        margin: [checkpoint, sample].
        burn_in: see `training_dynamics`.

    Example:
        >>> run_columns([[0, 1], [1, 0], [1, 1]], targets=[1, -1])["forgetting_events"]
        array([ 0., nan])
    """
    gold = label_array(targets, "targets")
    known = gold >= 0 if gold.dtype.kind not in "UT" else np.ones(gold.shape, bool)
    given = {"own_probability": own_probability, "margin": margin}
    trajectories = {name: to_numpy(values, name) for name, values in given.items() if values is not None}
    columns = _of_run(label_array(labels), gold, known, trajectories, burn_in, 0)
    return {
        name: values if name in NEED_NO_TARGET else np.where(known, values, np.nan) for name, values in columns.items()
    }


def _by_run(values: ArrayLike, name: str) -> tuple[tuple[int, ...], Callable[[int], Any]]:
    """Returns the shape [run, checkpoint, sample] and what reads one run, without reading the others."""
    array: Any = values if isinstance(getattr(values, "shape", None), tuple) else to_numpy(values, name)
    shape = tuple(array.shape)
    if len(shape) not in (2, 3):
        raise InputError(f"{name} has the shape {list(shape)}; pass [run, checkpoint, sample] or [checkpoint, sample].")
    if 0 in shape[:-1]:
        raise InputError(f"{name} has the shape {list(shape)}, without runs or checkpoints; pass one of each or more.")
    if len(shape) == 2:
        return (1, *shape), lambda run: array
    return shape, lambda run: array[run]


def _of_run(
    labels: Shaped[np.ndarray, "checkpoint sample"],
    gold: Shaped[np.ndarray, " sample"],
    known: Bool[np.ndarray, " sample"],
    trajectories: dict[str, Shaped[np.ndarray, "checkpoint sample"]],
    burn_in: int,
    run: int,
) -> dict[str, Float[np.ndarray, " sample"]]:
    """Measures one run, a block of samples after another."""
    size = len(gold)
    same_shape(labels[0], gold, ("labels", "targets"))
    columns: dict[str, Float[np.ndarray, " sample"]] = {}
    for start in range(0, max(size, 1), _BLOCK):
        some = slice(start, min(start + _BLOCK, size))
        codes, _ = encode(labels[:, some])
        right = labels[:, some] == gold[some]
        found = event_columns(right)
        found["label_flips"] = np.count_nonzero(codes[1:] != codes[:-1], axis=0)
        found["correctness"] = right[burn_in:].mean(axis=0)
        found["trajectory_label_entropy"] = label_entropy(codes[burn_in:])
        if "own_probability" in trajectories:
            own = np.where(known[some], trajectories["own_probability"][:, some], 0.5)
            own = probability_array(own, f"own_probability[{run}, :, {start}:]")
            confidence, variance = mean_and_variance(own[burn_in:])
            found |= map_columns(confidence, variance)
        if "margin" in trajectories:
            margins = float_array(trajectories["margin"][:, some], f"margin[{run}, :, {start}:]")
            found["trajectory_margin"] = margins[burn_in:].mean(axis=0, dtype=np.float64)
        for name, values in found.items():
            columns.setdefault(name, np.empty(size))[some] = values
    return columns


def event_columns(right: Bool[np.ndarray, "checkpoint sample"]) -> dict[str, Shaped[np.ndarray, " sample"]]:
    """Returns the columns that say what was learned and forgotten."""
    count, never = count_forgetting(right), ~right.any(axis=0)
    return {
        "forgetting_events": count,
        "never_learned": never,
        "unforgettable": ~never & (count == 0),
        "first_learned": for_good(right),
        "forgotten_for_good": for_good(~right),
    }


def map_columns(
    confidence: Float[np.ndarray, " sample"], variance: Float[np.ndarray, " sample"]
) -> dict[str, Float[np.ndarray, " sample"]]:
    """Returns the columns of the data map."""
    return {
        "confidence": confidence,
        "variability": np.sqrt(variance),
        "closeness": confidence * (1 - confidence),
    }


def column_means(
    columns: dict[str, Float[np.ndarray, " sample"]], known: Bool[np.ndarray, " sample"]
) -> dict[str, float | None]:
    """Returns the mean over samples of every column whose values are finite by nature; None without samples."""
    means: dict[str, float | None] = {}
    for name, values in columns.items():
        if name not in WHEN:
            chosen = values if name in NEED_NO_TARGET else values[known]
            means[name] = float(chosen.mean()) if len(chosen) else None
    return means


def dynamics(
    columns: dict[str, Float[np.ndarray, " sample"]],
    known: Bool[np.ndarray, " sample"],
    means: list[dict[str, float | None]],
    checkpoints: int,
    burn_in: int,
    like: object,
) -> TrainingDynamics:
    """Puts NaN where targets are unknown, adds the summary, and gives tensors where the argument was one."""
    summary: dict[str, Any] = {
        "samples": len(known),
        "samples_with_value": int(np.count_nonzero(known)),
        "runs": len(means),
        "checkpoints": int(checkpoints),
        "burn_in": int(burn_in),
    }
    samples: dict[str, Result] = {}
    for name in sorted(columns):
        values = columns[name] if name in NEED_NO_TARGET else np.where(known, columns[name], np.nan)
        samples[name] = give_back(values, like)
        if name not in WHEN:
            of_runs = [value for mean in means if (value := mean[name]) is not None]
            bottom, top = COLUMNS[name].ends(T=checkpoints)
            mean, low, high = t_interval(np.array(of_runs), bottom=bottom, top=top)
            summary[f"{name}_mean"] = mean if of_runs else None
            summary[f"{name}_ci95_runs"] = [low, high] if len(of_runs) > 1 else None
    return TrainingDynamics(samples, summary)
