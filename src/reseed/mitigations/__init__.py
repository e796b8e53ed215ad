"""What keeps predictions in place: one method a file, hooks into the seams of a training."""

from reseed.mitigations._averaged_weights import Swa
from reseed.mitigations._co_distillation import CoDistillation
from reseed.mitigations._composition import check_composition
from reseed.mitigations._confidence_penalty import ConfidencePenalty, entropy
from reseed.mitigations._cosine_decay import CosineDecay
from reseed.mitigations._dropout import Dropout
from reseed.mitigations._ema import Ema
from reseed.mitigations._gradient_clipping import GradientClipping
from reseed.mitigations._init_scale import InitScale
from reseed.mitigations._label_smoothing import LabelSmoothing
from reseed.mitigations._larger_batch import LargerBatch
from reseed.mitigations._linear_decay import LinearDecay
from reseed.mitigations._mitigation import AbstractMitigation, Batch, Peers, Penalty, Stage
from reseed.mitigations._mixup import Mixup
from reseed.mitigations._prediction_ensemble import PredictionEnsemble
from reseed.mitigations._registry import MITIGATIONS, described, mitigation, parse_mitigations
from reseed.mitigations._sam import Sam
from reseed.mitigations._selective_ensemble import SelectiveEnsembling
from reseed.mitigations._self_consistency_ensemble import SelfConsistencyEnsembling
from reseed.mitigations._soft_cross_entropy import soft_cross_entropy
from reseed.mitigations._teaching import AbstractTeaching, EnsembleSoftLabels, Tgtss
from reseed.mitigations._tempered import tempered
from reseed.mitigations._warmup import Warmup
from reseed.mitigations._weight_decay import WeightDecay

__all__ = [
    "MITIGATIONS",
    "AbstractMitigation",
    "AbstractTeaching",
    "Batch",
    "CoDistillation",
    "ConfidencePenalty",
    "CosineDecay",
    "Dropout",
    "Ema",
    "EnsembleSoftLabels",
    "GradientClipping",
    "InitScale",
    "LabelSmoothing",
    "LargerBatch",
    "LinearDecay",
    "Mixup",
    "Peers",
    "Penalty",
    "PredictionEnsemble",
    "Sam",
    "SelectiveEnsembling",
    "SelfConsistencyEnsembling",
    "Stage",
    "Swa",
    "Tgtss",
    "Warmup",
    "WeightDecay",
    "check_composition",
    "described",
    "entropy",
    "mitigation",
    "parse_mitigations",
    "soft_cross_entropy",
    "tempered",
]
