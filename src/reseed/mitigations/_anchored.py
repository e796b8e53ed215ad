"""Methods whose runs stay near one anchor: a network that was there before them."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from reseed.mitigations._mitigation import AbstractMitigation, Stage


@dataclass(frozen=True)
class AbstractAnchored(AbstractMitigation):
    """A method that knows what an anchor g says of the training set; all runs of a study have the same anchor."""

    anchor: str = field(default="", kw_only=True)
    """A study whose runs' mean probabilities are the anchor, recorded with its training set; default: one network is
    trained by the same recipe, with a seed that belongs to no run."""

    @property
    def stage(self) -> Stage:
        """One network at the end of its training, or the study that is there."""
        return Stage(shared=True, anchor=self.anchor)


def predicted(probabilities: Tensor) -> Tensor:
    """Return the most probable class [...] of probabilities [..., class]; ties go to the lowest index.

    Examples:
        >>> predicted(torch.tensor([[0.4, 0.4, 0.2], [0.1, 0.2, 0.7]]))
        tensor([0, 2])
    """
    classes = torch.arange(probabilities.shape[-1], device=probabilities.device)
    largest = probabilities == probabilities.amax(-1, keepdim=True)
    return torch.where(largest, classes, len(classes)).amin(-1)
