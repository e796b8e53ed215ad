"""The Hessian of a mean loss, matrix-free."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed.curvature.operators._batches import Batch
from reseed.curvature.operators._kept import Multiply, mean_operator
from reseed.curvature.operators._operator import CurvatureOperator
from reseed.curvature.operators._risk import EmpiricalRisk
from reseed.curvature.operators._second_derivatives import check_second_derivatives


def hessian(risk: EmpiricalRisk) -> CurvatureOperator:
    """Return the Hessian of each run's mean loss.

        H v = d/dw <dL/dw, v>

    Reverse over reverse: the graph of the gradient is made once and kept between products, as far as a gibibyte
    reaches. Of networks with ReLU it is the Hessian almost everywhere. Rows of weights that are not used are 0.

    Args:
        risk: See `empirical_risk`.

    Returns:
        See `CurvatureOperator`; it is symmetric up to rounding, and indefinite in general.

    Raises:
        InputError: The loss is no scalar, is not finite, does not depend on the weights, or a layer has no second
            derivatives.

    Examples:
        The squared error of a linear network without bias has the Hessian 2 X'X / N, whatever the weights:

        >>> from reseed.curvature import empirical_risk
        >>> model, inputs = torch.nn.Linear(3, 1, bias=False), torch.rand(10, 3)
        >>> risk = empirical_risk(model, inputs, torch.rand(10, 1), loss="squared_error")
        >>> torch.allclose(hessian(risk).dense()[0], 2 * inputs.T @ inputs / 10, atol=1e-6)
        True

    References:
        Pearlmutter, *Fast Exact Multiplication by the Hessian*, Neural Computation 1994.
    """

    def make(runs: slice, batch: Batch) -> Multiply:
        weights, gradient = risk.slope(runs, batch, twice=True)
        check_second_derivatives(gradient, risk.function.module, batch.inputs)

        def multiply(vectors: Tensor) -> Tensor:
            if not gradient.requires_grad:  # the loss is linear in the weights
                return torch.zeros_like(vectors)
            (product,) = torch.autograd.grad(
                gradient, weights, vectors, retain_graph=True, allow_unused=True, materialize_grads=True
            )
            return product

        return multiply

    return mean_operator(risk, make)
