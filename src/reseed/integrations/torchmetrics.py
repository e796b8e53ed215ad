"""Label entropy and jitter as metrics of torchmetrics, for evaluation loops that already collect such.

Importing this module imports torchmetrics, which is not among reseed's own dependencies.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, final

import torch
from torch import Tensor

from reseed._errors import MissingExtraError
from reseed.instability import jitter, label_entropy, predicted_labels

try:
    from torchmetrics import Metric
except ImportError as error:
    raise MissingExtraError(
        "reseed.integrations.torchmetrics needs the package torchmetrics: pip install torchmetrics."
    ) from error

__all__ = ["Jitter", "LabelEntropy"]


class AbstractMeanOverSamples(Metric):
    """The mean over all samples seen of a measure of the labels that several runs give to each.

    `update` takes a batch of samples: labels [run, sample], or scores [run, sample, class] of which the highest counts,
    the lowest class at ties. States are summed over devices. A run that diverged has no answers: scores that are NaN
    are refused as `predicted_labels` does, and nothing of their batch is counted; leave that run out.
    """

    is_differentiable = False
    higher_is_better = False
    full_state_update = False

    total: Tensor
    samples: Tensor

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.add_state("total", torch.zeros((), dtype=torch.float64), dist_reduce_fx="sum")
        self.add_state("samples", torch.zeros((), dtype=torch.int64), dist_reduce_fx="sum")

    @final
    def update(self, predictions: Tensor) -> None:
        """Take a batch: labels [run, sample], or scores [run, sample, class].

        Raises:
            InputError: Fewer than two runs, labels that are not whole numbers, or scores that are no answer: NaN, or
                nothing but -inf.
        """
        labels = predicted_labels(predictions) if predictions.ndim == 3 else predictions
        values = self._measure(labels)
        self.total += values.sum()
        self.samples += values.numel()

    @final
    def compute(self) -> Tensor:
        """Return the mean; NaN before the first sample."""
        return (self.total / self.samples).to(torch.get_default_dtype())

    @abstractmethod
    def _measure(self, labels: Tensor) -> Tensor:
        """Return the measure of each sample from labels [run, sample]."""


@final
class LabelEntropy(AbstractMeanOverSamples):
    """Mean label entropy in nats; see `reseed.instability.label_entropy`.

    Examples:
        >>> metric = LabelEntropy()
        >>> metric.update(torch.tensor([[0, 1], [0, 2]]))
        >>> metric.compute()
        tensor(0.3466)
    """

    def _measure(self, labels: Tensor) -> Tensor:
        found: Tensor = label_entropy(labels)
        return found


@final
class Jitter(AbstractMeanOverSamples):
    """Mean share of the pairs of runs that disagree; see `reseed.instability.jitter`.

    Examples:
        >>> metric = Jitter()
        >>> metric.update(torch.tensor([[0, 1], [0, 2]]))
        >>> metric.compute()
        tensor(0.5000)
    """

    def _measure(self, labels: Tensor) -> Tensor:
        found: Tensor = jitter(labels)
        return found
