"""Initial weights of residual networks without normalisation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, final

import torch
from torch import nn

from reseed._arguments import recipe_field
from reseed._errors import RecipeError
from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation, Beginning
from reseed.models import residual_branches


@final
@dataclass(frozen=True)
class Fixup(AbstractMitigation):
    """Fixup: residual branches begin at 0 and grow alike, however many there are.

        W = L^(-1 / (2 m - 2)) w_0      weights inside a residual branch, of L branches with m layers each
        W = 0                           last layer of each branch, last layer of the network, all biases
        w_0' = share W + (1 - share) w_0

    Layers outside of branches keep what is drawn for them. For resnet without normalisation (``model.norm`` none),
    whose branches have two layers each.

    Use it when: a residual network is to do without normalisation, which otherwise keeps the sum of many branches from
    growing with their number.
    Cost: one training, one network at inference.
    Beware: of the paper it has the weights and not the scalars: the multiplier of each branch would be a parameter that
    the model does not have, and the scalar biases are left to those of the convolutions, one a channel. Teachers begin
    without it.

    References:
        Zhang, Dauphin and Ma, "Fixup Initialization: Residual Learning Without Normalization", ICLR 2019.

    Examples:
        >>> from reseed.mitigations import parse_mitigations
        >>> from reseed.models import ModelConfig
        >>> from reseed.training import Recipe, mitigated
        >>> mitigated(Recipe(model=ModelConfig("resnet", norm="none")), parse_mitigations("fixup")).mitigations
        (Fixup(share=1.0),)
    """

    name: ClassVar[str] = "fixup"
    prepares: ClassVar[bool] = True

    share: float = 1.0
    """Of its weights; the rest is what is drawn. 0 is the control."""

    def __post_init__(self) -> None:
        check_option(self, "share", 0 <= self.share <= 1, "a number in [0, 1]")

    @property
    def is_active(self) -> bool:
        """Whether initial weights are others."""
        return self.share > 0

    def check_recipe(self, recipe: Mapping[str, Any]) -> None:
        """Accept a residual network without normalisation.

        Raises:
            RecipeError: The model has no residual branches, or its layers are normalised.
        """
        name, norm = recipe["model.name"], recipe["model.norm"]
        if name != "resnet":
            raise RecipeError(
                f"mitigation fixup is for residual branches, and model {name!r} has none that it knows; choose model "
                "resnet, or zero-init, metainit or init-scale in its place."
            )
        if norm != "none":
            raise RecipeError(
                f"mitigation fixup is for networks without normalisation, and {recipe_field('model.norm')} is "
                f"{norm!r}, which undoes the scale of what it normalises; set it to none, or choose zero-init."
            )

    @torch.no_grad()
    def prepare(self, network: nn.Module, beginning: Beginning) -> None:
        """Scale the branches, and set what begins at 0."""
        branches = residual_branches(network)
        *_, head = (layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d))
        factors = {id(head.weight): 0.0}
        for *inner, last in branches:
            factors |= {id(layer.weight): len(branches) ** (-1 / (2 * len(inner))) for layer in inner}
            factors[id(last.weight)] = 0.0
        for name in beginning.drawn:
            parameter = network.get_parameter(name)
            factor = factors.get(id(parameter), 1.0) if parameter.ndim >= 2 else 0.0
            parameter.mul_(self.share * factor + 1 - self.share)
