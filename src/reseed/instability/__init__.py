"""How local instability is measured: pure functions on the labels that several runs give to the same samples.

The first axis of `labels` is the run, the second the sample: `labels[r, i]` is what run r answers for sample
i. Numpy arrays, torch tensors on any device, lists and anything with `__array__` will do; torch tensors give
torch tensors on the same device, all else gives numpy, and single numbers are Python floats. Logarithms are
natural, ties go to the lowest label, and a result that has no value is NaN with a warning.

Measures of each sample: `label_entropy`, `jitter`, `self_consistency`, `variation_ratio`, `mode_share`;
several at once: `label_statistics`. Of pairs of models: `churn`, `churn_matrix`, `soft_churn`, `win_loss`. Of
a data set, with an interval: `estimate`, `label_entropy_reduction`. Where the instability is: `by_group`,
`flip_pairs`. What the number of runs hides: `rarefaction`, `flip_probability_upper_bound`.

Example:
    >>> from reseed.instability import jitter, label_entropy, unstable_fraction
    >>> labels = [[0, 1, 2], [0, 1, 1], [0, 1, 2], [0, 1, 1]]  # [run, sample]
    >>> label_entropy(labels).round(4)
    array([0.    , 0.    , 0.6931])
    >>> jitter(labels).round(4), round(unstable_fraction(labels), 4)
    (array([0.    , 0.    , 0.6667]), 0.3333)
"""

from reseed.instability._by_group import GroupMeans, by_group
from reseed.instability._calibrate import calibrate
from reseed.instability._churn import churn, churn_matrix, soft_churn
from reseed.instability._estimate import Estimate, estimate
from reseed.instability._evaluate import ClassStability, Stability, evaluate
from reseed.instability._flip_pairs import FlipPairs, flip_pairs
from reseed.instability._jitter import jitter, self_consistency
from reseed.instability._label_entropy import label_entropy
from reseed.instability._mode import mode_label, mode_share, variation_ratio
from reseed.instability._probabilities import check_probabilities, confidence_mean_std, predicted_labels
from reseed.instability._reduction import label_entropy_reduction
from reseed.instability._single_run import SingleRunModel, single_run_score
from reseed.instability._single_run_signals import single_run_signals
from reseed.instability._single_run_table import RunMean, SignalQuality, single_run_table
from reseed.instability._statistics import LabelStatistics, label_statistics
from reseed.instability._unstable import (
    Rarefaction,
    flip_probability_upper_bound,
    rarefaction,
    unstable_fraction,
)
from reseed.instability._win_loss import WinLoss, negative_flip_rate, unnecessary_churn, win_loss

__all__ = [
    "ClassStability",
    "Estimate",
    "FlipPairs",
    "GroupMeans",
    "LabelStatistics",
    "Rarefaction",
    "RunMean",
    "SignalQuality",
    "SingleRunModel",
    "Stability",
    "WinLoss",
    "by_group",
    "calibrate",
    "check_probabilities",
    "churn",
    "churn_matrix",
    "confidence_mean_std",
    "estimate",
    "evaluate",
    "flip_pairs",
    "flip_probability_upper_bound",
    "jitter",
    "label_entropy",
    "label_entropy_reduction",
    "label_statistics",
    "mode_label",
    "mode_share",
    "negative_flip_rate",
    "predicted_labels",
    "rarefaction",
    "self_consistency",
    "single_run_score",
    "single_run_signals",
    "single_run_table",
    "soft_churn",
    "unnecessary_churn",
    "unstable_fraction",
    "variation_ratio",
    "win_loss",
]
