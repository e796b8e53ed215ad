"""Initial weights from principal directions of the training features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from reseed.mitigations._seedless import AbstractSeedless


@final
@dataclass(frozen=True)
class PcaInit(AbstractSeedless):
    """Principal initial weights: the first layer begins at principal directions of the features, the last one at 0.

        W_1 = [V, -V],   V the leading principal directions of the training features, unit vectors as rows
        W_last = 0,   all biases 0,   layers between: identities
        w_0' = share W + (1 - share) w_0

    Of each direction the first component of the largest magnitude is positive. A node and its negative tell one feature
    and its sign. Nodes that are left over, where there are more than directions, are drawn by one seed for all runs.
    Directions are those of the run's own training samples: of a resample, or of the folds that it sees. They are not
    stored but computed when a run begins, in double precision by one thread, so that they are the same bits whatever
    the engine. All networks of a run and its teachers begin alike, so that a prediction-ensemble's differ by the order
    of samples alone; co-distillation's would not differ at all, and are refused.

    Use it when: a perceptron learns from features (mlp, a frozen encoder) and weights are averaged as well (`Ema`,
    `Swa`), which calm what the order of samples does: where training begins is then most of what is left.
    Cost: one training, one network at inference; principal directions, once for each training set.
    Beware: by itself it does less than half of what it does where weights are averaged as well. Where few directions
    hold little of the features' variance, as of thousands of tf-idf terms, it learns slowly at first, and short
    trainings lose accuracy. The directions move when the data does. Not for convolutions and fine-tuned encoders.

    References:
        Kraehenbuehl, Doersch, Donahue and Darrell, "Data-dependent Initializations of Convolutional Neural Networks",
        ICLR 2016 (principal directions as initial weights, in another form).

    Examples:
        >>> from reseed.mitigations import parse_mitigations
        >>> from reseed.training import Recipe, mitigated
        >>> mitigated(Recipe(), parse_mitigations("pca-init+ema+label-smoothing")).model.init
        'pca'
    """

    name: ClassVar[str] = "pca-init"
    origin: ClassVar[str] = "pca"
