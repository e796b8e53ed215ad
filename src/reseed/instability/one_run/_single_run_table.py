"""How well one run of a study predicts what its other runs do: every signal and the combination, run by run."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import undefined
from reseed._errors import InputError
from reseed.instability.labels._label_entropy import label_entropy
from reseed.instability.one_run._columns import ONE_RUN, name_of
from reseed.instability.one_run._foretold import held_out_runs
from reseed.instability.one_run._single_run import SingleRunModel, single_run_score
from reseed.instability.one_run._single_run_signals import BURN_IN
from reseed.scores import LOWER, auroc, kendall_tau
from reseed.statistics import t_interval
from reseed.studies import Study


@final
@dataclass(frozen=True)
class RunMean:
    """A figure of each run, averaged.

    Attributes:
        mean: Mean over the runs in which it has a value; NaN if there is none.
        low: Lower end of the 95 % t-interval over those runs; NaN for fewer than two.
        high: Upper end.
        n: Number of those runs.
    """

    mean: float
    low: float
    high: float
    n: int


@final
@dataclass(frozen=True)
class SignalQuality:
    """How well a quantity of one run predicts the label entropy over the other runs.

    Attributes:
        signal: Its name; ``score`` is the combination, ``half_of_the_runs`` the label entropy over one half of the
            runs against the other half: what many trainings achieve, to compare one training with.
        spearman: Rank correlation with the label entropy.
        kendall: Kendall's tau-b, which forgives ties.
        auroc: Area under the curve for whether a sample ever flips.
        precision: Share of samples that ever flip among the k ranked highest.
        spearman_flipping: Rank correlation among the samples that ever flip.
    """

    signal: str
    spearman: RunMean
    kendall: RunMean
    auroc: RunMean
    precision: RunMean
    spearman_flipping: RunMean


def single_run_table(
    study: Study, model: SingleRunModel | None = None, *, top: int = 100, burn_in: float = BURN_IN
) -> tuple[SignalQuality, ...]:
    """Measures, leaving one run out at a time, how well a single run foretells the others.

    Each run in turn is the single run; what it is compared with is the label entropy over the final labels of the
    other runs. AUROC and tau-b are those of `reseed.foretell`, which asks the same of every column of single runs, with
    intervals over samples too. The runs share those others, so the intervals here, over the single runs alone, are
    somewhat too narrow. Most samples never flip, and their tied zeros lower the Spearman correlation of any quantity
    without exact zeros: read it beside the others.

    Args:
        study: a study of three runs or more with margins at several checkpoints.
        model: weights of the combination; the package's own by default.
        top: k of the precision; cut to the number of samples.
        burn_in: see `single_run_signals`.

    Returns:
        The combination first, then every signal, then ``half_of_the_runs``, for studies of four runs or more.

    Raises:
        InputError: `top` is not positive.
        StudyError: the study has too few runs, or did not record what is needed.
    """
    if top < 1:
        raise InputError(f"top must be 1 or more samples, got {top}.")
    rows: dict[str, list[tuple[float, ...]]] = {"score": []}
    for signals, entropy in held_out_runs(study, burn_in):
        rows["score"].append(_figures(single_run_score(signals, model), entropy, top))
        for name, values in signals.items():
            oriented = -values if ONE_RUN[name_of(name)].direction == LOWER else values
            rows.setdefault(name, []).append(_figures(oriented, entropy, top))
    final = study.final("labels")
    if len(final) >= 4:
        rows["half_of_the_runs"] = list(_halves(final, top))
    if not any(row[0] == row[0] for row in rows["score"]):
        undefined("no sample flips, or all score alike; rank correlations are NaN.")
    return tuple(
        SignalQuality(
            name, *(_mean(column, *ends) for column, ends in zip(zip(*figures, strict=True), _RANGES, strict=True))
        )
        for name, figures in rows.items()
    )


def _halves(final: NDArray[np.int64], top: int) -> Iterable[tuple[float, ...]]:
    """Yields the figures of one half of the runs against the other, both ways, for three ways of halving."""
    runs = len(final)
    for order in (np.arange(runs), np.r_[0:runs:2, 1:runs:2], np.roll(np.arange(runs), runs // 4)):
        one, other = (np.asarray(label_entropy(final[part])) for part in np.array_split(order, 2))
        yield _figures(one, other, top)
        yield _figures(other, one, top)


_RANGES = ((-1.0, 1.0), (-1.0, 1.0), (0.0, 1.0), (0.0, 1.0), (-1.0, 1.0))
"""Of what `_figures` returns."""


def _figures(values: NDArray[np.float64], entropy: NDArray[np.float64], top: int) -> tuple[float, ...]:
    """Return the figures of one run; NaN where one has no value."""
    from scipy.stats import spearmanr

    known = ~np.isnan(values)
    values, entropy = values[known], entropy[known]
    flips = entropy > 0

    def varies(*arrays: NDArray[np.float64]) -> bool:
        return all(len(array) > 1 and np.ptp(array) > 0 for array in arrays)

    spearman = kendall = area = among = math.nan
    if varies(values, entropy):
        spearman = float(spearmanr(values, entropy).statistic)
        kendall = kendall_tau(values, entropy)
    if len(flips):
        area = auroc(values, flips)
    if varies(values[flips], entropy[flips]):
        among = float(spearmanr(values[flips], entropy[flips]).statistic)
    first = np.argsort(-values, kind="stable")[:top]
    return spearman, kendall, area, float(flips[first].mean()) if len(first) else math.nan, among


def _mean(values: Iterable[float], bottom: float, top: float) -> RunMean:
    known = np.array([value for value in values if not math.isnan(value)])
    return RunMean(*t_interval(known, bottom=bottom, top=top), len(known))
