"""Label smoothing as a method of a recipe."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

from torch import Tensor

from reseed._simplex import TOLERANCE
from reseed.mitigations._checks import check_option
from reseed.mitigations._label_smoothing_loss import smoothed
from reseed.mitigations._mitigation import AbstractMitigation, Batch

_PRIORS = ("uniform", "unigram")


@final
@dataclass(frozen=True)
class LabelSmoothing(AbstractMitigation):
    """Label smoothing: every class gets a little of each label's mass.

        q = (1 - epsilon) q0 + epsilon r

    q0 is the one-hot label, or what other methods made of it; r is uniform, the classes' frequencies in the training
    set, or given. With r uniform over K classes the true class gets 1 - epsilon + epsilon / K, as in
    `torch.nn.CrossEntropyLoss`.

    Use it when: answers must stay and nobody reads the probabilities; with unigram, when classes are far from equally
    frequent.
    Cost: one training, one network at inference.
    Beware: probabilities become too cautious. It caps the logit gap that training can reach. Where classes overlap,
    differences between seeds then weigh more, and more answers change.

    References:
        Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", CVPR 2016;
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017 (class frequencies as the prior).
    """

    name: ClassVar[str] = "label-smoothing"

    epsilon: float = 0.1
    """Mass that is spread over all classes, in [0, 1)."""
    prior: str | tuple[float, ...] = "uniform"
    """Where it goes: uniform; unigram: the training set's class frequencies; or probabilities, one a class."""

    def __post_init__(self) -> None:
        check_option(self, "epsilon", 0 <= self.epsilon < 1, "a share in [0, 1)")
        if isinstance(self.prior, str):
            check_option(self, "prior", self.prior in _PRIORS, "uniform, unigram or probabilities, one a class")
            return
        # A tuple, whatever came: a recipe must compare and hash by its values.
        object.__setattr__(self, "prior", tuple(map(float, self.prior)))
        total = math.fsum(self.prior)
        is_valid = all(share >= 0 for share in self.prior) and abs(total - 1) <= TOLERANCE
        check_option(self, "prior", is_valid, "probabilities that sum to 1")

    @property
    def is_active(self) -> bool:
        """Whether any mass is spread."""
        return self.epsilon > 0

    def check_classes(self, num_classes: int) -> None:
        """Refuse a prior over another number of classes."""
        if not isinstance(self.prior, str):
            is_valid = len(self.prior) == num_classes
            check_option(self, "prior", is_valid, f"one probability for each of {num_classes} classes")

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return smoothed targets [run, sample, class]."""
        soft = batch.soft(targets)
        if self.prior == "uniform":
            return smoothed(soft, self.epsilon)
        prior = batch.frequencies if self.prior == "unigram" else soft.new_tensor(self.prior)
        return smoothed(soft, self.epsilon, prior)
