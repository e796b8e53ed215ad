"""Gradients of the losses of single samples, a few samples at a time."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch
from torch import Tensor
from torch.func import functional_call, vmap
from torch.nn.modules.batchnorm import _BatchNorm

from reseed._errors import InputError
from reseed.curvature.operators._batches import Batch
from reseed.curvature.operators._losses import sample_losses
from reseed.curvature.operators._risk import EmpiricalRisk, check_finite
from reseed.curvature.operators._second_derivatives import check_second_derivatives

_BYTES = 1 << 27  # of a chunk's gradients; with activations and second derivatives several times that is used


def sample_gradients(risk: EmpiricalRisk, *, twice: bool) -> Iterator[tuple[int, slice, Tensor, Tensor]]:
    """Yield gradients of the losses of single samples, a few samples of one run at a time.

        g_i = d loss(f(x_i; w_i), y_i) / d w_i   at   w_i = w

    Every sample has weights of its own, so that one backward pass gives the gradients of all.

    Args:
        risk: Of which networks and samples.
        twice: Whether the gradients can be differentiated in these weights.

    Yields:
        The run, which samples, their weights and their gradients, both [sample, parameter].

    Raises:
        InputError: A batch norm is in training mode; or as of `hessian` if ``twice``, else of `EmpiricalRisk.gradient`.
    """
    if any(isinstance(layer, _BatchNorm) and layer.training for layer in risk.function.module.modules()):
        raise InputError(
            "model has batch norms in training mode, by which samples change each other's loss; pass mode='eval'."
        )
    rows = max(1, _BYTES // (risk.size * risk.weights.element_size()))
    for run in range(risk.runs):
        first = 0
        for batch in risk.batches:
            for x, y in zip(torch.split(batch.inputs, rows), torch.split(batch.targets, rows), strict=True):
                weights, gradients = _gradients(risk, run, Batch(x, y, batch.share), twice)
                yield run, slice(first, first + len(x)), weights, gradients
                first += len(x)


def _gradients(risk: EmpiricalRisk, run: int, batch: Batch, twice: bool) -> tuple[Tensor, Tensor]:
    with torch.enable_grad():
        weights = risk.weights[run].expand(len(batch.inputs), -1).clone().requires_grad_()
        losses = sample_losses(risk.loss, _outputs(risk, run, weights, batch.inputs)[None], batch.targets)
        check_finite(losses, slice(run, run + 1), "loss")
        if not losses.requires_grad:
            raise InputError(
                "loss does not depend on the weights; pass a loss of the network's outputs that is not detached."
            )
        (gradients,) = torch.autograd.grad(losses.sum(), weights, create_graph=twice)
    check_finite(gradients[None], slice(run, run + 1), "the gradient of the loss")
    if twice:
        check_second_derivatives(gradients, risk.function.module, batch.inputs)
    return weights, gradients


def _outputs(risk: EmpiricalRisk, run: int, weights: Tensor, inputs: Tensor) -> Tensor:
    """Return outputs [sample, ...] of samples at weights of their own, [sample, parameter]."""
    function = risk.function
    constants = {name: value[run] for name, value in function.constants.items()}

    def one(own: Tensor, x: Tensor) -> Tensor:
        answer: Tensor = functional_call(function.module, {**function.named(own), **constants}, (x[None],))
        return answer[0]

    with risk.drawing(), warnings.catch_warnings():
        # Of operations that torch maps by a loop over the samples: slower, but nothing that a user could change.
        warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
        try:
            outputs: Tensor = vmap(one, randomness="different")(weights, inputs)
        except RuntimeError:  # code that cannot be mapped over samples
            outputs = torch.stack([one(own, x) for own, x in zip(weights, inputs, strict=True)])
    return outputs
