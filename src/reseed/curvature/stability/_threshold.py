"""The largest curvature that an optimiser bears."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from reseed._arrays import ArrayLike, Result, give_back, to_numpy, undefined
from reseed._errors import InputError
from reseed.curvature.stability._updates import Optimizer, Rule, decays_apart, is_preconditioned, updates_of


@final
@dataclass(frozen=True)
class StabilityThreshold:
    """The largest curvature at which an optimiser does not diverge on a fixed quadratic.

    Attributes:
        value: The threshold; infinite at a learning rate of zero.
        formula: How it comes about, in the optimiser's own words.
        rule: The rule that was asked for.
        preconditioned: Whose threshold it is: that of `preconditioned_sharpness` if true, else that of `sharpness`.
    """

    value: float
    formula: str
    rule: Rule
    preconditioned: bool

    def __float__(self) -> float:
        return self.value


def stability_threshold(optimizer: Optimizer, *, rule: Rule = "optimizer") -> StabilityThreshold:
    """Return the largest curvature at which an optimiser does not diverge on a fixed quadratic.

    ========================  ======================================  ==============================================
    update                    torch                                   threshold
    ========================  ======================================  ==============================================
    gradient descent          SGD(lr)                                 2 / lr
    heavy ball                SGD(lr, momentum)                       2 (1 + momentum) / lr
    Nesterov                  SGD(lr, momentum, nesterov=True)        2 (1 + momentum) / (lr (1 + 2 momentum))
    averaged gradients        SGD(lr, momentum, dampening)            2 (1 + momentum) / (lr (1 - dampening))
    Adam, AMSGrad             Adam(lr, betas)                         2 (1 + beta1) / (lr (1 - beta1)) of P^-1 H
    RMSprop                   RMSprop(lr, momentum)                   2 (1 + momentum) / lr of P^-1 H
    Adagrad                   Adagrad(lr, lr_decay)                   2 / lr of P^-1 H, at the rate of the next step
    ========================  ======================================  ==============================================

    Weight decay as an L2 term, k, adds k to the curvature: the threshold of SGD is smaller by k. In front of a
    preconditioner it is no number that one could subtract, and `preconditioned_sharpness` is that of P^-1 (H + k).
    Decoupled weight decay (AdamW, and sgdw of a recipe) multiplies the threshold with 1 - lr k / 2.

    Of several parameter groups the threshold is the smallest of theirs, and the preconditioner of a group is multiplied
    with its own threshold over that one, which is exact for whatever they differ in but Nesterov's momentum. Where they
    differ in the rate only, ``P`` is multiplied with the largest rate over the group's own.

    Momentum is what makes the rule "2/lr", that of gradient descent, raise false alarms: with 0.9 of it a network
    trains well at nearly twice that curvature.

    Args:
        optimizer: An optimiser of torch (SGD, Adam, AdamW, RMSprop or Adagrad), or a recipe or its optimiser's
            settings, at their peak rate.
        rule: ``"optimizer"``, the table; ``"2/lr"``, what papers often draw, as if there were neither momentum nor
            weight decay.

    Returns:
        The threshold, and whose it is.

    Raises:
        InputError: The rule is unknown; or the optimiser ascends, has a momentum that is stable nowhere, or groups that
            differ in Nesterov's momentum.
        InputTypeError: The optimiser is none of those.

    Examples:
        >>> import torch
        >>> weights = [torch.nn.Parameter(torch.zeros(3))]
        >>> stability_threshold(torch.optim.SGD(weights, lr=0.5)).value
        4.0
        >>> found = stability_threshold(torch.optim.SGD(weights, lr=0.1, momentum=0.9, weight_decay=0.01))
        >>> round(found.value, 9), found.formula, found.preconditioned
        (37.99, '2 (1 + momentum) / lr - weight_decay', False)
        >>> found = stability_threshold(torch.optim.Adam(weights, lr=0.001))
        >>> round(found.value), found.formula, found.preconditioned
        (38000, '2 (1 + beta1) / (lr (1 - beta1))', True)

    References:
        Gilmer et al., "A Loss Curvature Perspective on Training Instability in Deep Learning", 2021, arXiv 2110.04369;
        Cohen et al., "Adaptive Gradient Methods at the Edge of Stability", 2022, arXiv 2207.14484.
    """
    updates = updates_of(optimizer, rule)
    lowest = min(updates, key=lambda update: update.edge)
    value, formula = lowest.edge, lowest.formula
    if lowest.decay and not decays_apart(updates):
        value, formula = value - lowest.decay, f"{formula} - weight_decay"
    return StabilityThreshold(value, formula, rule, is_preconditioned(updates))


def normalised_sharpness(sharpness: ArrayLike, threshold: ArrayLike | StabilityThreshold) -> Result:
    """Return how much of the curvature that an optimiser bears there is: 1 is the edge, above it training may diverge.

        sharpness / threshold

    Args:
        sharpness: Of any shape; `sharpness` or `preconditioned_sharpness`, as the threshold says.
        threshold: Of a shape that fits; see `stability_threshold`.

    Returns:
        A float or an array; a tensor where ``sharpness`` is one. NaN, with a warning, where the threshold is not above
        zero, so that the optimiser bears no curvature at all.

    Raises:
        InputError: Something is no number, or the shapes do not fit.

    Examples:
        >>> normalised_sharpness([10.0, 5.0], 20.0)
        array([0.5 , 0.25])
    """
    bound = threshold.value if isinstance(threshold, StabilityThreshold) else threshold
    above, below = to_numpy(sharpness, "sharpness"), to_numpy(bound, "threshold")
    for name, values in (("sharpness", above), ("threshold", below)):
        if values.dtype.kind not in "iuf":
            raise InputError(f"{name} must hold numbers, got {values.dtype}; pass floating-point values.")
    try:
        above, below = np.broadcast_arrays(above.astype(np.float64), below.astype(np.float64))
    except ValueError as error:
        raise InputError(
            f"sharpness is {list(above.shape)} but threshold is {list(below.shape)}; pass one threshold for all, or "
            "one for each."
        ) from error
    if (below <= 0).any():
        undefined("threshold is not above zero everywhere: there the optimiser bears no curvature, and this is NaN.")
    found = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    return give_back(found, sharpness)
