"""What an optimiser divides its steps by, read from its state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from reseed._errors import InputError
from reseed.curvature.stability._updates import (
    Rule,
    Update,
    decays_apart,
    folds_of,
    trained_parameters,
    updates_of,
)


def preconditioner(
    optimizer: torch.optim.Optimizer,
    parameters: Iterable[nn.Parameter] | None = None,
    *,
    rule: Rule = "optimizer",
    bias_correction: bool = True,
    first_moment_bias: bool = False,
) -> Tensor:
    """Return what an optimiser divides its steps by, the diagonal of P in theta <- theta - lr P^-1 m.

        SGD               1
        Adam, AdamW       sqrt(v / (1 - beta2^t)) + eps     with v of the largest so far for AMSGrad
        RMSprop           sqrt(v) + eps                     centred: sqrt(v - mean^2) + eps
        Adagrad           sqrt(sum of g^2) + eps

    as they are after the t steps that were made. Where parameter groups differ, in their learning rates for instance,
    P is multiplied with a factor for each, see `stability_threshold`.

    Args:
        optimizer: SGD, Adam, AdamW, RMSprop or Adagrad of torch.
        parameters: The order of what is returned, such as ``model.parameters()``; those without gradients are left
            out. Default: the optimiser's own order.
        rule: That of the threshold that it goes with.
        bias_correction: Whether Adam's v is divided by 1 - beta2^t, as Adam does.
        first_moment_bias: Whether P is multiplied with 1 - beta1^t too, by which Adam divides m; it is 1 after many
            steps.

    Returns:
        P, [parameter], each weight one number, on the device and in the precision of the weights.

    Raises:
        InputError: The optimiser has made no step, or does not train one of the parameters, or P has zeros or numbers
            that are not finite; or see `stability_threshold`.
        InputTypeError: Of this optimiser no preconditioner is known.

    Examples:
        >>> weights = nn.Parameter(torch.tensor([3.0, -4.0]))
        >>> adam = torch.optim.Adam([weights], lr=0.1)
        >>> weights.square().sum().backward()
        >>> adam.step()
        >>> [round(each) for each in preconditioner(adam).tolist()]  # after one step the size of the gradient
        [6, 8]

    References:
        Cohen et al., "Adaptive Gradient Methods at the Edge of Stability", 2022, arXiv 2207.14484.
    """
    parts = []
    for number, (parameter, group, update, fold) in enumerate(_moved(optimizer, parameters, rule)):
        place = f"parameter {number} {list(parameter.shape)}"
        values = _divisor(optimizer, group, parameter, update, place, bias_correction, first_moment_bias)
        if fold != 1.0:
            values = values * fold
        _check_positive(values, place)
        parts.append(values.detach().reshape(-1))
    return torch.cat(parts)


def l2_decays(optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter], rule: Rule) -> Tensor:
    """Return the L2 term of each weight, [parameter], as far as the threshold does not hold it; else zeros."""
    moved = _moved(optimizer, parameters, rule)
    is_apart = decays_apart(updates_of(optimizer, rule))
    return torch.cat(
        [torch.full_like(each, update.decay if is_apart else 0.0).reshape(-1) for each, _, update, _ in moved]
    ).detach()


def _moved(
    optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter] | None, rule: Rule
) -> list[tuple[nn.Parameter, Mapping[str, Any], Update, float]]:
    """Return parameters in order, each with its group, how that moves, and what its preconditioner is multiplied with.

    Raises:
        InputError: The optimiser does not train one of them, or there are none.
    """
    updates = updates_of(optimizer, rule)
    own = {
        parameter: (parameter, group, update, fold)
        for group, update, fold in zip(optimizer.param_groups, updates, folds_of(updates), strict=True)
        for parameter in trained_parameters(group)
    }
    wanted = [each for each in (own if parameters is None else parameters) if each.requires_grad]
    if not wanted:
        raise InputError("optimizer trains no parameters; pass one whose parameters have requires_grad=True.")
    for number, parameter in enumerate(wanted):
        if parameter not in own:
            raise InputError(
                f"parameter {number} {list(parameter.shape)} is none that the optimizer trains; pass the optimizer of "
                "this model, or set its requires_grad to False."
            )
    return [own[parameter] for parameter in wanted]


def _divisor(
    optimizer: torch.optim.Optimizer,
    group: Mapping[str, Any],
    parameter: nn.Parameter,
    update: Update,
    place: str,
    bias_correction: bool,
    first_moment_bias: bool,
) -> Tensor:
    if not update.adaptive:
        return torch.ones_like(parameter)
    state = optimizer.state.get(parameter, {})
    steps = int(state.get("step", 0))
    if not steps:
        raise InputError(
            f"optimizer has made no step with {place}, so that {type(optimizer).__name__} has no preconditioner yet; "
            "call optimizer.step() first, or ask for the plain sharpness."
        )
    if isinstance(optimizer, torch.optim.Adagrad):
        squares: Tensor = state["sum"]
    elif isinstance(optimizer, torch.optim.RMSprop):
        squares = state["square_avg"] - (state["grad_avg"].square() if group["centered"] else 0.0)
    else:
        squares = state["max_exp_avg_sq" if group["amsgrad"] else "exp_avg_sq"]
        if bias_correction:
            squares = squares / (1 - float(group["betas"][1]) ** steps)
    found = squares.sqrt() + float(group["eps"])
    if first_moment_bias and "betas" in group:
        found = found * (1 - float(group["betas"][0]) ** steps)
    return found


def _check_positive(values: Tensor, place: str) -> None:
    wrong = ~((values > 0) & values.isfinite())
    if bool(wrong.any()):
        first = values[wrong][0].item()
        raise InputError(
            f"the preconditioner is {first:g} for {int(wrong.sum())} of {values.numel()} weights of {place}, and must "
            "be a finite number above 0; give the optimizer an eps above 0, leave out weights without gradients or "
            "with a rate of 0 by requires_grad=False, or stop before training diverges."
        )
