"""The user's own model: `module:function`."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from torch import nn

from reseed._errors import ModelError
from reseed.data import Splits
from reseed.models._architecture import AbstractArchitecture, Prepared, tensor_inputs, tensor_prepared


@dataclass(frozen=True)
class UserModel(AbstractArchitecture):
    """`module:function`, called as ``function(input_shape, num_classes)``, returns a fresh ``torch.nn.Module``.

    Raises:
        ModelError: The function cannot be imported, or may not be, since a file names it.
    """

    _factory: Callable[..., Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.config.check_trusted()
        # Now and not in `build`: what the user's module draws while it is imported belongs to no run.
        object.__setattr__(self, "_factory", _import(self.config.name))

    @property
    def is_native(self) -> bool:
        """What the model draws in training is not known."""
        return False

    def prepare(self, splits: Splits, cache: Path | None, announce: Callable[[str], None]) -> Prepared:
        """Use the inputs as they are."""
        name = self.config.name
        train, evaluation = (tensor_inputs(part, name) for part in (splits.train, splits.evaluation))
        return tensor_prepared(train, evaluation, splits.train)

    def build(self, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
        """Call the user's factory.

        Raises:
            ModelError: It raises, or returns something else than a module.
        """
        try:
            model = self._factory(input_shape, num_classes)
        except (Exception, SystemExit) as error:  # the user's code may raise anything; the cause stays attached
            raise ModelError(
                f"model factory {self.config.name!r}, called with input_shape={input_shape} and "
                f"num_classes={num_classes}, raised {type(error).__name__}: {error}"
            ) from error
        if not isinstance(model, nn.Module):
            raise ModelError(
                f"model factory {self.config.name!r} must return a torch.nn.Module, got {type(model).__name__}."
            )
        return model


def _import(name: str) -> Callable[..., Any]:
    module_name, _, function_name = name.partition(":")
    if not module_name or module_name.startswith(".") or not function_name:
        raise ModelError(f"model {name!r} is not of the form MODULE:FUNCTION, as in my_models:small_net.")
    folder = str(Path.cwd())
    if folder not in sys.path:  # as `python -m` does, so that a file beside the user is found
        sys.path.insert(0, folder)
    try:
        factory = getattr(importlib.import_module(module_name), function_name)
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
        raise ModelError(
            f"cannot import the model factory {name!r}: {type(error).__name__}: {error}. "
            "Write MODULE:FUNCTION, with MODULE importable from the current folder."
        ) from error
    if not callable(factory):
        raise ModelError(f"model factory {name!r} is a {type(factory).__name__}, not a function.")
    return factory  # type: ignore[no-any-return]
