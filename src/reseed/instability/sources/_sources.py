"""How much of the instability each source of randomness causes, from one batch of runs for each question."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Integer

from reseed._arrays import ArrayLike, undefined
from reseed._errors import InputError
from reseed.instability.intervals._estimate import estimate, run_by_sample
from reseed.instability.intervals._leave_one_out import per_sample, without_each_run
from reseed.statistics import (
    Estimate,
    Method,
    check_level,
    check_method,
    interval,
    jackknife_variance,
    mean_variance,
    no_estimate,
    two_way,
)


@dataclass(frozen=True)
class SourceEffect:
    """What one source of randomness does.

    Attributes:
        source: its name.
        jitter: mean churn between runs that differ in this source only.
        label_entropy: mean label entropy of those runs, in nats.
        share: that jitter over the jitter of runs that differ in every source.
        fixed_jitter: mean churn between runs that differ in every source but this one.
        fixed_label_entropy: mean label entropy of those runs, in nats.
        drop: the part of the jitter that is gone when only this source is fixed, 1 - fixed_jitter / all.
    """

    source: str
    jitter: Estimate
    label_entropy: Estimate
    share: Estimate
    fixed_jitter: Estimate
    fixed_label_entropy: Estimate
    drop: Estimate


@dataclass(frozen=True)
class SourceEffects:
    """What every source does, and all of them together.

    Attributes:
        jitter: mean churn between runs that differ in every source.
        label_entropy: mean label entropy of those runs, in nats.
        effects: one for each source, the largest drop first; equal drops in the order they were given.
    """

    jitter: Estimate
    label_entropy: Estimate
    effects: tuple[SourceEffect, ...]


def source_effects(
    everything: ArrayLike,
    alone: Mapping[str, ArrayLike],
    fixed: Mapping[str, ArrayLike],
    *,
    method: Method = "two-way",
    level: float = 0.95,
) -> SourceEffects:
    """Returns what each source of randomness does alone, and what is gained by fixing it alone.

    With J the mean jitter over samples,

        share = J(only this source varies) / J(all vary)
        drop = 1 - J(all but this source vary) / J(all vary)

    **Neither adds up to 1.** A training amplifies any small difference, so that each source alone may already
    cause most of the instability (shares that sum to more than 1) and fixing one may gain nothing (drops that
    sum to less than 1). What a user gains by fixing a seed is the drop, not the share.

    Errors treat the runs of two batches as independent and samples as paired: the jackknife variances of
    both, propagated through the ratio, and the linearised bootstrap over samples; for "two-way" they are added, less
    what both hold, as in `estimate`. A batch in which a source is fixed holds it at one value; the interval does not
    cover which value that is.

    Args:
        everything: labels of runs that differ in every source [run, sample].
        alone: for each source, labels of runs that differ in it only [run, sample].
        fixed: for each source, labels of runs that differ in every other one [run, sample].
        method: what intervals cover: "jackknife" (other runs), "samples" (other samples) or "two-way" (both).
        level: confidence level of the intervals.

    Returns:
        The effects; share and drop are NaN, with a warning, when the runs of `everything` agree everywhere.

    Raises:
        InputError: no sources, `alone` and `fixed` that name different ones, batches over different samples
            or of different numbers of runs (label entropy grows with that number), too few runs, unusable
            labels, or an unknown option.

    Example:
        The first source decides the second sample by itself; the other one does nothing.

        >>> split, same = [[0, 1], [0, 2], [0, 1]], [[0, 1], [0, 1], [0, 1]]
        >>> found = source_effects(split, {"init": split, "order": same}, {"init": same, "order": split})
        >>> [(effect.source, effect.share.value, effect.drop.value) for effect in found.effects]
        [('init', 1.0, 1.0), ('order', 0.0, 0.0)]

    References:
        Summers and Dinneen, "Nondeterminism and Instability in Neural Network Optimization", ICML 2021 (sources
        varied one at a time).
    """
    check_method(method, "method")
    check_level(level)
    if not alone:
        raise InputError("alone names no sources, got {}; pass labels for each, such as {'init': labels}.")
    if set(alone) != set(fixed):
        raise InputError(
            f"alone names the sources {sorted(alone)} and fixed {sorted(fixed)}; pass labels of each in both."
        )
    whole = run_by_sample(everything, method, "everything")
    effects = []
    for source in alone:
        only = _batch(alone[source], method, f"alone[{source!r}]", whole)
        without = _batch(fixed[source], method, f"fixed[{source!r}]", whole)
        effects.append(
            SourceEffect(
                source,
                *_both(only, method, level),
                _ratio(only, whole, method, level),
                *_both(without, method, level),
                _drop(without, whole, method, level),
            )
        )
    if whole.shape[1] and np.isnan(effects[0].share.value):
        undefined("the runs of everything agree everywhere; share and drop are NaN.")
    effects.sort(key=lambda effect: -np.nan_to_num(effect.drop.value))
    return SourceEffects(*_both(whole, method, level), tuple(effects))


def _batch(
    labels: ArrayLike, method: str, name: str, whole: Integer[np.ndarray, "run sample"]
) -> Integer[np.ndarray, "run sample"]:
    codes = run_by_sample(labels, method, name)
    if codes.shape[1] != whole.shape[1]:
        raise InputError(
            f"{name} covers {codes.shape[1]} samples and everything {whole.shape[1]}; pass the same samples in "
            "the same order."
        )
    if len(codes) != len(whole):
        raise InputError(
            f"{name} has {len(codes)} runs and everything {len(whole)}; label entropy grows with the number of "
            f"runs, so pass {min(len(codes), len(whole))} of each."
        )
    return codes


def _both(codes: Integer[np.ndarray, "run sample"], method: Method, level: float) -> tuple[Estimate, Estimate]:
    return estimate(codes, "jitter", method, level=level), estimate(codes, "label_entropy", method, level=level)


def _ratio(
    part: Integer[np.ndarray, "run sample"],
    whole: Integer[np.ndarray, "run sample"],
    method: Method,
    level: float,
) -> Estimate:
    """Returns the jitter of one batch over that of another."""
    runs, samples = whole.shape
    above, below = per_sample(part, "jitter"), per_sample(whole, "jitter")
    if not below.sum() > 0:
        return no_estimate(method, runs, samples)
    base = float(below.mean())
    ratio = float(above.mean()) / base
    parts, over_samples, own = [], 0.0, 0.0
    if method != "samples":
        for batch, weight in ((part, 1.0), (whole, ratio**2)):
            left_out = without_each_run(batch, "jitter")
            parts.append((weight * jackknife_variance(left_out.means), runs - 1))
            own += weight * left_out.own_variance
    if method != "jackknife":
        over_samples = mean_variance(above - ratio * below)
    variance, degrees = two_way(parts, over_samples, own, samples)
    return interval(ratio, variance / base**2, method, runs, samples, level=level, bottom=0.0, degrees=degrees)


def _drop(
    part: Integer[np.ndarray, "run sample"], whole: Integer[np.ndarray, "run sample"], method: Method, level: float
) -> Estimate:
    found = _ratio(part, whole, method, level)
    return Estimate(
        1 - found.value, 1 - found.high, 1 - found.low, found.standard_error, method, found.runs, found.samples
    )
