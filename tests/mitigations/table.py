"""Every method once as it is used, and once at strength zero: what the contract tests go through."""

from reseed.mitigations import (
    AbstractMitigation,
    ConfidencePenalty,
    DisturbLabel,
    EnsembleSoftLabels,
    LabelSmoothing,
    Mixup,
    PredictionEnsemble,
    Sam,
    Swa,
    Tgtss,
)

METHODS: dict[str, tuple[AbstractMitigation, AbstractMitigation]] = {
    "confidence-penalty": (ConfidencePenalty(0.3), ConfidencePenalty(0.0)),
    "disturb-label": (DisturbLabel(0.3), DisturbLabel(0.0)),
    "ensemble-soft-labels": (EnsembleSoftLabels(teachers=2), EnsembleSoftLabels(hard_weight=1.0)),
    "label-smoothing": (LabelSmoothing(0.2), LabelSmoothing(0.0)),
    "mixup": (Mixup(0.4), Mixup(0.0)),
    "prediction-ensemble": (PredictionEnsemble(2), PredictionEnsemble(1)),
    "sam": (Sam(0.1), Sam(0.0)),
    "swa": (Swa(0.5), Swa(0.0)),
    "tgtss": (Tgtss(0.5, transient=0.3, every=2), Tgtss(hard_weight=1.0)),
}
VARIANTS: dict[str, AbstractMitigation] = {
    "confidence penalty below a threshold": ConfidencePenalty(2.0, threshold=0.8, course="cosine", start=0.1),
    "label smoothing, unigram": LabelSmoothing(0.2, prior="unigram"),
    "sam adaptive": Sam(0.5, adaptive=True),
    "tgtss in batch": Tgtss(transient=0.2, source="in_batch"),
    "tgtss shared": Tgtss(0.7, hard_weight=0.2, teacher="shared"),
    "ensemble per run": EnsembleSoftLabels(teachers=2, teacher="per_run"),
}
