"""How local instability is measured: pure functions on the labels that several runs give to the same samples.

The first axis of `labels` is the run, the second the sample: `labels[r, i]` is what run r answers for sample
i. Numpy arrays, torch tensors on any device, lists and anything with `__array__` will do; torch tensors give
torch tensors on the same device, all else gives numpy, and single numbers are Python floats. Logarithms are
natural (but `rashomon_capacity` is in bits unless asked otherwise), ties go to the lowest label, and a result that
has no value is NaN with a warning. Labels are whole numbers of any size, or strings. Where a function takes a `mask`, a
masked array of numpy is one, and what is masked is not looked at; elsewhere it is refused.

Measures of each sample: `label_entropy`, `jitter`, `self_consistency`, `variation_ratio`, `mode_share`,
`label_stability`; several at once: `label_statistics`. Of pairs of models: `churn`, `churn_matrix`, `soft_churn`,
`win_loss`. Of a data set, with an interval: `estimate`, `label_entropy_reduction`, `source_effects`; how much runs
differ in accuracy: `accuracy_spread`. Where the instability is: `by_group`, `clustering_test`, `flip_pairs`; of a
study: `where_unstable`. What the number of runs hides: `rarefaction`, `flip_probability_upper_bound`. What another
training sample does: `bootstrap_instability`, and `nested_instability` beside what the seed does. What a change of
model does beyond what the seed does: `replacement`; whether it may pass: `verdict`.

Of models of about the same loss: `rashomon_set` picks them, `ambiguity`, `discrepancy` and `rashomon_sweep`
say how much their labels differ, `viable_prediction_range`, `risk_ambiguity`, `rashomon_capacity`,
`score_variance` and `entropy_decomposition` how much their probabilities; `multiplicity` gives all at once.
How confident a model is: `confidence_histogram`.
Ensembles that abstain where the runs do not agree: `selective_ensemble`, `self_consistency_ensemble`.
How much runs answer that may abstain, and how stable that is: `answered`.

Along one training, `[checkpoint, sample]`: `cartography`, `forgetting_events`, `label_flips`, `first_learned`,
`second_split_forgetting`, `aum`; all of them, over several runs: `training_dynamics`; while a model is trained:
`DynamicsRecorder`. Of given labels: `label_quality`. What one training foretells of others: `single_run_score` of each
sample and `single_run_share` of all, from `single_run_signals`; `calibrate` learns their weights, `single_run_table`
says how good they are.

Example:
    >>> from reseed.instability import jitter, label_entropy, unstable_fraction
    >>> labels = [[0, 1, 2], [0, 1, 1], [0, 1, 2], [0, 1, 1]]  # [run, sample]
    >>> label_entropy(labels).round(4)
    array([0.    , 0.    , 0.6931])
    >>> jitter(labels).round(4), round(unstable_fraction(labels), 4)
    (array([0.    , 0.    , 0.6667]), 0.3333)
"""

from reseed.instability._columns import COLUMNS, NUMBERS, RECORDED, column_of, describe_columns
from reseed.instability._given import GIVEN, Given
from reseed.instability._probabilities import check_probabilities, confidence_mean_std, predicted_labels
from reseed.instability.comparison._compared_method import ComparedMethod
from reseed.instability.comparison._comparison import Comparison, compare_studies
from reseed.instability.comparison._method_cost import MethodCost
from reseed.instability.comparison._method_effect import MethodEffect
from reseed.instability.comparison._pareto import pareto_front
from reseed.instability.dynamics._cartography import Cartography, cartography
from reseed.instability.dynamics._dynamics_recorder import DynamicsRecorder
from reseed.instability.dynamics._forgetting import (
    ForgettingEvents,
    first_learned,
    forgetting_events,
    label_flips,
    second_split_forgetting,
)
from reseed.instability.dynamics._margins import aum, logit_margin
from reseed.instability.dynamics._training_dynamics import TrainingDynamics, training_dynamics
from reseed.instability.evaluation._answered import Answered, answered
from reseed.instability.evaluation._evaluate import ClassStability, Stability, evaluate
from reseed.instability.evaluation._negative_flips import retraining_negative_flip_rate
from reseed.instability.gate._gate import Gate
from reseed.instability.gate._replacement import Correctness, Replacement, replacement
from reseed.instability.gate._reseeding import Excess
from reseed.instability.gate._verdict import Failure, Limits, Verdict, verdict
from reseed.instability.intervals._beyond_null import reduction_beyond_null
from reseed.instability.intervals._estimate import estimate
from reseed.instability.intervals._reduction import label_entropy_reduction
from reseed.instability.intervals._run_means import accuracy_difference
from reseed.instability.intervals._statistics import LabelStatistics, label_statistics
from reseed.instability.labels._accuracy_spread import AccuracySpread, accuracy_spread, calibrated_accuracy_std
from reseed.instability.labels._by_group import GroupMeans, by_group
from reseed.instability.labels._churn import churn, churn_matrix, soft_churn
from reseed.instability.labels._flip_pairs import FlipPairs, flip_pairs
from reseed.instability.labels._jitter import jitter, self_consistency
from reseed.instability.labels._label_entropy import label_entropy
from reseed.instability.labels._medoid import ChosenRun, Medoid, medoid
from reseed.instability.labels._mode import mode_label, mode_share, variation_ratio
from reseed.instability.labels._unstable import (
    Rarefaction,
    flip_probability_upper_bound,
    rarefaction,
    unstable_fraction,
)
from reseed.instability.labels._win_loss import WinLoss, negative_flip_rate, unnecessary_churn, win_loss
from reseed.instability.multiplicity._capacity import rashomon_capacity
from reseed.instability.multiplicity._multiplicity import Multiplicity, multiplicity
from reseed.instability.multiplicity._rashomon import ambiguity, ambiguous_samples, discrepancy, rashomon_set
from reseed.instability.multiplicity._rashomon_sweep import RashomonSweep, rashomon_sweep
from reseed.instability.multiplicity._viable_range import ViableRange, risk_ambiguity, viable_prediction_range
from reseed.instability.one_run._calibrate import calibrate
from reseed.instability.one_run._columns import ONE_RUN
from reseed.instability.one_run._one_run_scores import one_run_scores
from reseed.instability.one_run._share_line import ShareLine, fit_share_line
from reseed.instability.one_run._single_run import SingleRunModel, single_run_score, single_run_share
from reseed.instability.one_run._single_run_signals import single_run_signals
from reseed.instability.one_run._single_run_table import RunMean, SignalQuality, single_run_table
from reseed.instability.probabilities._calibration_error import expected_calibration_error
from reseed.instability.probabilities._confidence_histogram import ConfidenceHistogram, confidence_histogram
from reseed.instability.probabilities._label_quality import LabelQuality, label_quality
from reseed.instability.probabilities._spread import EntropyDecomposition, entropy_decomposition, score_variance
from reseed.instability.probabilities._top_two import (
    SelectiveEnsemble,
    SelfConsistencyEnsemble,
    label_stability,
    selective_ensemble,
    self_consistency_ensemble,
)
from reseed.instability.sources._bootstrap import BootstrapInstability, bootstrap_instability
from reseed.instability.sources._nested import NestedInstability, nested_instability
from reseed.instability.sources._nested_estimates import NestedEstimates, nested_estimates
from reseed.instability.sources._nested_variance import NestedVariance, nested_variance
from reseed.instability.sources._sources import SourceEffect, SourceEffects, source_effects
from reseed.instability.where._nearest import nearest_samples
from reseed.instability.where._sample_groups import SampleGroups, available_groupings, sample_groups
from reseed.instability.where._where import WhereUnstable, where_unstable
from reseed.scores import Column
from reseed.statistics import ClusteringTest, Estimate, clustering_test

__all__ = [
    "COLUMNS",
    "GIVEN",
    "NUMBERS",
    "ONE_RUN",
    "RECORDED",
    "AccuracySpread",
    "Answered",
    "BootstrapInstability",
    "Cartography",
    "ChosenRun",
    "ClassStability",
    "ClusteringTest",
    "Column",
    "ComparedMethod",
    "Comparison",
    "ConfidenceHistogram",
    "Correctness",
    "DynamicsRecorder",
    "EntropyDecomposition",
    "Estimate",
    "Excess",
    "Failure",
    "FlipPairs",
    "ForgettingEvents",
    "Gate",
    "Given",
    "GroupMeans",
    "LabelQuality",
    "LabelStatistics",
    "Limits",
    "Medoid",
    "MethodCost",
    "MethodEffect",
    "Multiplicity",
    "NestedEstimates",
    "NestedInstability",
    "NestedVariance",
    "Rarefaction",
    "RashomonSweep",
    "Replacement",
    "RunMean",
    "SampleGroups",
    "SelectiveEnsemble",
    "SelfConsistencyEnsemble",
    "ShareLine",
    "SignalQuality",
    "SingleRunModel",
    "SourceEffect",
    "SourceEffects",
    "Stability",
    "TrainingDynamics",
    "Verdict",
    "ViableRange",
    "WhereUnstable",
    "WinLoss",
    "accuracy_difference",
    "accuracy_spread",
    "ambiguity",
    "ambiguous_samples",
    "answered",
    "aum",
    "available_groupings",
    "bootstrap_instability",
    "by_group",
    "calibrate",
    "calibrated_accuracy_std",
    "cartography",
    "check_probabilities",
    "churn",
    "churn_matrix",
    "clustering_test",
    "column_of",
    "compare_studies",
    "confidence_histogram",
    "confidence_mean_std",
    "describe_columns",
    "discrepancy",
    "entropy_decomposition",
    "estimate",
    "evaluate",
    "expected_calibration_error",
    "first_learned",
    "fit_share_line",
    "flip_pairs",
    "flip_probability_upper_bound",
    "forgetting_events",
    "jitter",
    "label_entropy",
    "label_entropy_reduction",
    "label_flips",
    "label_quality",
    "label_stability",
    "label_statistics",
    "logit_margin",
    "medoid",
    "mode_label",
    "mode_share",
    "multiplicity",
    "nearest_samples",
    "negative_flip_rate",
    "nested_estimates",
    "nested_instability",
    "nested_variance",
    "one_run_scores",
    "pareto_front",
    "predicted_labels",
    "rarefaction",
    "rashomon_capacity",
    "rashomon_set",
    "rashomon_sweep",
    "reduction_beyond_null",
    "replacement",
    "retraining_negative_flip_rate",
    "risk_ambiguity",
    "sample_groups",
    "score_variance",
    "second_split_forgetting",
    "selective_ensemble",
    "self_consistency",
    "self_consistency_ensemble",
    "single_run_score",
    "single_run_share",
    "single_run_signals",
    "single_run_table",
    "soft_churn",
    "source_effects",
    "training_dynamics",
    "unnecessary_churn",
    "unstable_fraction",
    "variation_ratio",
    "verdict",
    "viable_prediction_range",
    "where_unstable",
    "win_loss",
]
