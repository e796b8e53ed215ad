"""What attacks make large, of each sample's logits; the larger, the nearer a wrong answer."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from torch import Tensor

from reseed._errors import InputError

Loss = Literal["cross_entropy", "margin", "dlr"]
LOSSES: tuple[Loss, ...] = get_args(Loss)


def check_loss(loss: str) -> None:
    """Accept the name of a loss.

    Raises:
        InputError: It is none.
    """
    if loss not in LOSSES:
        raise InputError(f"loss must be one of {', '.join(map(repr, LOSSES))}, got {loss!r}.")


def usable_loss(loss: Loss, classes: int, *, has_goal: bool) -> Loss:
    """Return the loss, or the margin where there are too few classes for the ratio of DLR."""
    needed = 4 if has_goal else 3
    return "margin" if loss == "dlr" and classes < needed else loss


def margin(logits: Tensor, targets: Tensor) -> Tensor:
    """Return max over j != y of z_j - z_y, [item]: positive where the answer is wrong.

    Examples:
        >>> margin(torch.tensor([[3.0, 1.0, 0.0], [0.0, 2.0, 1.0]]), torch.tensor([0, 2]))
        tensor([-2.,  1.])
    """
    own = logits.gather(1, targets[:, None])
    others = logits.scatter(1, targets[:, None], -torch.inf)
    return others.amax(1) - own[:, 0]


def value_of(loss: Loss, logits: Tensor, targets: Tensor, goal: Tensor | None) -> Tensor:
    """Return the loss of each sample, [item]; with a goal, that of an answer which is to become it.

    - ``cross_entropy``: -log softmax(z)_y; towards a goal t: log softmax(z)_t.
    - ``margin``: max over j != y of z_j - z_y; towards t: z_t - max over j != t of z_j.
    - ``dlr`` (Croce and Hein 2020): the margin over z_(1) - z_(3), the largest and the third largest logit, which
      neither the scale of the logits nor a constant changes; towards t: (z_t - z_y) / (z_(1) - (z_(3) + z_(4)) / 2).

    Args:
        loss: Which.
        logits: [item, class].
        targets: The right answers, [item].
        goal: The answers wanted, [item], or None.

    Examples:
        >>> z, y = torch.tensor([[3.0, 1.0, 0.0, -1.0]]), torch.tensor([0])
        >>> value_of("margin", z, y, None), value_of("dlr", z, y, None)
        (tensor([-2.]), tensor([-0.6667]))
        >>> value_of("dlr", z, y, torch.tensor([1]))
        tensor([-0.5714])
    """
    if loss == "cross_entropy":
        if goal is None:
            return torch.nn.functional.cross_entropy(logits, targets, reduction="none")
        return -torch.nn.functional.cross_entropy(logits, goal, reduction="none")
    if loss == "margin":
        return margin(logits, targets) if goal is None else -margin(logits, goal)
    ranked = logits.topk(3 if goal is None else 4, dim=1).values
    tiny = torch.finfo(logits.dtype).tiny
    if goal is None:
        return margin(logits, targets) / (ranked[:, 0] - ranked[:, 2]).clamp_min(tiny)
    own, wanted = (logits.gather(1, which[:, None])[:, 0] for which in (targets, goal))
    return (wanted - own) / (ranked[:, 0] - (ranked[:, 2] + ranked[:, 3]) / 2).clamp_min(tiny)
