"""All of predictive multiplicity from one call: columns of a table by sample, and a summary."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from jaxtyping import Float, Integer

from reseed._arrays import ArrayLike, Result, brief, give_back
from reseed._errors import InputError
from reseed.instability._probabilities import probability_runs
from reseed.instability.labels._jitter import jitter
from reseed.instability.multiplicity._capacity import capacities
from reseed.instability.multiplicity._rashomon import any_difference, base_run, check_base, flat_codes, loss_array
from reseed.instability.multiplicity._rashomon_sweep import RashomonSweep, rashomon_sweep
from reseed.instability.multiplicity._viable_range import lowest_and_highest
from reseed.instability.probabilities._spread import decomposed
from reseed.instability.probabilities._top_two import label_stability
from reseed.statistics import interval, mean_variance

_ABOVE_ONE = ("capacity", "total_entropy", "expected_entropy", "mutual_information")
"""Means in bits and nats; all others are of shares."""


@dataclass(frozen=True)
class Multiplicity:
    """Predictive multiplicity of each sample and of the data set; see `multiplicity`.

    Attributes:
        samples: a column by name, each [sample].
        summary: single numbers by name, with the number of runs they rest on.
        sweep: ambiguity, discrepancy and mean viable range by epsilon, with the survivors they rest on, in
            numpy arrays; None where runs have no losses.
    """

    samples: dict[str, Result]
    summary: dict[str, Any]
    sweep: RashomonSweep | None


def multiplicity(
    labels: ArrayLike,
    probabilities: ArrayLike | None = None,
    *,
    losses: ArrayLike | None = None,
    targets: ArrayLike | None = None,
    base: Literal["best"] | int = "best",
    epsilons: ArrayLike = (0.01, 0.02, 0.05),
) -> Multiplicity:
    """Returns how much runs of about the same loss differ, for each sample and in total.

    Columns by sample, over all runs:

    - `ambiguous`: some run labels it otherwise than the base run;
    - `conflict_share`: share of the other runs that do;
    - `label_stability`: lead of the most frequent label over the second;
    - `conflict_epsilon`, with losses: the smallest epsilon at which it is ambiguous, inf where it never is;
    - with probabilities: `viable_range` (width, of the widest class), `capacity` (bits), `score_variance` (of the
      class that varies most), and in nats `total_entropy`, `expected_entropy`, `mutual_information`.

    The summary holds `runs`, `samples`, `base`, and over all runs `ambiguity`, `discrepancy`, `jitter`,
    `label_stability` and, with probabilities, `viable_range`, `capacity` and `mutual_information`, means over
    samples, each with `NAME_ci95_samples`, its 95 % interval over other samples at the same runs; with targets also
    `error_of_any_run` and `largest_error`, which are ambiguity and discrepancy against the true labels. For every
    epsilon E there are `survivors@E`, `ambiguity@E`, `discrepancy@E` and `viable_range@E`. All but jitter, label
    stability and entropies grow with the number of runs, and are lower bounds of what more runs would show.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        probabilities: class probabilities [run, sample, class].
        losses: the loss of each run [run], preferably on validation data; with targets alone, each run's share of
            errors on these samples.
        targets: true labels [sample].
        base: index of the base run, or "best" for the lowest loss; without losses "best" is run 0.
        epsilons: by how much a loss may exceed the base's [epsilon]; used where runs have losses.

    Returns:
        Columns, summary and sweep; NaN, with a warning, at an epsilon that fewer than two runs survive.

    Raises:
        InputError: fewer than two runs, no samples, or an argument that does not fit or cannot be used.

    Example:
        >>> labels = [[0, 1, 1, 1], [0, 1, 1, 2], [1, 1, 1, 1]]
        >>> found = multiplicity(labels, losses=[0.1, 0.12, 0.2], epsilons=[0.05])
        >>> found.samples["conflict_epsilon"].round(2)
        array([0.1 ,  inf,  inf, 0.02])
        >>> found.summary["runs"], found.summary["ambiguity"]
        (3, 0.5)
        >>> found.summary["survivors@0.05"], found.summary["ambiguity@0.05"]
        (2, 0.25)

    References:
        Marx, Calmon and Ustun, "Predictive Multiplicity in Classification", ICML 2020; Hsu and Calmon, "Rashomon
        Capacity", NeurIPS 2022.
    """
    runs, gold, shape = flat_codes(labels, targets, 2)
    if not runs.size or len(shape) != 1:
        raise InputError(f"labels must be [run, sample] with a sample at least, got {[len(runs), *shape]}.")
    if probabilities is not None:
        given = probability_runs(probabilities)
        if given.shape[:2] != runs.shape:
            raise InputError(
                f"probabilities is {brief(given)} but labels are {list(runs.shape)}; pass the same runs and samples."
            )
    wrong = None if gold is None else np.array([float(np.mean(run != gold)) for run in runs])
    risks = wrong if losses is None else loss_array(losses)
    if risks is not None and len(risks) != len(runs):
        raise InputError(f"losses holds {len(risks)} numbers but labels holds {len(runs)} runs; pass one for each.")
    first = check_base(0 if base == "best" else base, len(runs)) if risks is None else base_run(base, risks)

    samples, summary = _of_labels(runs, first, risks)
    if gold is not None and wrong is not None:
        summary |= _mean("error_of_any_run", any_difference(runs, gold), len(runs))
        summary["largest_error"] = float(wrong.max())
    if probabilities is not None:
        columns = _of_probabilities(given)
        samples |= columns
        for name in ("viable_range", "capacity", "mutual_information"):
            summary |= _mean(name, columns[name], len(runs))
    sweep = None
    if risks is not None:
        sweep = rashomon_sweep(
            runs, risks if losses is None else losses, epsilons, base=first, probabilities=probabilities
        )
        summary |= _by_epsilon(sweep)
    return Multiplicity({name: give_back(column, labels) for name, column in samples.items()}, summary, sweep)


def _of_labels(
    runs: Integer[np.ndarray, "run sample"], base: int, losses: Float[np.ndarray, " run"] | None
) -> tuple[dict[str, Any], dict[str, Any]]:
    conflicts = np.zeros(runs.shape[1], np.int64)
    epsilon = np.full(runs.shape[1], np.inf)
    largest = 0.0
    for number, run in enumerate(runs):
        differs = run != runs[base]
        conflicts += differs
        largest = max(largest, float(differs.mean()))
        if losses is not None:
            epsilon[differs] = np.minimum(epsilon[differs], max(0.0, float(losses[number] - losses[base])))
    stability = np.asarray(label_stability(runs))
    samples: dict[str, Any] = {
        "ambiguous": conflicts > 0,
        "conflict_share": conflicts / (len(runs) - 1),
        "label_stability": stability,
    }
    if losses is not None:
        samples["conflict_epsilon"] = epsilon
    return samples, {
        "runs": len(runs),
        "samples": runs.shape[1],
        "base": base,
        **_mean("ambiguity", conflicts > 0, len(runs)),
        "discrepancy": largest,
        **_mean("jitter", jitter(runs), len(runs)),
        **_mean("label_stability", stability, len(runs)),
    }


def _mean(name: str, values: Any, runs: int) -> dict[str, Any]:
    """Returns a mean over samples under its name, and its interval over other samples at the same runs."""
    numbers = np.asarray(values, np.float64)
    found = interval(
        float(numbers.mean()),
        mean_variance(numbers),
        "samples",
        runs,
        len(numbers),
        level=0.95,
        bottom=0.0,
        top=np.inf if name in _ABOVE_ONE else 1.0,
    )
    return {name: found.value, f"{name}_ci95_samples": [found.low, found.high]}


def _of_probabilities(probabilities: Float[np.ndarray, "run sample class"]) -> dict[str, Any]:
    every = np.arange(len(probabilities))
    low, high = lowest_and_highest(probabilities, every)
    total, expected, mutual = decomposed(probabilities)
    return {
        "viable_range": (high - low).max(axis=1),
        "capacity": capacities(probabilities, every),
        "score_variance": probabilities.var(axis=0, dtype=np.float64).max(axis=1),
        "total_entropy": total,
        "expected_entropy": expected,
        "mutual_information": mutual,
    }


def _by_epsilon(sweep: RashomonSweep) -> dict[str, float | int]:
    found: dict[str, float | int] = {}
    for place, epsilon in enumerate(sweep.epsilons):
        found[f"survivors@{epsilon:g}"] = int(sweep.survivors[place])
        found[f"ambiguity@{epsilon:g}"] = float(sweep.ambiguity[place])
        found[f"discrepancy@{epsilon:g}"] = float(sweep.discrepancy[place])
        if sweep.mean_viable_range is not None:
            found[f"viable_range@{epsilon:g}"] = float(sweep.mean_viable_range[place])
    return found
