"""Multiplicity as a function of how much loss a model may lose, in one pass over the runs."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy, undefined
from reseed._errors import InputError
from reseed.instability._probabilities import probability_runs
from reseed.instability._rounding import unit_roundoff
from reseed.instability.multiplicity._rashomon import (
    base_run,
    check_epsilons,
    flat_codes,
    limits,
    loss_array,
    reference_labels,
)


@dataclass(frozen=True)
class RashomonSweep:
    """Multiplicity at several values of epsilon; see `rashomon_sweep`.

    Attributes:
        epsilons: by how much a loss may exceed the base's, as given, [epsilon].
        survivors: number of runs within it, [epsilon].
        ambiguity: share of samples that some survivor labels otherwise than the reference, [epsilon].
        discrepancy: largest share that one survivor labels otherwise, [epsilon].
        mean_viable_range: mean over samples of the width of the widest class's probability range, [epsilon];
            None without probabilities.
        base: index of the base run.
    """

    epsilons: Result
    survivors: Result
    ambiguity: Result
    discrepancy: Result
    mean_viable_range: Result | None
    base: int


def rashomon_sweep(
    labels: ArrayLike,
    losses: ArrayLike,
    epsilons: ArrayLike,
    *,
    base: Literal["best"] | int = "best",
    reference: Literal["base", "gold"] = "base",
    targets: ArrayLike | None = None,
    probabilities: ArrayLike | None = None,
) -> RashomonSweep:
    """Returns ambiguity, discrepancy and mean viable range for every epsilon.

    Runs enter in the order of their losses, while the samples in conflict, the largest churn and the extreme
    probabilities are kept up to date, so that many epsilons cost what one does. All results are monotone in
    epsilon, and grow with the number of runs.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        losses: the loss or error of each run [run], preferably on validation data.
        epsilons: by how much a loss may exceed the base's [epsilon], each at least 0, in any order.
        base: index of the base run, or "best" for the lowest loss (the first of several).
        reference: "base" compares with the labels of the base run, "gold" with `targets`; see `ambiguity`.
        targets: true labels [sample], for reference="gold" only.
        probabilities: class probabilities [run, sample, class], for the mean viable range.

    Returns:
        The measures in the order of `epsilons`; NaN, with a warning, where fewer than two runs survive, or when
        there are no samples.

    Raises:
        InputError: no runs, shapes that do not fit, or an argument that cannot be used.

    Example:
        >>> labels = [[0, 1, 1, 1], [0, 1, 1, 2], [1, 1, 1, 1]]
        >>> found = rashomon_sweep(labels, losses=[0.1, 0.12, 0.2], epsilons=[0.05, 0.1])
        >>> found.survivors, found.ambiguity, found.discrepancy
        (array([2, 3]), array([0.25, 0.5 ]), array([0.25, 0.25]))

    References:
        Marx, Calmon and Ustun, "Predictive Multiplicity in Classification", ICML 2020; Watson-Daniels, Parkes and
        Ustun, "Predictive Multiplicity in Probabilistic Classification", AAAI 2023.
    """
    runs, gold, _ = flat_codes(labels, targets, 1)
    values = loss_array(losses)
    if len(values) != len(runs):
        raise InputError(f"losses holds {len(values)} numbers but labels holds {len(runs)} runs; pass one for each.")
    wanted = np.atleast_1d(to_numpy(epsilons, "epsilons"))
    check_epsilons(wanted, "epsilons")
    wanted = wanted.astype(np.float64)
    first = base_run(base, values)
    compared = reference_labels(runs, reference, first, gold)
    order = values.argsort(kind="stable")
    limit = limits(values[first], wanted, unit_roundoff(losses, epsilons))
    entered = np.searchsorted(values[order], limit, side="right")

    samples = runs.shape[1]
    differs = np.zeros(samples, np.bool_)
    ambiguity = np.full(len(runs) + 1, np.nan)  # by the number of runs that have entered
    discrepancy = np.full(len(runs) + 1, np.nan)
    largest = 0.0
    for number, run in enumerate(order if samples else (), start=1):
        change = runs[run] != compared
        differs |= change
        largest = max(largest, float(change.mean()))
        if number > 1:
            ambiguity[number], discrepancy[number] = differs.mean(), largest
    widths = None if probabilities is None else _widths(probabilities, order, samples)
    if not samples:
        undefined("labels holds no samples; the sweep is NaN.")
    elif (entered < 2).any():
        undefined(
            f"fewer than two of {len(runs)} runs survive at epsilon {brief(wanted[entered < 2].tolist())}; "
            "the sweep is NaN there."
        )

    def shown(result: Float[np.ndarray, " number"]) -> Result:
        return give_back(result[entered], labels)

    return RashomonSweep(
        give_back(wanted, labels),
        give_back(entered, labels),
        shown(ambiguity),
        shown(discrepancy),
        None if widths is None else shown(widths),
        first,
    )


def _widths(probabilities: ArrayLike, order: Result, samples: int) -> Float[np.ndarray, " number"]:
    array = probability_runs(probabilities)
    if array.shape[:2] != (len(order), samples):
        raise InputError(
            f"probabilities is {brief(array)} but labels are [{len(order)}, {samples}]; pass the same runs and samples."
        )
    widths = np.full(len(order) + 1, np.nan)
    if not samples:
        return widths
    low = array[order[0]].astype(np.float64)
    high = low.copy()
    for number, run in enumerate(order[1:], start=2):
        np.minimum(low, array[run], out=low)
        np.maximum(high, array[run], out=high)
        widths[number] = (high - low).max(axis=1).mean()
    return widths
