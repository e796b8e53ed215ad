"""Watching a training without changing it: gradient norms, and what is recorded of every step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reseed._errors import InputError
from reseed.mitigations import entropy
from reseed.training._step import Step

Signals = Mapping[str, Tensor]
"""What is recorded of every step, [step, run], by name."""


def gradient_norms(parameters: Iterable[Tensor], runs: int = 1) -> Tensor:
    """Return the global L2 norm of each run's gradient, [run].

        |g| = sqrt(sum over parameters of |dL/dw|^2)

    Args:
        parameters: Their first axis is divisible by ``runs``, run by run; those without a gradient do not count.
        runs: How many runs they hold.

    Examples:
        >>> weight = torch.zeros(2, requires_grad=True)
        >>> (weight * torch.tensor([3.0, 4.0])).sum().backward()
        >>> gradient_norms([weight])
        tensor([5.])
    """
    gradients = [parameter.grad.detach() for parameter in parameters if parameter.grad is not None]
    if not gradients:
        return torch.zeros(runs)
    precision = torch.promote_types(gradients[0].dtype, torch.float32)
    each = [torch.linalg.vector_norm(one.reshape(runs, -1), dim=1, dtype=precision) for one in gradients]
    norms: Tensor = torch.linalg.vector_norm(torch.stack(each), dim=0)
    return norms


def signals_of(steps: Sequence[Step]) -> dict[str, Tensor]:
    """Return what is recorded of steps whose training monitors, [step, run]; nothing of others.

    ``loss``: the batch's mean loss in nats, mitigations included; ``gradient_norm``: see `gradient_norms`, before
    clipping; ``entropy``: the mean entropy of the batch's predictions in nats, in training mode. All are those before
    the step's update.
    """
    found = [(step, step.gradient_norm) for step in steps if step.gradient_norm is not None]
    if not found:
        return {}
    return {
        "loss": torch.stack([step.loss.reshape(-1) for step, _ in found]),
        "gradient_norm": torch.stack([norm for _, norm in found]),
        "entropy": torch.stack([entropy(step.logits).mean(-1).reshape(-1) for step, _ in found]),
    }


@final
class GradientNormRecorder:
    """Records the global L2 norm of the gradient, batch by batch, in a training loop of one's own.

    Call `record` after the backward pass and before clipping. Nothing is drawn, changed or waited for: values stay on
    their device until they are read.

    Args:
        model: A module, or its parameters; those without a gradient do not count.
        ema: Share of the old value that each step keeps in `smoothed`, in [0, 1); 0 smooths nothing.

    Raises:
        InputError: ``ema`` is out of range, or there are no parameters.

    References:
        Pereyra et al., "Regularizing Neural Networks by Penalizing Confident Output Distributions", ICLR workshop
        2017 (which draws such curves and does not say whether they are smoothed).

    Examples:
        >>> weight = torch.ones(1, requires_grad=True)
        >>> recorder = GradientNormRecorder([weight], ema=0.5)
        >>> for factor in (1.0, 3.0):
        ...     weight.grad = None
        ...     (factor * weight).sum().backward()
        ...     recorder.record()
        >>> recorder.norms.tolist(), recorder.smoothed.tolist()
        ([1.0, 3.0], [1.0, 2.0])
    """

    def __init__(self, model: nn.Module | Iterable[Tensor], ema: float = 0.0) -> None:
        if not 0 <= ema < 1:
            raise InputError(f"ema must be in [0, 1), got {ema!r}.")
        self._parameters = list(model.parameters() if isinstance(model, nn.Module) else model)
        if not self._parameters:
            raise InputError("model has no parameters; pass a module, or a list of its parameters.")
        self._ema = ema
        self._norms: list[Tensor] = []

    def record(self) -> None:
        """Take the norm of the gradients that are there."""
        self._norms.append(gradient_norms(self._parameters)[0])

    @property
    def norms(self) -> NDArray[np.float64]:
        """What was recorded, [step]."""
        return np.array([float(norm) for norm in self._norms])

    @property
    def smoothed(self) -> NDArray[np.float64]:
        """The exponential mean of the norms n, m_t = ema m_(t-1) + (1 - ema) n_t, that begins at the first, [step]."""
        norms = self.norms
        for step in range(1, len(norms)):
            norms[step] = self._ema * norms[step - 1] + (1 - self._ema) * norms[step]
        return norms
