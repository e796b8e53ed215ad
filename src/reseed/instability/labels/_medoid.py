"""Which of the runs to ship: the one whose answers agree most with those of all others."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike
from reseed._errors import InputError
from reseed.instability.labels._accuracy_spread import AccuracySpread, accuracy_spread
from reseed.instability.labels._coded import coded
from reseed.instability.labels._counts import blocks
from reseed.statistics import Estimate, check_level, interval, mean_variance


@dataclass(frozen=True)
class ChosenRun:
    """A run that a rule chooses, and what the rule's choice is worth on samples that did not choose it.

    Attributes:
        run: Its number, chosen on all samples; None for a run at random.
        agreement: Mean share of the other runs that give a sample the same label.
        accuracy: Share of correct labels among samples with a target; NaN where there is none.
    """

    run: int | None
    agreement: Estimate
    accuracy: Estimate


@dataclass(frozen=True)
class Medoid:
    """Which run to ship, see `medoid`.

    Attributes:
        medoid: The run that agrees most with all others.
        most_accurate: The run with the highest accuracy; None without targets.
        at_random: A run at random, which is what one ships without looking.
        agreement_gain: What the medoid's agreement is above that of a run at random.
        accuracy_gain: What its accuracy is above it; NaN without targets.
        spread: How far accuracies lie apart, and how much better the most accurate run looks than it is; None where
            fewer than two targets are known.
    """

    medoid: ChosenRun
    most_accurate: ChosenRun | None
    at_random: ChosenRun
    agreement_gain: Estimate
    accuracy_gain: Estimate
    spread: AccuracySpread | None


def medoid(
    labels: ArrayLike,
    targets: ArrayLike | None = None,
    *,
    runs: Sequence[int] | None = None,
    level: float = 0.95,
    seed: int = 0,
) -> Medoid:
    """Returns the run whose answers agree most with those of all others, and what choosing it buys.

        agreement_r = mean over samples of (n_l - 1) / (N - 1),        l the label of run r

    with `n_l` of N runs giving label l: the run of the smallest mean churn to the others. How much that buys is
    measured by cross-fitting: samples are cut in halves at random, and the run that is chosen on one half is judged on
    the other. Otherwise the chosen run would look better than it is, as the most accurate one does. (More parts than
    two would let nearly the same samples choose every time, and intervals would be far too narrow.)

    Args:
        labels: predicted labels [run, sample], integers or strings.
        targets: gold labels [sample], -1 where unknown; they need not be integers where labels are strings.
        runs: the runs' numbers, by which they are named; default: 0, 1, ...
        level: confidence level of the intervals, which are over samples: these runs are given.
        seed: decides the halves.

    Returns:
        The choices with cross-fitted agreement and accuracy, in [0, 1].

    Raises:
        InputError: fewer than three runs or two samples, or an argument that cannot be used.

    Example:
        >>> found = medoid([[0, 1, 1, 0], [0, 1, 0, 0], [0, 1, 1, 1]], [0, 1, 1, 0])
        >>> found.medoid.run, round(found.at_random.agreement.value, 4)
        (0, 0.6667)
    """
    check_level(level)
    codes, gold = coded(labels, targets, least=3)
    count, samples = codes.shape
    if samples < 2:
        raise InputError("labels hold a single sample; a medoid needs two or more.")
    names = list(range(count)) if runs is None else list(runs)
    if len(names) != count:
        raise InputError(f"runs names {len(names)} runs, but labels have {count}; pass a number for each.")
    half, known = np.random.default_rng(seed).permutation(samples) % 2, gold >= 0
    # Of rule, half and run, in whole numbers, so that ties are ties. Samples on which all agree prefer no run.
    sums, typical = np.zeros((2, 2, count), np.int64), np.ones(samples)
    for block in blocks(codes):
        others = block.own().astype(np.int64) - 1
        typical[block.positions] = others.mean(0) / (count - 1)
        for one in range(2):
            sums[0, one] += others[:, half[block.positions] == one].sum(1)
    for one in range(2):
        sums[1, one] = [np.count_nonzero((run == gold) & known & (half == one)) for run in codes]
    chosen = sums[:, ::-1].argmax(-1)  # what the other half chooses, of rule and half
    agreed = np.ones((2, samples))
    for block in blocks(codes):
        others, place = block.own().astype(np.int64) - 1, np.arange(len(block.positions))
        agreed[:, block.positions] = others[chosen[:, half[block.positions]], place] / (count - 1)
    right = np.array([codes[chosen[rule, half], np.arange(samples)] == gold for rule in range(2)])[:, known]
    usual = (codes == gold).mean(0)[known]

    def found(values: Float[np.ndarray, " sample"], bottom: float = 0.0) -> Estimate:
        size = len(values)
        value = float(values.mean()) if size else float("nan")
        variance = mean_variance(values) if size else float("nan")
        return interval(value, variance, "samples", count, size, level=level, bottom=bottom, top=1.0)

    def choice(rule: int) -> ChosenRun:
        run = int(sums[rule].sum(0).argmax())
        return ChosenRun(names[run], found(agreed[rule]), found(right[rule].astype(np.float64)))

    return Medoid(
        choice(0),
        choice(1) if known.any() else None,
        ChosenRun(None, found(typical), found(usual)),
        found(agreed[0] - typical, -1.0),
        found(right[0] - usual, -1.0),
        accuracy_spread(codes, gold, level=level) if np.count_nonzero(known) > 1 else None,
    )
