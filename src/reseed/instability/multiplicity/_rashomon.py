"""Predictive multiplicity of labels: what models of about the same loss disagree on."""

from collections.abc import Iterable
from typing import Literal

import numpy as np
from jaxtyping import Bool, Float, Integer

from reseed._arrays import ArrayLike, Result, brief, float_array, give_back, to_numpy, undefined
from reseed._errors import InputError
from reseed._labels import encode, encode_together, label_array, run_axis_first, same_shape
from reseed._numbers import is_whole
from reseed.instability._rounding import ROUNDING, unit_roundoff


def rashomon_set(losses: ArrayLike, *, epsilon: float, base: Literal["best"] | int = "best") -> Result:
    """Returns which runs have about the loss of a base run: the empirical epsilon-level (Rashomon) set.

        S = { h : R(h) <= R(h_0) + epsilon }

    The base always belongs to it. The number of survivors is the sum of the mask: publish it, because what is
    measured on the set grows with it. A loss that misses the limit by rounding alone, in the type that losses are
    given in, is within it.

    Args:
        losses: the loss or error of each run [run], preferably on validation data, in any unit.
        epsilon: by how much a loss may exceed the base's, at least 0, in the same unit.
        base: index of the base run, or "best" for the lowest loss (the first of several).

    Returns:
        Boolean mask [run], True for survivors; pass it as `keep`.

    Raises:
        InputError: losses are no finite numbers [run], epsilon is negative, or base is no run.

    Example:
        >>> rashomon_set([0.10, 0.12, 0.11, 0.20], epsilon=0.02)
        array([ True,  True,  True, False])

    References:
        Marx, Calmon and Ustun, "Predictive Multiplicity in Classification", ICML 2020.
    """
    values = loss_array(losses)
    wanted = np.atleast_1d(to_numpy(epsilon, "epsilon"))
    check_epsilons(wanted, "epsilon")
    limit = limits(values[base_run(base, values)], wanted.astype(np.float64), unit_roundoff(losses, epsilon))[0]
    return give_back(values <= limit, losses)


def ambiguous_samples(
    labels: ArrayLike,
    *,
    reference: Literal["base", "gold"] = "base",
    base: int = 0,
    targets: ArrayLike | None = None,
    keep: ArrayLike | None = None,
) -> Result:
    """Returns which samples at least one surviving run labels otherwise than the reference.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        reference: "base" compares with the labels of run `base`, "gold" with `targets`; see `ambiguity`.
        base: index of the base run.
        targets: true labels [sample], for reference="gold" only.
        keep: boolean [run], the survivors; see `rashomon_set`. All runs when None.

    Returns:
        Boolean [sample], True where the answer is ambiguous. With fewer than two survivors float64 NaN, with a
        warning.

    Raises:
        InputError: labels, targets, base or keep cannot be used, or the base is not kept.

    Example:
        >>> ambiguous_samples([[0, 1, 1], [0, 1, 2], [1, 1, 1]])
        array([ True, False,  True])
    """
    runs, wanted, kept, shape = _compared(labels, reference, base, targets, keep)
    if _has_no_value(kept, 1, "the ambiguity of each sample"):
        return give_back(np.full(shape, np.nan), labels)
    return give_back(any_difference((runs[run] for run in np.flatnonzero(kept)), wanted).reshape(shape), labels)


def ambiguity(
    labels: ArrayLike,
    *,
    reference: Literal["base", "gold"] = "base",
    base: int = 0,
    targets: ArrayLike | None = None,
    keep: ArrayLike | None = None,
) -> float:
    """Returns the share of samples that at least one surviving run labels otherwise than the reference.

        alpha = (1 / n) sum_i max_{h in S} 1[h(x_i) != h_0(x_i)]

    It is never below `discrepancy`, and grows with the set of runs: over R trained runs it is a lower bound of
    the ambiguity over all models of that loss.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        reference: "base" compares with the labels of run `base`, which is the definition. "gold" compares with
            `targets`, a different quantity: the share of samples that some survivor gets wrong.
        base: index of the base run.
        targets: true labels [sample], for reference="gold" only.
        keep: boolean [run], the survivors; see `rashomon_set`. All runs when None.

    Returns:
        The share in [0, 1]; NaN, with a warning, with fewer than two survivors or no samples.

    Raises:
        InputError: labels, targets, base or keep cannot be used, or the base is not kept.

    Example:
        >>> labels = [[0, 1, 1, 1], [0, 1, 1, 2], [1, 1, 1, 1]]
        >>> ambiguity(labels), ambiguity(labels, keep=[True, True, False])
        (0.5, 0.25)

    References:
        Marx, Calmon and Ustun, "Predictive Multiplicity in Classification", ICML 2020.
    """
    runs, wanted, kept, _ = _compared(labels, reference, base, targets, keep)
    if _has_no_value(kept, wanted.size, "the ambiguity"):
        return float("nan")
    return float(any_difference((runs[run] for run in np.flatnonzero(kept)), wanted).mean())


def discrepancy(
    labels: ArrayLike,
    *,
    reference: Literal["base", "gold"] = "base",
    base: int = 0,
    targets: ArrayLike | None = None,
    keep: ArrayLike | None = None,
) -> float:
    """Returns the largest share of samples that one surviving run labels otherwise than the reference.

        delta = max_{h in S} (1 / n) sum_i 1[h(x_i) != h_0(x_i)]

    That is the largest churn from the base to a run of about the same loss.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        reference: "base" compares with the labels of run `base`, which is the definition. "gold" compares with
            `targets`, a different quantity: the largest error rate of a survivor.
        base: index of the base run.
        targets: true labels [sample], for reference="gold" only.
        keep: boolean [run], the survivors; see `rashomon_set`. All runs when None.

    Returns:
        The share in [0, 1], at most the ambiguity; NaN, with a warning, with fewer than two survivors or no
        samples.

    Raises:
        InputError: labels, targets, base or keep cannot be used, or the base is not kept.

    Example:
        >>> discrepancy([[0, 1, 1, 1], [0, 1, 1, 2], [1, 1, 1, 1]])
        0.25

    References:
        Marx, Calmon and Ustun, "Predictive Multiplicity in Classification", ICML 2020.
    """
    runs, wanted, kept, _ = _compared(labels, reference, base, targets, keep)
    if _has_no_value(kept, wanted.size, "the discrepancy"):
        return float("nan")
    return max(float(np.mean(runs[run] != wanted)) for run in np.flatnonzero(kept))


def loss_array(losses: ArrayLike) -> Float[np.ndarray, " run"]:
    """Returns losses [run] in double precision; raises unless they are finite and there is one at least."""
    values = float_array(losses, "losses").astype(np.float64)
    if values.ndim != 1 or not len(values):
        raise InputError(f"losses must hold one number for each run, got {brief(values)}; pass [run].")
    if not np.isfinite(values).all():
        run = int(np.flatnonzero(~np.isfinite(values))[0])
        raise InputError(f"losses holds {values[run]} for run {run}; leave the run that diverged out.")
    return values


def base_run(base: Literal["best"] | int, losses: Float[np.ndarray, " run"]) -> int:
    """Returns the index of the base run."""
    return int(losses.argmin()) if base == "best" else check_base(base, len(losses))


def check_base(base: object, runs: int) -> int:
    """Returns a base run's index; raises unless it is one of `0 .. runs - 1`."""
    if not is_whole(base) or not 0 <= base < runs:
        raise InputError(f"base={base!r} is not one of the {runs} runs; pass an index in 0..{runs - 1}.")
    return int(base)


def check_epsilons(epsilons: Float[np.ndarray, " epsilon"], name: str) -> None:
    """Raises unless every epsilon is a number of at least 0."""
    good = epsilons.dtype.kind in "iuf" and epsilons.ndim == 1 and bool((epsilons >= 0).all())
    if not good:
        raise InputError(f"{name} must be at least 0, got {brief(epsilons.tolist())}; pass how much loss may be lost.")


def limits(base_loss: float, epsilons: Float[np.ndarray, "..."], unit: float) -> Float[np.ndarray, "..."]:
    """Returns the largest losses within each epsilon of the base's; forgives what rounding each by `unit` can do."""
    exact = base_loss + epsilons
    given = unit * (abs(base_loss) + epsilons + np.abs(exact))
    return np.asarray(exact + given + ROUNDING * np.maximum(1.0, np.abs(exact)))


def kept_runs(keep: ArrayLike | None, runs: int) -> Bool[np.ndarray, " run"]:
    """Checks a mask of survivors; all runs survive when it is None."""
    if keep is None:
        return np.ones(runs, np.bool_)
    array = to_numpy(keep, "keep")
    if array.dtype != np.bool_ or array.shape != (runs,):
        raise InputError(
            f"keep must be a boolean mask over the {runs} runs, got {brief(array)}; pass what rashomon_set returns."
        )
    return array


def kept_base(base: object, kept: Bool[np.ndarray, " run"]) -> int:
    """Checks that the base is a run, and one that is kept."""
    run = check_base(base, len(kept))
    if not kept[run]:
        raise InputError(
            f"base={run} is not among the runs that keep leaves, {brief(np.flatnonzero(kept).tolist())}; pass one "
            "of these, or the base that rashomon_set was given."
        )
    return run


def _has_no_value(kept: Bool[np.ndarray, " run"], samples: int, what: str) -> bool:
    """Warns of, and tells, too few survivors or no samples."""
    if kept.sum() < 2:
        undefined(f"keep leaves {kept.sum()} runs, fewer than the 2 that can disagree; {what} is NaN.")
    elif not samples:
        undefined(f"labels holds no samples; {what} is NaN.")
    return bool(kept.sum() < 2 or not samples)


def reference_labels(
    runs: Integer[np.ndarray, "run sample"], reference: str, base: int, targets: Integer[np.ndarray, " sample"] | None
) -> Integer[np.ndarray, " sample"]:
    """Returns what labels are compared with."""
    if reference not in ("base", "gold"):
        raise InputError(f"reference={reference!r} is unknown; pass 'base' or 'gold'.")
    if (reference == "gold") != (targets is not None):
        does = "needs" if targets is None else "takes no"
        raise InputError(f"reference={reference!r} {does} targets; pass targets with reference='gold', and only then.")
    return runs[base] if targets is None else targets


def flat_codes(
    labels: ArrayLike, targets: ArrayLike | None, least: int
) -> tuple[Integer[np.ndarray, "run sample"], Integer[np.ndarray, " sample"] | None, tuple[int, ...]]:
    """Returns labels and targets as integers of one meaning, flat over samples, and the samples' shape."""
    array = run_axis_first(labels, least=least)
    if targets is None:
        codes, _ = encode(array)
        return codes.reshape(len(array), int(np.prod(array.shape[1:]))), None, array.shape[1:]
    gold = label_array(targets, "targets")
    same_shape(array[0], gold, ("labels of one run", "targets"))
    array, gold = encode_together(array, gold)
    return array.reshape(len(array), gold.size), gold.reshape(-1), gold.shape


def _compared(
    labels: ArrayLike, reference: str, base: object, targets: ArrayLike | None, keep: ArrayLike | None
) -> tuple[
    Integer[np.ndarray, "run sample"], Integer[np.ndarray, " sample"], Bool[np.ndarray, " run"], tuple[int, ...]
]:
    runs, gold, shape = flat_codes(labels, targets, 1)
    kept = kept_runs(keep, len(runs))
    run = kept_base(base, kept) if reference == "base" else 0
    return runs, reference_labels(runs, reference, run, gold), kept, shape


def any_difference(
    runs: Iterable[Integer[np.ndarray, " sample"]], wanted: Integer[np.ndarray, " sample"]
) -> Bool[np.ndarray, " sample"]:
    """Tells where any run differs from what is wanted, run by run in little memory."""
    differs = np.zeros(wanted.shape, np.bool_)
    for run in runs:
        differs |= run != wanted
    return differs
