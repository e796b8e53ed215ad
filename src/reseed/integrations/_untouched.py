"""Predicting in the middle of a training without a trace in it."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.parameter import is_lazy

from reseed._errors import InputError
from reseed.training import evaluation_mode

_SHARDING = ("FullyShardedDataParallel", "XlaFullyShardedDataParallel")


@contextmanager
def untouched(*models: nn.Module) -> Iterator[None]:
    """Predict inside, in evaluation mode and without gradients; what the training goes on with is as before.

    Restored are the training mode of every module, one by one, its buffers, such as the statistics of a batch
    normalisation, every parameter's gradient and whether it has one, and the global generators of torch (CPU and CUDA),
    numpy and Python, since a loader or a foreign model may draw from them. What `torch.compile` made is not run:
    batches of other shapes would have it compile the training anew.

    Args:
        *models: What is switched to evaluation mode.
    """
    with ExitStack() as stack:
        stack.enter_context(_generators())
        for model in models:
            stack.enter_context(_tensors(model))
        if "torch._dynamo" in sys.modules:  # else nothing was compiled, and importing it takes seconds
            stack.enter_context(torch.compiler.set_stance("force_eager"))
        stack.enter_context(evaluation_mode(*models))
        yield


@contextmanager
def _generators() -> Iterator[None]:
    on_gpu = torch.cuda.is_available() and torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    cpu, gpus = torch.get_rng_state(), torch.cuda.get_rng_state_all() if on_gpu else []
    python, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002  # the generator of others, kept for them
    try:
        yield
    finally:
        torch.set_rng_state(cpu)
        if on_gpu:
            torch.cuda.set_rng_state_all(gpus)
        random.setstate(python)
        np.random.set_state(legacy)  # noqa: NPY002


@contextmanager
def _tensors(model: nn.Module) -> Iterator[None]:
    parameters = [(parameter, parameter.grad, parameter.requires_grad) for parameter in model.parameters()]
    buffers = [
        (module._buffers, name, buffer, buffer.clone(), _version(buffer))
        for module in model.modules()
        for name, buffer in module._buffers.items()
        if buffer is not None and not is_lazy(buffer) and not buffer.is_meta
    ]
    for parameter, _, _ in parameters:
        parameter.grad = None  # what comes in its place is dropped, so that nothing has to be copied
    try:
        yield
    finally:
        for held, name, buffer, value, version in buffers:
            held[name] = buffer
            # To write what is there would invalidate a graph that still needs it. Sparse tensors cannot be compared.
            is_dense = buffer.layout is torch.strided and not buffer.is_nested
            if not (torch.equal(buffer, value) if is_dense else _version(buffer) == version):
                with torch.no_grad():
                    buffer.copy_(value)
        for parameter, gradient, has_gradient in parameters:
            parameter.grad = gradient
            if parameter.requires_grad != has_gradient:
                parameter.requires_grad_(has_gradient)


def _version(tensor: torch.Tensor) -> int:
    """Return how often a tensor was written to; tensors of inference mode cannot be."""
    return 0 if tensor.is_inference() else tensor._version


def bare(model: nn.Module) -> nn.Module:
    """Return the model within wrappers that compile it, share batches out, or make processes wait for each other."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if isinstance(model, nn.DataParallel | nn.parallel.DistributedDataParallel):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def check_whole(model: nn.Module) -> None:
    """Accept a model whose weights this process has, all of them.

    Raises:
        InputError: They are sharded over processes, so that one alone would wait for the others for ever.
    """
    is_wrapped = any(type(module).__name__ in _SHARDING for module in model.modules())
    # Tensors of torch that are sharded have a mesh of devices, those of DeepSpeed's third stage an id.
    if is_wrapped or any(hasattr(each, "device_mesh") or hasattr(each, "ds_id") for each in model.parameters()):
        raise InputError(
            f"the weights of {type(model).__name__} are sharded over processes, and recording asks the model in one of "
            "them; train with whole weights in each process, or import predictions made after the training."
        )
