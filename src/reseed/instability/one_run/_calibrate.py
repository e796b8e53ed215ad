"""Learning the weights of the one-run estimate from studies of several runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from reseed._errors import InputError
from reseed.instability.one_run._foretold import held_out_runs
from reseed.instability.one_run._share_line import LEAST_DATA_SETS, ShareLine, fit_share_line
from reseed.instability.one_run._single_run import SingleRunModel
from reseed.instability.one_run._single_run_signals import BURN_IN
from reseed.studies import Study

SIGNALS = ("log_late_flip_rate", "mean_margin")
DROPOUT_SIGNALS = ("dropout_label_entropy", "dropout_margin")
_CUTS = np.linspace(0.0, 0.6, 25)


def calibrate(
    studies: Sequence[Study], *, signals: Sequence[str] | None = None, burn_in: float = BURN_IN
) -> SingleRunModel:
    """Learns the weights of `single_run_score` from studies of several runs each.

    Each run in turn is the single run; what it is to predict, whether a sample's label ever differs, is taken
    from the final labels of the study's other runs alone. The weights are those of a logistic regression with
    scikit-learn's default penalty, in which every study weighs the same. The cut is the probability, among 25
    from 0 to 0.6, below which zeros give the largest mean Spearman correlation with the label entropy over the
    other runs, over all runs of all studies.

    With studies of three data sets or more the line of `single_run_share` is learnt as well. Each data set is left
    out in turn, weights learnt on the others say what its runs expect, and `fit_share_line` puts the line through
    that. Of fewer data sets there is no line, and so no interval of the share.

    Args:
        studies: studies that recorded margins at several checkpoints; three runs or more each, and equally many
            if "ever" is to speak of one number of runs (the smallest is kept).
        signals: names of the signals to combine; by default the logarithm of the late flip rate and the mean margin,
            and those of dropout passes where all studies recorded them.
        burn_in: see `single_run_signals`.

    Raises:
        InputError: no studies, unknown signals, or none or all samples flip in all of the studies together.
        StudyError: a study has too few runs, or did not record what the signals need.
    """
    if signals is None:
        have_passes = bool(studies) and all(study.has_dropout_passes for study in studies)
        signals = (*SIGNALS, *(DROPOUT_SIGNALS if have_passes else ()))
    if not studies or not signals:
        raise InputError(f"calibrate needs a study and a signal or more, got {len(studies)} and {len(signals)}.")
    tables, entropies, owners = [], [], []
    for owner, study in enumerate(studies):
        for found, entropy in held_out_runs(study, burn_in):
            unknown = [name for name in signals if name not in found]
            if unknown:
                raise InputError(
                    f"the study {str(study.path)!r} has no signal {', '.join(unknown)}; it has: {', '.join(found)}."
                )
            tables.append(np.stack([found[name] for name in signals], 1))
            entropies.append(entropy)
            owners.append(owner)
    learnt = _learn(tables, entropies, owners)
    probabilities = [learnt(table) for table in tables]
    return SingleRunModel(
        tuple(signals),
        tuple(learnt.centers.tolist()),
        tuple(learnt.scales.tolist()),
        tuple(learnt.coefficients.tolist()),
        learnt.intercept,
        _best_cut(probabilities, entropies),
        min(len(study.manifests) for study in studies) - 1,
        tuple(dict.fromkeys(f"{study.header.dataset}, {study.header.model}" for study in studies)),
        _share_line(tables, entropies, owners, [study.header.dataset for study in studies]),
    )


@dataclass(frozen=True, eq=False)
class _Weights:
    """A logistic regression on standardised signals."""

    centers: NDArray[np.float64]
    scales: NDArray[np.float64]
    coefficients: NDArray[np.float64]
    intercept: float

    def __call__(self, table: NDArray[np.float64]) -> NDArray[np.float64]:
        """Returns probabilities [sample] from signals [sample, signal]."""
        return np.asarray(expit((table - self.centers) / self.scales @ self.coefficients + self.intercept))


def _learn(
    tables: Sequence[NDArray[np.float64]], entropies: Sequence[NDArray[np.float64]], owners: Sequence[int]
) -> _Weights:
    """Returns the weights from the runs of studies, which `owners` names; every study weighs the same."""
    from sklearn.linear_model import LogisticRegression

    runs = Counter(owners)
    table, flips = np.concatenate(tables), np.concatenate(entropies) > 0
    if flips.all() or not flips.any():
        raise InputError(
            f"{int(flips.sum())} of {len(flips)} targets flip; pass studies in which some do and some do not."
        )
    weight = np.concatenate(
        [np.full(len(one), 1.0 / (len(one) * runs[owner])) for one, owner in zip(entropies, owners, strict=True)]
    )
    centers, scales = table.mean(0), np.maximum(table.std(0), 1e-12)
    fitted = LogisticRegression(max_iter=1000).fit(
        (table - centers) / scales, flips, sample_weight=weight / weight.mean()
    )
    return _Weights(centers, scales, fitted.coef_[0], float(fitted.intercept_[0]))


def _share_line(
    tables: Sequence[NDArray[np.float64]],
    entropies: Sequence[NDArray[np.float64]],
    owners: Sequence[int],
    data_sets: Sequence[str],
) -> ShareLine | None:
    """Returns the line of shares that weights expect which did not see the data set; None for too few data sets."""
    if len(set(data_sets)) < LEAST_DATA_SETS:
        return None
    expected: list[list[float]] = [[] for _ in data_sets]
    actual: list[list[float]] = [[] for _ in data_sets]
    samples = [0] * len(data_sets)
    runs = list(zip(tables, entropies, owners, strict=True))
    for data_set in dict.fromkeys(data_sets):
        others = [run for run in runs if data_sets[run[2]] != data_set]
        learnt = _learn(*zip(*others, strict=True))
        for table, entropy, owner in runs:
            if data_sets[owner] == data_set:
                expected[owner].append(float(learnt(table).mean()))
                actual[owner].append(float((entropy > 0).mean()))
                samples[owner] = len(entropy)
    return fit_share_line([np.array(each) for each in expected], [np.array(each) for each in actual], samples)


def _best_cut(probabilities: list[NDArray[np.float64]], entropies: list[NDArray[np.float64]]) -> float:
    from scipy.stats import rankdata

    def correlation(cut: float) -> float:
        pairs = zip(probabilities, ranks, strict=True)
        return float(np.mean([_pearson(rankdata(np.where(p < cut, 0.0, p)), rank) for p, rank in pairs]))

    ranks = [rankdata(entropy) for entropy in entropies]
    return float(max(_CUTS.tolist(), key=correlation))


def _pearson(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """Returns the correlation of two arrays; 0 where one is constant, as a cut can make it."""
    a, b = one - one.mean(), other - other.mean()
    length = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / length if length > 0 else 0.0
