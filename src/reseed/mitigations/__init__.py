"""What keeps predictions in place: one method a file, hooks into the seams of a training."""

from reseed.mitigations._averaged_weights import Swa
from reseed.mitigations._beta_schedule import BetaSchedule
from reseed.mitigations._composition import check_composition
from reseed.mitigations._confidence_penalty import ConfidencePenalty
from reseed.mitigations._confidence_penalty_loss import ConfidencePenaltyLoss, confidence_penalty_loss
from reseed.mitigations._disturb_label import DisturbLabel, disturb_labels
from reseed.mitigations._entropy import entropy
from reseed.mitigations._label_smoothing import LabelSmoothing
from reseed.mitigations._label_smoothing_loss import label_smoothing_loss
from reseed.mitigations._mitigation import AbstractMitigation, Batch, Peers, Penalty, Stage
from reseed.mitigations._mixup import Mixup
from reseed.mitigations._prediction_ensemble import PredictionEnsemble
from reseed.mitigations._priors import class_prior, kl_to_prior
from reseed.mitigations._registry import MITIGATIONS, card, described, mitigation, parse_mitigations
from reseed.mitigations._sam import Sam
from reseed.mitigations._soft_cross_entropy import soft_cross_entropy
from reseed.mitigations._teaching import AbstractTeaching, EnsembleSoftLabels, Tgtss
from reseed.mitigations._tempered import tempered

__all__ = [
    "MITIGATIONS",
    "AbstractMitigation",
    "AbstractTeaching",
    "Batch",
    "BetaSchedule",
    "ConfidencePenalty",
    "ConfidencePenaltyLoss",
    "DisturbLabel",
    "EnsembleSoftLabels",
    "LabelSmoothing",
    "Mixup",
    "Peers",
    "Penalty",
    "PredictionEnsemble",
    "Sam",
    "Stage",
    "Swa",
    "Tgtss",
    "card",
    "check_composition",
    "class_prior",
    "confidence_penalty_loss",
    "described",
    "disturb_labels",
    "entropy",
    "kl_to_prior",
    "label_smoothing_loss",
    "mitigation",
    "parse_mitigations",
    "soft_cross_entropy",
    "tempered",
]
