"""Several measures from one pass over the labels."""

from dataclasses import dataclass

import numpy as np

from reseed._arrays import ArrayLike, Result, warn_lost
from reseed.instability.labels._counted import counted_where
from reseed.instability.labels._jitter import disagreement
from reseed.instability.labels._mode import share


@dataclass(frozen=True)
class LabelStatistics:
    """Per-sample measures of the same labels.

    Attributes:
        label_entropy: entropy of the labels in nats, [sample]; see `label_entropy`.
        jitter: share of run pairs that disagree, [sample]; see `jitter`.
        mode_label: most frequent label, the lowest of several, [sample]; see `mode_label`.
        mode_share: share of runs that predict it, [sample]; see `mode_share`.
    """

    label_entropy: Result
    jitter: Result
    mode_label: Result
    mode_share: Result


def label_statistics(labels: ArrayLike, *, mask: ArrayLike | None = None, axis: int = 0) -> LabelStatistics:
    """Returns label entropy, jitter, mode label and mode share, counted once and in bounded memory.

    Samples on which all runs agree are recognised without counting; the others are counted block by block, so
    that the working memory does not grow with the number of runs or classes.

    Args:
        labels: predicted labels [run, sample], integers or strings, any further axes.
        mask: boolean [run, sample], True where a run's label is present; runs are then counted for each
            sample.
        axis: the axis that is counted over.

    Returns:
        The four measures, each [sample]. With a mask, NaN and a warning where a measure has too few runs: one
        for entropy and mode share, two for jitter; the mode label of a sample without runs means nothing.

    Raises:
        InputError: fewer than two runs, or labels or a mask that cannot be used.

    Example:
        >>> found = label_statistics([[4, 1], [4, 2], [4, 2], [4, 1]])
        >>> found.label_entropy.round(4), found.jitter.round(4), found.mode_label, found.mode_share
        (array([0.    , 0.6931]), array([0.    , 0.6667]), array([4, 1]), array([1. , 0.5]))

    References:
        Datta et al., "Measuring and Mitigating Local Instability in Deep Neural Networks", Findings of ACL
        2023.
    """
    found = counted_where(labels, mask, axis=axis, least=2)
    entropy = found.entropy()
    jitter, mode_share = disagreement(found.tally), share(found.tally)
    entropy[np.isnan(mode_share)] = np.nan
    warn_lost(np.isnan(mode_share), "label entropy", 1)
    warn_lost(np.isnan(jitter), "jitter", 2)
    return LabelStatistics(
        found.shaped(entropy),
        found.shaped(jitter),
        found.modes(),
        found.shaped(mode_share),
    )
