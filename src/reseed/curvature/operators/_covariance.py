"""The covariance of the gradients of single samples, matrix-free."""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor

from reseed._errors import InputError
from reseed.curvature.operators._batches import Batch
from reseed.curvature.operators._kept import Multiply, mean_operator
from reseed.curvature.operators._linearised import Linearised
from reseed.curvature.operators._losses import sample_losses
from reseed.curvature.operators._operator import CurvatureOperator
from reseed.curvature.operators._risk import EmpiricalRisk, check_finite
from reseed.curvature.operators._second_derivatives import check_second_derivatives


def gradient_covariance(risk: EmpiricalRisk, *, centred: bool = True) -> CurvatureOperator:
    """Return the covariance of the gradients of single samples, of each run.

        C = mean over samples i of g_i g_i' - g g',   g = mean over samples i of g_i

    where g_i is the gradient of the loss of sample i. Not centred, without g g', it is the empirical Fisher. Divided by
    the batch size it is the covariance of the noise of a stochastic gradient.

    Args:
        risk: See `empirical_risk`; a loss that is a function is asked about each sample as a batch of one.
        centred: Whether g g' is taken off.

    Returns:
        See `CurvatureOperator`; it has no negative eigenvalues, up to rounding.

    Raises:
        InputError: As of `hessian`.

    Examples:
        >>> from reseed.curvature import empirical_risk
        >>> risk = empirical_risk(torch.nn.Linear(3, 4), torch.rand(10, 3), torch.arange(10) % 4)
        >>> outer = gradient_covariance(risk, centred=False).dense() - gradient_covariance(risk).dense()
        >>> gradient = risk.gradient()[0]
        >>> torch.allclose(outer[0], gradient.outer(gradient), atol=1e-6)
        True
    """

    def make(runs: slice, batch: Batch) -> Multiply:
        with torch.enable_grad():
            weights = risk.weights[runs].clone().requires_grad_()
            losses = sample_losses(risk.loss, risk.outputs(weights, runs, batch), batch.targets)
            check_finite(losses, runs, "loss")
            if not losses.requires_grad:
                raise InputError(
                    "loss does not depend on the weights; pass a loss of the network's outputs that is not detached."
                )
            jacobian = Linearised(losses, weights)
        check_second_derivatives(jacobian.pulled, risk.function.module, batch.inputs)

        def multiply(vectors: Tensor) -> Tensor:
            slopes = jacobian.times(vectors)
            return jacobian.transposed_times(slopes / slopes.shape[1])

        return multiply

    operator = mean_operator(risk, make)
    if not centred:
        return operator
    mean = risk.gradient()

    def centred_product(vectors: Tensor) -> Tensor:
        along = (mean * vectors).sum(1, keepdim=True)
        return operator.multiply(vectors) - mean * along

    return dataclasses.replace(operator, multiply=centred_product)
