"""Attacks of the Adversarial Robustness Toolbox (ART)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import torch

from reseed._errors import InputError, InputTypeError, MissingExtraError
from reseed.perturbations.attacks.libraries._foreign import AbstractForeign, ForeignTask

Factory = Callable[[Any, float], Any]


@dataclass(frozen=True)
class Art(AbstractForeign):
    """An attack of ART; see `from_art`.

    Attributes:
        factory: A classifier of ART and the budget to an attack.
    """

    factory: Factory = field(kw_only=True)

    def changed(self, task: ForeignTask) -> Any:
        """Make a classifier and the attack, and ask it.

        Raises:
            MissingExtraError: ART is not installed.
            InputError: The attack is targeted and there is no goal, or the other way round.
        """
        try:
            from art.estimators.classification import PyTorchClassifier
        except ImportError as error:
            raise MissingExtraError("attacks of ART need it: pip install 'reseed[attacks]'.") from error
        classifier = PyTorchClassifier(
            model=task.module,
            loss=torch.nn.CrossEntropyLoss(),
            input_shape=tuple(task.inputs.shape[1:]),
            nb_classes=task.classes,
            clip_values=task.bounds,
            device_type="gpu" if task.inputs.device.type == "cuda" else "cpu",
        )
        attack = self.factory(classifier, task.budget.epsilon)
        is_targeted = bool(getattr(attack, "targeted", False))
        if is_targeted != (task.goal is not None):
            raise InputError(
                f"{self.name} of ART {'is' if is_targeted else 'is not'} targeted, and goal is "
                f"{'not ' if task.goal is None else ''}given; let both agree."
            )
        wanted = task.targets if task.goal is None else task.goal
        return attack.generate(x=task.inputs.cpu().numpy(), y=wanted.cpu().numpy())


@final
@dataclass(frozen=True)
class BlindArt(Art):
    """One that needs no gradients."""

    needs_gradients: ClassVar[bool] = False


def from_art(factory: Factory, *, name: str | None = None, needs_gradients: bool = True) -> Art:
    """Return an attack of the Adversarial Robustness Toolbox as one of ours; needs the extra ``attacks``.

    ART's attacks are made for one classifier with a budget of their own, so this takes a function that makes one. It is
    called for the network of each run; see `foreign` for what becomes of the changed inputs.

    Args:
        factory: Called with a ``PyTorchClassifier`` and the budget; returns an attack, as in
            ``lambda classifier, epsilon: ProjectedGradientDescent(classifier, eps=epsilon, verbose=False)``.
        name: What tables call it; default: the name of the function, ``"art"`` for one without.
        needs_gradients: Whether it is a white-box attack.

    Raises:
        InputTypeError: It cannot be called.
    """
    if not callable(factory):
        raise InputTypeError(
            f"factory must be called with a classifier and the budget and return an attack of ART, got a "
            f"{type(factory).__name__}."
        )
    own = getattr(factory, "__name__", "art")
    return (Art if needs_gradients else BlindArt)(name or ("art" if own == "<lambda>" else own), factory=factory)
