"""What keeps predictions in place: one method a file, hooks into the seams of a training."""

from reseed.mitigations._anchored import AbstractAnchored
from reseed.mitigations._auto_transient import auto_transient
from reseed.mitigations._averaged_weights import Swa
from reseed.mitigations._beta_schedule import BetaSchedule
from reseed.mitigations._co_distillation import CoDistillation
from reseed.mitigations._composition import check_composition
from reseed.mitigations._confidence_penalty import ConfidencePenalty
from reseed.mitigations._confidence_penalty_loss import ConfidencePenaltyLoss, confidence_penalty_loss
from reseed.mitigations._cosine_decay import CosineDecay
from reseed.mitigations._diplopia import Diplopia
from reseed.mitigations._distill import Distill
from reseed.mitigations._disturb_label import DisturbLabel, disturb_labels
from reseed.mitigations._dropout import Dropout
from reseed.mitigations._ema import Ema
from reseed.mitigations._ensemble_soft_labels import EnsembleSoftLabels
from reseed.mitigations._entropy import entropy
from reseed.mitigations._fit_temperature import fit_temperature
from reseed.mitigations._fixed_init import FixedInit
from reseed.mitigations._fixup import Fixup
from reseed.mitigations._focal_distillation import FocalDistillation
from reseed.mitigations._gradient_clipping import GradientClipping
from reseed.mitigations._gradinit import GradInit
from reseed.mitigations._init_scale import InitScale
from reseed.mitigations._knn_smoothing import KnnSmoothing, neighbour_labels
from reseed.mitigations._label_smoothing import LabelSmoothing
from reseed.mitigations._label_smoothing_loss import label_smoothing_loss
from reseed.mitigations._larger_batch import LargerBatch
from reseed.mitigations._late_branching import LateBranching
from reseed.mitigations._learning_rate import LearningRate
from reseed.mitigations._linear_decay import LinearDecay
from reseed.mitigations._metainit import MetaInit
from reseed.mitigations._mitigation import AbstractMitigation, Batch, Beginning, Peers, Penalty, Stage
from reseed.mitigations._mixup import Mixup
from reseed.mitigations._pca_init import PcaInit
from reseed.mitigations._prediction_ensemble import PredictionEnsemble
from reseed.mitigations._priors import class_prior, kl_to_prior
from reseed.mitigations._rcp import Rcp
from reseed.mitigations._registry import MITIGATIONS, card, described, mitigation, parse_mitigations
from reseed.mitigations._sam import Sam
from reseed.mitigations._selective_ensemble import SelectiveEnsembling
from reseed.mitigations._self_consistency_ensemble import SelfConsistencyEnsembling
from reseed.mitigations._snapshot_distillation import SnapshotDistillation
from reseed.mitigations._soft_cross_entropy import soft_cross_entropy
from reseed.mitigations._teaching import AbstractTeaching
from reseed.mitigations._temperature import HELD_OUT, Temperature, samples_for_temperature
from reseed.mitigations._tempered import tempered
from reseed.mitigations._tgtss import Tgtss
from reseed.mitigations._warmup import Warmup
from reseed.mitigations._weight_decay import WeightDecay
from reseed.mitigations._zero_init import ZeroInit

__all__ = [
    "HELD_OUT",
    "MITIGATIONS",
    "AbstractAnchored",
    "AbstractMitigation",
    "AbstractTeaching",
    "Batch",
    "Beginning",
    "BetaSchedule",
    "CoDistillation",
    "ConfidencePenalty",
    "ConfidencePenaltyLoss",
    "CosineDecay",
    "Diplopia",
    "Distill",
    "DisturbLabel",
    "Dropout",
    "Ema",
    "EnsembleSoftLabels",
    "FixedInit",
    "Fixup",
    "FocalDistillation",
    "GradInit",
    "GradientClipping",
    "InitScale",
    "KnnSmoothing",
    "LabelSmoothing",
    "LargerBatch",
    "LateBranching",
    "LearningRate",
    "LinearDecay",
    "MetaInit",
    "Mixup",
    "PcaInit",
    "Peers",
    "Penalty",
    "PredictionEnsemble",
    "Rcp",
    "Sam",
    "SelectiveEnsembling",
    "SelfConsistencyEnsembling",
    "SnapshotDistillation",
    "Stage",
    "Swa",
    "Temperature",
    "Tgtss",
    "Warmup",
    "WeightDecay",
    "ZeroInit",
    "auto_transient",
    "card",
    "check_composition",
    "class_prior",
    "confidence_penalty_loss",
    "described",
    "disturb_labels",
    "entropy",
    "fit_temperature",
    "kl_to_prior",
    "label_smoothing_loss",
    "mitigation",
    "neighbour_labels",
    "parse_mitigations",
    "samples_for_temperature",
    "soft_cross_entropy",
    "tempered",
]
