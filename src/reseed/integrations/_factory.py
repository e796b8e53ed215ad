"""The function that makes a module for weights that are kept, tried out before the training begins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, final

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from reseed._errors import InputError
from reseed.integrations._untouched import bare, check_whole, untouched
from reseed.models import ModelConfig, architecture, draw_model, first_difference, tensors_of
from reseed.studies import is_factory
from reseed.training import EvaluatedWeights, RecordConfig, Weights, whole_weights

KeepWeights = bool | Literal["none", "final", "checkpoints"]

_FORM = "MODULE:FUNCTION, as in my_models:small_net, which is called with (input_shape, num_classes)"


@final
@dataclass(frozen=True)
class Factory:
    """A function that makes a module whose tensors are those of the module that is recorded.

    Args:
        name: Where it is, ``MODULE:FUNCTION``.
        input_shape: Shape of one sample, with which it is called.
        num_classes: Of the study, with which it is called.

    Raises:
        InputError: The name is of another form, or leads where no other program finds it.
    """

    name: str
    input_shape: tuple[int, ...]
    num_classes: int

    def __post_init__(self) -> None:
        if not is_factory(self.name):
            raise InputError(f"factory must be the name of a function, {_FORM}; got {self.name!r}.")
        if self.name.startswith("__main__:"):
            raise InputError(
                f"factory is {self.name!r}, which no other program can import; put the function into a module of its "
                f"own and name it {_FORM}."
            )

    @cached_property
    def tensors(self) -> Mapping[str, Tensor]:
        """What a fresh module has, by name, without the memory; it is made once, without a trace in random generators.

        Raises:
            InputError: The function cannot be imported or called, or leaves tensors without a shape.
        """
        with untouched():
            module = draw_model(architecture(ModelConfig(self.name)), self.input_shape, self.num_classes, 0)
        found = tensors_of(module)
        for name, tensor in found.items():
            if is_lazy(tensor):
                raise InputError(
                    f"factory {self.name!r} makes a module whose tensor {name!r} takes shape when it is first called; "
                    "call the module once in the function, with zeros of input_shape."
                )
        return {name: torch.empty_like(tensor, device="meta") for name, tensor in found.items()}

    @property
    def dtype(self) -> torch.dtype | None:
        """The floating type of the module's tensors; None where there are several or none."""
        types = {tensor.dtype for tensor in self.tensors.values() if tensor.is_floating_point()}
        return next(iter(types)) if len(types) == 1 else None

    def check(self, model: nn.Module | None) -> nn.Module:
        """Return the module that is recorded, if its tensors have the names, types and shapes of the function's.

        One whose parameters take shape when it is first called is accepted until then.

        Raises:
            InputError: They do not; the message names the first one that differs. Or the weights are sharded, or there
                is no module.
        """
        if model is None:
            raise InputError(
                "weights are kept of a module, and what is recorded is none: pass the torch.nn.Module, or a method of "
                "it, in place of predictions or a function of your own, or weights=False."
            )
        check_whole(model)
        model = bare(model)
        tensors = tensors_of(model)
        if any(map(is_lazy, tensors.values())):
            return model
        if difference := first_difference(tensors, self.tensors):
            name, there, made = difference
            raise InputError(
                f"factory {self.name!r}, called with input_shape={self.input_shape} and "
                f"num_classes={self.num_classes}, makes another module than the one that is recorded: tensor {name!r} "
                f"is {there} in that, and {made} in what the factory makes. Name the function that makes this module."
            )
        return model

    def weights_of(self, model: nn.Module | None) -> EvaluatedWeights:
        """Return copies of all tensors of a module that is recorded; see `check`."""
        return whole_weights(self.check(model))


def weights_word(weights: Any, factory: str | None) -> Weights:
    """Return which weights are kept, in the words of `RecordConfig`.

    Raises:
        InputError: It is none of the choices, or no factory is named.
    """
    words: dict[bool | str, Weights] = {True: "final", False: "none", "none": "none", "final": "final"}
    words["checkpoints"] = "checkpoints"
    if not isinstance(weights, bool | str) or weights not in words:
        raise InputError(f"weights must be True, False, 'none', 'final' or 'checkpoints', got {weights!r}.")
    if words[weights] == "none":
        return RecordConfig().weights  # so that the header is that of studies which keep none
    if factory is None:
        raise InputError(f"weights={weights!r} needs factory, the name of the function that makes the module: {_FORM}.")
    return words[weights]
