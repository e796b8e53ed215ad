"""Every method once as it is used, and once at strength zero: what the contract tests go through."""

from reseed.mitigations import (
    AbstractMitigation,
    ConfidencePenalty,
    Diplopia,
    Distill,
    EnsembleSoftLabels,
    FocalDistillation,
    KnnSmoothing,
    LabelSmoothing,
    LateBranching,
    Mixup,
    PredictionEnsemble,
    Rcp,
    Sam,
    SnapshotDistillation,
    Swa,
    Tgtss,
)

METHODS: dict[str, tuple[AbstractMitigation, AbstractMitigation]] = {
    "confidence-penalty": (ConfidencePenalty(0.3), ConfidencePenalty(0.0)),
    "diplopia": (Diplopia(0.7), Diplopia(0.0)),
    "distill": (Distill(0.4), Distill(0.0)),
    "ensemble-soft-labels": (EnsembleSoftLabels(teachers=2), EnsembleSoftLabels(hard_weight=1.0)),
    "focal-distillation": (FocalDistillation(0.5, 1.0), FocalDistillation(0.0, 0.0)),
    "knn-smoothing": (KnnSmoothing(0.6, 0.2, 5), KnnSmoothing(0.0)),
    "label-smoothing": (LabelSmoothing(0.2), LabelSmoothing(0.0)),
    "late-branching": (LateBranching(branches=2, at=0.5), LateBranching(hard_weight=1.0)),
    "mixup": (Mixup(0.4), Mixup(0.0)),
    "prediction-ensemble": (PredictionEnsemble(2), PredictionEnsemble(1)),
    "rcp": (Rcp(0.8), Rcp(0.0)),
    "sam": (Sam(0.1), Sam(0.0)),
    "snapshot-distillation": (SnapshotDistillation(cycles=2), SnapshotDistillation(hard_weight=1.0)),
    "swa": (Swa(0.5), Swa(0.0)),
    "tgtss": (Tgtss(0.5, transient=0.3, every=2), Tgtss(hard_weight=1.0)),
}
VARIANTS: dict[str, AbstractMitigation] = {
    "sam adaptive": Sam(0.5, adaptive=True),
    "tgtss in batch": Tgtss(transient=0.2, source="in_batch"),
    "tgtss shared": Tgtss(0.7, hard_weight=0.2, teacher="shared"),
    "tgtss found": Tgtss(every=2, find_transient=True),
    "ensemble per run": EnsembleSoftLabels(teachers=2, teacher="per_run"),
    "knn shared, with itself": KnnSmoothing(0.6, 0.0, 4, include_self=True, teacher="shared"),
    "late branching per run": LateBranching(0.8, branches=2, at=0.6, teacher="per_run"),
}
