"""Initial weights of zeros and ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

from reseed.mitigations._seedless import AbstractSeedless


@final
@dataclass(frozen=True)
class ZeroInit(AbstractSeedless):
    """Zeros and ones: layers begin as identities or Hadamard matrices, the last one at 0.

        W = I*                 where a layer has no more outputs than inputs, * the upper left part
        W = 2^(-m/2) (H_m)*    where it has more, m = ceil(log2 outputs), H_m the Hadamard matrix of 2^m rows, if these
                               differ in H_m*; else I*, and one seed draws what is left over, for all runs
        last layer, biases, last convolution of a residual block: 0;   of kernels only the middle
        w_0' = share W + (1 - share) w_0

    For mlp, text-tfidf, cnn, resnet, and the head of text-encoder, fine-tuned or not. All networks of a run and its
    teachers begin alike, so that a prediction-ensemble's differ by the order of samples alone; co-distillation's would
    not differ at all, and are refused.

    Use it when: no seed is to decide initial weights, whatever the data, in networks with convolutions and under the
    head of a fine-tuned encoder too, and weights are averaged as well.
    Cost: one training, one network at inference.
    Beware: by itself it does less than a third of what it does with averaged weights and smoothed labels. A layer that
    is narrower than what it sees begins with the first features alone. Of the paper it is a variant: rows that repeat
    in a Hadamard matrix, as in every layer of twice the width, would be nodes that begin alike and that rounding alone
    tells apart.

    References:
        Zhao, Schaefer and Anandkumar, "ZerO Initialization: Initializing Neural Networks with only Zeros and Ones",
        arXiv 2110.12661 (the scale is that of the authors' code).

    Examples:
        >>> from reseed.mitigations import parse_mitigations
        >>> from reseed.models import ModelConfig
        >>> from reseed.training import Recipe, mitigated
        >>> mitigated(Recipe(model=ModelConfig("resnet")), parse_mitigations("zero-init+swa")).model.init
        'zero'
    """

    name: ClassVar[str] = "zero-init"
    origin: ClassVar[str] = "zero"
