"""Dropout passes: how much a trained model's answers change when its dropout stays on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.dropout import _DropoutNd

from reseed._arguments import setting
from reseed._errors import ModelError
from reseed.models import VmappedModel
from reseed.training._draws import DrawnDropout
from reseed.training._record import Scaling, evaluation_mode, recorded_probabilities

_FIRST_STEP = 1 << 31  # beyond all training steps, so that no pass repeats the masks of one
_BATCHES = 1 << 16


def pass_step(number: int, batch: int) -> int:
    """Return the step whose masks a batch of a pass gets; steps of training have lower numbers."""
    return _FIRST_STEP + number * _BATCHES + batch


@contextmanager
def dropping(model: nn.Module) -> Iterator[None]:
    """Put a model into evaluation mode without gradients inside, but for its dropout, which stays on."""
    with evaluation_mode(model):
        for module in model.modules():
            if isinstance(module, (_DropoutNd, DrawnDropout, VmappedModel)):  # the last makes the draws of its parts
                module.training = True
        yield


def check_dropout(model: nn.Module, name: str) -> None:
    """Accept a model that has dropout.

    Raises:
        ModelError: All passes would be equal.
    """
    if not any(isinstance(module, _DropoutNd | DrawnDropout) and module.p > 0 for module in model.modules()):
        raise ModelError(
            f"model {name!r} has no dropout layer with a probability above zero, so all dropout passes would be equal; "
            f"train it with dropout ({setting('dropout', 0.1)}), or record none ({setting('dropout_passes', 0)})."
        )


@final
class DropoutPasses:
    """The answers of one run's passes, and what is recorded of them.

    Args:
        labels: Labels [sample] without dropout, at the end of the training.
        scaling: How recorded probabilities are scaled.
    """

    def __init__(self, labels: NDArray[np.integer], scaling: Scaling | None = None) -> None:
        self._labels, self._scaling = labels, scaling
        self._answers: list[NDArray[np.integer]] = []
        self._margin = np.zeros(len(labels))

    def add(self, logits: Tensor) -> None:
        """Take the logits [sample, class] of a pass."""
        probabilities = recorded_probabilities(logits, self._scaling)
        answers = logits.cpu().numpy().argmax(1)
        top = np.partition(probabilities, -2, axis=1)[:, -2:].astype(np.float64)
        margin = top[:, 1] - top[:, 0]
        self._answers.append(answers)
        self._margin += np.where(answers == self._labels, margin, -margin)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return what is recorded, [sample].

        ``label_entropy`` (nats) over the passes: with c_d the number of passes that gave the answer of pass d of D,
        H = -(1/D) sum_d ln(c_d / D). ``margin``: mean over the passes of first minus second probability, negative
        where a pass answers otherwise than the model without dropout.
        """
        answers = np.stack(self._answers)
        same = [(answers == answer).sum(0) for answer in answers]
        entropy = -np.log(np.stack(same) / len(answers)).mean(0)
        return {"label_entropy": np.abs(entropy), "margin": self._margin / len(answers)}
