"""Which attacks are tried where nobody says which."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import fields
from typing import Literal, get_args

from reseed._errors import InputError
from reseed.perturbations.attacks.blind._square import Square
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._budget import Norm
from reseed.perturbations.attacks.core._losses import Loss
from reseed.perturbations.attacks.gradients._apgd import Apgd
from reseed.perturbations.attacks.gradients._deepfool import DeepFool
from reseed.perturbations.attacks.gradients._fgsm import Fgsm
from reseed.perturbations.attacks.gradients._pgd import Pgd
from reseed.perturbations.attacks.libraries._foreign import AbstractForeign

Effort = Literal["quick", "standard", "thorough"]
EFFORTS: tuple[Effort, ...] = get_args(Effort)


def check_effort(effort: str) -> None:
    """Accept the name of an effort.

    Raises:
        InputError: It is none.
    """
    if effort not in EFFORTS:
        raise InputError(f"effort must be one of {', '.join(map(repr, EFFORTS))}, got {effort!r}.")


def attacks_of(effort: Effort, norm: Norm, classes: int) -> tuple[AbstractAttack, ...]:
    """Return attacks, the cheap ones first and those without gradients last; those that have the norm.

    Args:
        effort: ``"quick"``, ``"standard"`` or ``"thorough"``.
        norm: Of the budget.
        classes: How many there are: below three the ratio of DLR is the margin.

    Examples:
        >>> [attack.name for attack in attacks_of("quick", "inf", 10)]
        ['Fgsm', 'Pgd']
    """
    ratio: Loss = "dlr" if classes > 2 else "margin"
    chosen: tuple[AbstractAttack, ...]
    match effort:
        case "quick":
            chosen = (Fgsm(), Pgd(steps=20))
        case "standard":
            chosen = (Fgsm(), Pgd(steps=40), Apgd(steps=40, loss="margin"), Square(steps=200))
        case "thorough":
            chosen = (
                Fgsm(),
                Apgd(),
                Apgd(loss=ratio),
                Pgd(steps=40, loss="margin", restarts=5),
                DeepFool(),
                Square(steps=2000),
            )
    return tuple(attack for attack in chosen if norm in attack.norms)


def is_one_step(attack: AbstractAttack) -> bool:
    """Tell whether an attack takes a single step along the gradient."""
    return isinstance(attack, Fgsm) or (isinstance(attack, Pgd) and attack.steps == 1)


def is_many(attack: AbstractAttack) -> bool:
    """Tell whether an attack takes many steps along gradients; of a foreign one that is not known."""
    return attack.needs_gradients and not is_one_step(attack) and not isinstance(attack, AbstractForeign)


def names_of(attacks: Sequence[AbstractAttack]) -> list[str]:
    """Return what to call each attack: its name, with the settings that are not its usual ones where two share it.

    Examples:
        >>> names_of([Fgsm(), Pgd(), Pgd(steps=20, loss="margin"), Pgd()])
        ['Fgsm', 'Pgd', "Pgd(steps=20, loss='margin')", 'Pgd (2)']
    """
    counts = Counter(attack.name for attack in attacks)
    names: list[str] = []
    for attack in attacks:
        unusual = [
            f"{each.name}={getattr(attack, each.name)!r}"
            for each in fields(attack)
            if each.repr and getattr(attack, each.name) != each.default
        ]
        name = attack.name
        if counts[name] > 1 and unusual:
            name += f"({', '.join(unusual)})"
        before = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({before + 1})" if before else name)
    return names
