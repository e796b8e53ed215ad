"""Attacks of others: what they return is put into the budget and judged by asking the model ourselves."""

from __future__ import annotations

import random
from abc import abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar, final
from warnings import warn

import numpy as np
import torch
from torch import Tensor, nn

from reseed._arrays import to_numpy
from reseed._errors import InputError, InputTypeError
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._budget import Budget
from reseed.perturbations.attacks.core._hunt import Hunt

_OVER = 1e-4  # of the budget: by how much rounding may leave it, after which it is put back
_ROUNDING = 1e-6

Changing = Callable[[Any, Tensor, Tensor], Any]


@final
@dataclass(frozen=True, eq=False)
class ForeignTask:
    """What a foreign attack is asked to do: one network, and the items that are left of its run.

    Attributes:
        model: Inputs [item, ...] to logits [item, class]; a module is a copy, which may be changed.
        inputs: [item, ...].
        targets: The right answers, [item].
        goal: The answers wanted, [item], or None.
        budget: Where changed inputs may lie.
        classes: How many there are.
        seed: Of what is drawn; torch, numpy and random are seeded with it, too.
    """

    model: Callable[[Tensor], Tensor]
    inputs: Tensor
    targets: Tensor
    goal: Tensor | None
    budget: Budget
    classes: int
    seed: int

    @property
    def module(self) -> nn.Module:
        """The model as a module."""
        return self.model if isinstance(self.model, nn.Module) else _Called(self.model)

    @property
    def bounds(self) -> tuple[float, float]:
        """Two numbers between which all allowed inputs lie."""
        budget, reach = self.budget, self.budget.epsilon
        low = torch.where(budget.lower.isfinite(), budget.lower, self.inputs - reach)
        high = torch.where(budget.upper.isfinite(), budget.upper, self.inputs + reach)
        return float(low.min()), float(high.max())


@dataclass(frozen=True)
class AbstractForeign(AbstractAttack):
    """An attack that is asked as a whole, run after run. Its steps and queries are not known; our own are counted.

    Subclasses write `changed`.

    Attributes:
        title: What tables call it.
    """

    title: str = "foreign"

    @property
    def name(self) -> str:
        """What tables call it."""
        return self.title

    @abstractmethod
    def changed(self, task: ForeignTask) -> Any:
        """Return changed inputs, [item, ...]."""

    @final
    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Ask for changed inputs, and the model about them."""
        points = hunt.clean.clone()
        for run in torch.unique(hunt.items.runs).tolist():
            rows = (hunt.items.runs == run).nonzero().flatten()
            items = hunt.items.of(rows)
            inputs = hunt.clean[rows]
            task = ForeignTask(
                hunt.alone(run), inputs.clone(), items.targets, items.goal, hunt.budget.of(rows), hunt.classes, seed
            )
            with _seeded(seed, inputs.device), torch.enable_grad():
                found = self.changed(task)
            points[rows] = self._counted(_like(found, inputs, self.name), task.budget)
        hunt.look(points)

    def _counted(self, points: Tensor, budget: Budget) -> Tensor:
        """Return points inside the budget, and the clean ones instead of those that were further out than by rounding.

        Args:
            points: What was returned, [item, ...].
            budget: Of them.
        """
        finite = points.isfinite()
        inside = budget.project(torch.where(finite, points, budget.clean))
        slack = _OVER * min(budget.epsilon, 1e6) + _ROUNDING * budget.clean.abs().amax()
        is_outside = (~finite | ((points - inside).abs() > slack)).flatten(1).any(1)
        if bool(is_outside.any()):
            warn(
                f"{self.name} returned {int(is_outside.sum())} of {len(points)} inputs outside the budget (norm "
                f"{budget.norm!r}, epsilon {budget.epsilon:g}), the bounds or the features that may change; they do "
                "not count. Give it the same budget and bounds.",
                RuntimeWarning,
                stacklevel=2,
            )
        return torch.where(is_outside.view(-1, *[1] * (points.ndim - 1)), budget.clean, inside)


@dataclass(frozen=True)
class Foreign(AbstractForeign):
    """A function of others as an attack; see `foreign`.

    Attributes:
        function: Model, inputs and targets to changed inputs.
    """

    function: Changing = field(kw_only=True)

    def changed(self, task: ForeignTask) -> Any:
        """Call it.

        Raises:
            InputError: There is a goal, of which it can know nothing.
        """
        if task.goal is not None:
            raise InputError(f"goal is given, of which the function {self.name} knows nothing; leave it out.")
        return self.function(task.model, task.inputs, task.targets)


@final
@dataclass(frozen=True)
class BlindForeign(Foreign):
    """One that needs no gradients."""

    needs_gradients: ClassVar[bool] = False


def foreign(function: Changing, *, name: str | None = None, needs_gradients: bool = True) -> Foreign:
    """Return a function of others as an attack, for `AttackSuite` or to be called alone.

    What it returns is put into the budget and the bounds where rounding left them; inputs further outside do not
    count, which a warning tells. Whether an answer became wrong is found by asking the model. Its own steps and
    queries are not known: one of each is counted.

    Args:
        function: Called with a network, inputs [item, ...] and the right answers [item]; returns changed inputs of
            the same shape, as a tensor or an array. Of `Networks` it is called for each run, with a module that is a
            copy. Whatever it draws from torch, numpy or random is fixed by the attack's seed.
        name: What tables call it; default: the function's own name.
        needs_gradients: Whether it is a white-box attack.

    Raises:
        InputTypeError: It cannot be called.

    Examples:
        >>> def brighter(model, inputs, targets):
        ...     return (inputs + 0.1).clamp(0, 1)
        >>> attack = foreign(brighter, needs_gradients=False)
        >>> network = torch.nn.Linear(4, 3).eval()
        >>> found = attack(network, torch.rand(8, 4), torch.zeros(8, dtype=torch.int64), epsilon=0.1)
        >>> attack.name, bool((found.distance < 0.1001).all())
        ('brighter', True)
    """
    if not callable(function):
        raise InputTypeError(
            f"function must be called with a model, inputs and targets, got a {type(function).__name__}."
        )
    title = name or str(getattr(function, "__name__", type(function).__name__))
    return (Foreign if needs_gradients else BlindForeign)(title, function=function)


@final
class _Called(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function
        self.eval()

    def forward(self, x: Tensor) -> Tensor:
        logits: Tensor = self.function(x)
        return logits


def _like(found: Any, inputs: Tensor, name: str) -> Tensor:
    """Return changed inputs as a tensor of the same kind.

    Raises:
        InputTypeError: They are no numbers.
        InputError: They are of another shape.
    """
    if not isinstance(found, Tensor):
        array = to_numpy(found, f"what {name} returned")
        if array.dtype.kind not in "iuf":
            raise InputTypeError(f"{name} returned {array.dtype}; it must return changed inputs, one for each.")
        found = torch.from_numpy(np.ascontiguousarray(array))
    if found.shape != inputs.shape:
        raise InputError(
            f"{name} returned the shape {tuple(found.shape)} for inputs of {tuple(inputs.shape)}; it must return "
            "changed inputs, one for each."
        )
    points: Tensor = found.detach().to(inputs.device, inputs.dtype)
    return points


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the global generators, which libraries draw from, and put them back."""
    before, numpy_before = random.getstate(), np.random.get_state()  # noqa: NPY002
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(before)
            np.random.set_state(numpy_before)  # noqa: NPY002
