"""Deep k-nearest-neighbour label smoothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal, final

import torch
from torch import Tensor, nn

from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation, Batch, Stage

_DISTANCES = 1 << 20
"""Distances that are held at once."""


@final
@dataclass(frozen=True)
class KnnSmoothing(AbstractMitigation):
    """Deep k-NN label smoothing: a label gives mass to the labels of its neighbours.

        q(x) = (1 - a) q0 + a (b / K + (1 - b) eta_k(x))

    eta_k is the mean one-hot label of the k samples whose logits, under a teacher trained on hard labels, are nearest
    in Euclidean distance; K counts classes. The sample is no neighbour of its own unless it is told to be.

    Use it when: labels are noisy, and samples that look alike should be answered alike.
    Cost: two trainings, and distances between all pairs of training samples; one network at inference.
    Beware: a teacher that fits the training set perfectly has neighbours of the same label only.

    References:
        Bahri and Jiang, "Locally Adaptive Label Smoothing Improves Predictive Churn", ICML 2021.
    """

    name: ClassVar[str] = "knn-smoothing"
    place: ClassVar[int] = 0

    a: float = 0.5
    """Mass that labels give away, in [0, 1]; 0 turns the method off."""
    b: float = 0.1
    """Share of it that is spread over all classes, in [0, 1]; the rest goes to the neighbours' labels."""
    k: int = 10
    """Neighbours; of equally near ones those of lower index."""
    include_self: bool = False
    """Whether a sample counts among its neighbours."""
    teacher: Literal["per_run", "shared"] = "per_run"
    """Whether each run has a teacher of its own, or all runs of a study share one."""

    def __post_init__(self) -> None:
        check_option(self, "a", 0 <= self.a <= 1, "a share in [0, 1]")
        check_option(self, "b", 0 <= self.b <= 1, "a share in [0, 1]")
        check_option(self, "k", is_whole(self.k) and self.k >= 1, "1 or more")
        check_option(self, "teacher", self.teacher in ("per_run", "shared"), "per_run or shared")

    @property
    def is_active(self) -> bool:
        """Whether labels give any mass away."""
        return self.a > 0

    @property
    def stage(self) -> Stage:
        """One teacher's logits, at the end of its training."""
        return Stage(shared=self.teacher == "shared", output="logits")

    @property
    def least_samples(self) -> int:
        """A sample and its neighbours."""
        return self.k + (not self.include_self)

    def learn(self, output: Tensor, labels: Tensor) -> Tensor:
        """Return the mean labels of neighbours, [run, sample, class]."""
        return torch.stack(
            [neighbour_labels(logits, labels, self.k, include_self=self.include_self) for logits in output]
        )

    def targets(self, targets: Tensor | None, batch: Batch) -> Tensor:
        """Return smoothed targets [run, sample, class]."""
        given = self.b / batch.num_classes + (1 - self.b) * batch.taught
        return (1 - self.a) * batch.soft(targets) + self.a * given


def neighbour_labels(logits: Tensor, labels: Tensor, k: int, *, include_self: bool = False) -> Tensor:
    """Return the shares of classes among each sample's k nearest neighbours, found exactly and in bounded memory.

        eta_k(i)[c] = #{j among the k nearest of i : y_j = c} / k

    Args:
        logits: Where samples lie, [sample, class]; distances are Euclidean.
        labels: Their classes, [sample].
        k: Neighbours; of equally near ones those of lower index.
        include_self: Whether a sample counts among its neighbours.

    Returns:
        Shares [sample, class].

    Raises:
        InputError: There are no k neighbours.

    References:
        Bahri and Jiang, "Locally Adaptive Label Smoothing Improves Predictive Churn", ICML 2021.

    Examples:
        >>> neighbour_labels(torch.tensor([[0.0, 0.0], [0.0, 1.0], [0.0, 3.0]]), torch.tensor([0, 1, 1]), 1)
        tensor([[0., 1.],
                [1., 0.],
                [0., 1.]])
    """
    samples, classes = logits.shape
    if not 1 <= k <= samples - (not include_self):
        raise InputError(f"k must be between 1 and the number of neighbours of {samples} samples, got {k!r}.")
    votes = nn.functional.one_hot(labels, classes).to(logits.dtype)
    rows = torch.arange(samples, device=logits.device)
    shares = []
    for part in torch.split(rows, max(1, _DISTANCES // samples)):
        # Not by way of a matrix product, whose rounding would decide between neighbours that are equally near.
        away = torch.cdist(logits[part], logits, compute_mode="donot_use_mm_for_euclid_dist")
        if not include_self:
            away[torch.arange(len(part), device=away.device), part] = torch.inf
        farthest = away.topk(k, largest=False).values[:, -1:]
        nearer, level = away < farthest, away == farthest
        left = k - nearer.sum(1, keepdim=True)
        shares.append((nearer | (level & (level.cumsum(1) <= left))).to(votes.dtype) @ votes / k)
    return torch.cat(shares)
