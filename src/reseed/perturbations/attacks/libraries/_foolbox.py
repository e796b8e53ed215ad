"""Attacks of foolbox."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, ClassVar, final
from warnings import catch_warnings, filterwarnings

from reseed._errors import InputError, InputTypeError, MissingExtraError
from reseed.perturbations.attacks.core._budget import Norm
from reseed.perturbations.attacks.libraries._foreign import AbstractForeign, ForeignTask

_NORMS: dict[float, Norm] = {math.inf: "inf", 2.0: "2", 1.0: "1"}


@dataclass(frozen=True)
class Foolbox(AbstractForeign):
    """An attack of foolbox; see `from_foolbox`.

    Attributes:
        attack: The object.
    """

    attack: Any = field(kw_only=True)

    def check(self, norm: str, seed: int) -> None:
        """Accept the norm that the attack itself measures by.

        Raises:
            InputError: It is another, or the seed is none.
        """
        super().check(norm, seed)
        try:
            measured = getattr(getattr(self.attack, "distance", None), "p", None)
        except ValueError:  # one that knows no distance until it is told
            measured = None
        own = norm if measured is None else _NORMS.get(measured, "another")
        if own != norm:
            raise InputError(f"norm must be {own!r}, by which {self.name} of foolbox measures, got {norm!r}.")

    def changed(self, task: ForeignTask) -> Any:
        """Ask it, with the budget and the bounds of the task.

        Raises:
            MissingExtraError: foolbox is not installed.
        """
        try:
            with catch_warnings():
                filterwarnings("ignore", category=DeprecationWarning)  # of what it imports itself
                foolbox = import_module("foolbox")  # its types name less than it has
        except ImportError as error:
            raise MissingExtraError("attacks of foolbox need it: pip install 'reseed[attacks]'.") from error
        model = foolbox.PyTorchModel(task.module, bounds=task.bounds, device=task.inputs.device)
        criterion = (
            foolbox.criteria.Misclassification(task.targets)
            if task.goal is None
            else foolbox.criteria.TargetedMisclassification(task.goal)
        )
        _, clipped, _ = self.attack(model, task.inputs, criterion, epsilons=task.budget.epsilon)
        return clipped


@final
@dataclass(frozen=True)
class BlindFoolbox(Foolbox):
    """One that needs no gradients."""

    needs_gradients: ClassVar[bool] = False


def from_foolbox(attack: Any, *, name: str | None = None, needs_gradients: bool = True) -> Foolbox:
    """Return an attack of foolbox as one of ours; needs the extra ``attacks``.

    It is run with our budget, with bounds that hold all allowed inputs, on the network of each run; see `foreign` for
    what becomes of the changed inputs.

    Args:
        attack: An object such as ``foolbox.attacks.LinfPGD(steps=50)``.
        name: What tables call it; default: the name of its class.
        needs_gradients: Whether it is a white-box attack; foolbox itself does not say.

    Raises:
        InputTypeError: It is a class, or cannot be called.
    """
    if isinstance(attack, type) or not callable(attack):
        raise InputTypeError(f"attack must be an object of foolbox, such as LinfPGD(steps=50), got {attack!r}.")
    return (Foolbox if needs_gradients else BlindFoolbox)(name or type(attack).__name__, attack=attack)
