"""Predicting in the middle of a training without a trace in it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn

from reseed.training import evaluation_mode


@contextmanager
def untouched(*models: nn.Module) -> Iterator[None]:
    """Predict inside, in evaluation mode and without gradients; what the training goes on with is as before.

    Restored are the training mode of every module, one by one, and the global generators of torch (CPU and CUDA),
    numpy and Python, since a loader or a foreign model may draw from them.

    Args:
        *models: What is switched to evaluation mode.
    """
    on_gpu = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    cpu, gpus = torch.get_rng_state(), torch.cuda.get_rng_state_all() if on_gpu else []
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  # the generator of others, kept for them
    try:
        with evaluation_mode(*models):
            yield
    finally:
        torch.set_rng_state(cpu)
        if on_gpu:
            torch.cuda.set_rng_state_all(gpus)
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002
