"""What an optimiser does to a group of parameters, as far as its stability depends on it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias, final, get_args

import torch
from torch import nn

from reseed._errors import InputError, InputTypeError
from reseed.training import OptimizerConfig, Recipe

Rule: TypeAlias = Literal["optimizer", "2/lr"]
Optimizer: TypeAlias = torch.optim.Optimizer | OptimizerConfig | Recipe
_BETA1 = 0.9  # of Adam and AdamW in recipes, torch's default
_KNOWN = (torch.optim.SGD, torch.optim.Adam, torch.optim.AdamW, torch.optim.RMSprop, torch.optim.Adagrad)


@final
@dataclass(frozen=True)
class Update:
    """How the parameters of one group move on a fixed quadratic of curvature h, preconditioned by p.

        v <- b v + gain (h + k) x,   x <- (1 - lr d) x - lr v / p

    Attributes:
        rate: The learning rate.
        momentum: The share of the velocity that each step keeps, b.
        gain: The share of the gradient that enters it: 1 minus dampening, or 1 - beta1.
        nesterov: Whether the step is lr (g + b v).
        decay: Weight decay as an L2 term, k.
        shrinking: Decoupled weight decay, d.
        adaptive: Whether p is the optimiser's own.
        words: What the optimiser calls momentum and what takes away from the gain.
    """

    rate: float
    momentum: float = 0.0
    gain: float = 1.0
    nesterov: bool = False
    decay: float = 0.0
    shrinking: float = 0.0
    adaptive: bool = False
    words: tuple[str, str] = ("momentum", "dampening")

    @property
    def edge(self) -> float:
        """The largest (h + k) / p at which this does not diverge.

        From there on a root of the characteristic polynomial, z^2 - (1 + b - lr d - lr gain (h + k) / p) z
        + b (1 - lr d), lies beyond -1.
        """
        if self.rate == 0:
            return math.inf
        top = (1 + self.momentum) * (2 - self.rate * self.shrinking)
        return top / (self.rate * (1 + 2 * self.momentum if self.nesterov else self.gain))

    @property
    def formula(self) -> str:
        """The edge in words."""
        momentum, taken = self.words
        top = "2" if not self.shrinking else "(2 - lr weight_decay)"
        if self.momentum:
            top += f" (1 + {momentum})"
        if self.nesterov:
            return f"{top} / (lr (1 + 2 {momentum}))"
        return f"{top} / lr" if self.gain == 1 else f"{top} / (lr (1 - {taken}))"


def updates_of(optimizer: Optimizer, rule: Rule) -> tuple[Update, ...]:
    """Return how each group of parameters moves; by the rule "2/lr" as if by gradient descent without more.

    Raises:
        InputError: The rule is unknown, the optimiser ascends, or its momentum is none that a threshold is known for.
        InputTypeError: No threshold of this optimiser is known.
    """
    if rule not in get_args(Rule):
        raise InputError(f"rule must be 'optimizer' or '2/lr', got {rule!r}.")
    if isinstance(optimizer, Recipe | OptimizerConfig):
        config = optimizer.optimizer if isinstance(optimizer, Recipe) else optimizer
        found: tuple[Update, ...] = (_of_config(config),)
    elif type(optimizer) in _KNOWN:  # a class derived from one of them may do something else
        found = tuple(_of_group(optimizer, group) for group in optimizer.param_groups)
    else:
        known = ", ".join(kind.__name__ for kind in _KNOWN)
        raise InputTypeError(
            f"optimizer is a {type(optimizer).__name__}, of which no threshold of stability is known; those of "
            f"torch.optim's {known} are, and of a recipe's optimizer."
        )
    if rule == "2/lr":
        return tuple(Update(update.rate, adaptive=update.adaptive) for update in found)
    if len({(update.nesterov, update.momentum) for update in found if update.nesterov}) > 1 or (
        len({update.nesterov for update in found}) > 1
    ):
        raise InputError(
            "optimizer has groups that differ in Nesterov's momentum, of which no common threshold is known; give them "
            "one momentum, or pass rule='2/lr'."
        )
    return found


def trained_parameters(group: Mapping[str, Any]) -> list[nn.Parameter]:
    """Return the parameters of a group that are trained."""
    return [parameter for parameter in group["params"] if parameter.requires_grad]


def folds_of(updates: tuple[Update, ...]) -> list[float]:
    """Return what each group's preconditioner is multiplied with, so that one threshold, the smallest, is that of all.

        fold_i = edge_i / min_j edge_j,   where the groups differ in their rates alone   max_j lr_j / lr_i

    On a quadratic this is exact: with D = 1 - lr d, E = lr gain / p and B = b the polynomial is
    (1/E) (z^2 - (D + B) z + B D) + (H + K) z, all its matrices are symmetric, and so the quotient of any vector with
    itself is stable if and only if (H + K) < (1 + B) (1 + D) / E.
    """
    least = min(update.edge for update in updates)
    return [1.0 if update.edge == least else update.edge / least for update in updates]


def decays_apart(updates: tuple[Update, ...]) -> bool:
    """Whether the L2 term cannot be subtracted from the threshold, as it changes the preconditioned Hessian's shape."""
    return any(update.decay for update in updates) and is_preconditioned(updates)


def is_preconditioned(updates: tuple[Update, ...]) -> bool:
    """Whether the threshold is that of a preconditioned Hessian: of adaptive methods, and of groups that differ."""
    first = updates[0]
    return first.adaptive or any((update.edge, update.decay) != (first.edge, first.decay) for update in updates)


def _of_config(config: OptimizerConfig) -> Update:
    if config.name in ("sgd", "sgdw"):
        found = Update(config.lr, config.momentum)
    else:
        found = Update(config.lr, _BETA1, 1 - _BETA1, adaptive=True, words=("beta1", "beta1"))
    return _decaying(found, config.weight_decay, decoupled=config.name in ("sgdw", "adamw"))


def _decaying(update: Update, decay: float, *, decoupled: bool) -> Update:
    return replace(update, shrinking=decay) if decoupled else replace(update, decay=decay)


def _of_group(optimizer: torch.optim.Optimizer, group: Mapping[str, Any]) -> Update:
    if group["maximize"]:
        raise InputError("optimizer has maximize=True: ascent has no threshold; negate the loss and descend.")
    rate, decay = float(group["lr"]), float(group["weight_decay"])
    if isinstance(optimizer, torch.optim.SGD):
        momentum = float(group["momentum"])
        gain = 1.0 - float(group["dampening"]) if momentum else 1.0  # torch dampens nothing without momentum
        found = Update(rate, momentum, gain, bool(group["nesterov"]), decay)
    elif isinstance(optimizer, torch.optim.Adam | torch.optim.AdamW):
        beta = float(group["betas"][0])
        decoupled = isinstance(optimizer, torch.optim.AdamW) or group.get("decoupled_weight_decay", False)
        found = Update(rate, beta, 1 - beta, adaptive=True, words=("beta1", "beta1"))
        found = _decaying(found, decay, decoupled=decoupled)
    elif isinstance(optimizer, torch.optim.RMSprop):
        found = Update(rate, float(group["momentum"]), decay=decay, adaptive=True)
    else:
        done = max((int(optimizer.state[each]["step"]) for each in group["params"]), default=0)
        found = Update(rate / (1 + done * float(group["lr_decay"])), decay=decay, adaptive=True)
    if not (0 <= found.momentum < 1 and found.gain > 0):
        raise InputError(
            f"optimizer has momentum {found.momentum:g} and dampening {1 - found.gain:g}, with which it is stable at "
            "no curvature; both must be below 1."
        )
    return found
