"""The generalised Gauss-Newton matrix of a mean loss, matrix-free."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed._errors import InputError
from reseed.curvature.operators._batches import Batch
from reseed.curvature.operators._kept import Multiply, mean_operator
from reseed.curvature.operators._linearised import Linearised
from reseed.curvature.operators._losses import mean_losses
from reseed.curvature.operators._operator import CurvatureOperator
from reseed.curvature.operators._risk import EmpiricalRisk, check_finite
from reseed.curvature.operators._second_derivatives import check_second_derivatives


def ggn(risk: EmpiricalRisk) -> CurvatureOperator:
    """Return the generalised Gauss-Newton matrix (GGN) of each run's mean loss.

        G = mean over samples i of J_i' (d^2 loss / dz_i^2) J_i,   J_i = dz_i / dw

    It is the Hessian of the loss of the linearised network, and the Fisher information of a cross-entropy. Where the
    loss is convex in the outputs it has no negative eigenvalues, which the Hessian has.

    Args:
        risk: See `empirical_risk`.

    Returns:
        See `CurvatureOperator`.

    Raises:
        InputError: As of `hessian`.

    Examples:
        Of a network that is linear in its weights it is the Hessian:

        >>> from reseed.curvature import empirical_risk, hessian
        >>> risk = empirical_risk(torch.nn.Linear(3, 4), torch.rand(10, 3), torch.arange(10) % 4)
        >>> torch.allclose(ggn(risk).dense(), hessian(risk).dense(), atol=1e-6)
        True

    References:
        Schraudolph, *Fast Curvature Matrix-Vector Products for Second-Order Gradient Descent*, Neural Computation 2002.
    """

    def make(runs: slice, batch: Batch) -> Multiply:
        with torch.enable_grad():
            weights = risk.weights[runs].clone().requires_grad_()
            outputs = risk.outputs(weights, runs, batch)
            logits = outputs.detach().requires_grad_()
            losses = mean_losses(risk.loss, logits, batch.targets)
            check_finite(losses, runs, "loss")
            if not (losses.requires_grad and outputs.requires_grad):
                raise InputError(
                    "loss does not depend on the weights; pass a loss of the network's outputs that is not detached."
                )
            (slope,) = torch.autograd.grad(losses.sum(), logits, create_graph=True)
            jacobian = Linearised(outputs, weights)
        check_second_derivatives(jacobian.pulled, risk.function.module, batch.inputs)

        def multiply(vectors: Tensor) -> Tensor:
            if not slope.requires_grad:  # the loss is linear in the outputs
                return torch.zeros_like(vectors)
            changes = jacobian.times(vectors)
            (curved,) = torch.autograd.grad(slope, logits, changes, retain_graph=True)
            return jacobian.transposed_times(curved)

        return multiply

    return mean_operator(risk, make)
