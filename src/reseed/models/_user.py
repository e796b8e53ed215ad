"""The user's own model: `module:function`, `file.py:function`, or the function itself."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from torch import nn

from reseed._choices import IN_MEMORY
from reseed._code import code_text, unwrapped
from reseed._errors import InputError, InputTypeError, ModelError
from reseed.data import Splits
from reseed.models._architecture import AbstractArchitecture, Prepared, tensor_inputs, tensor_prepared
from reseed.models._config import ModelConfig
from reseed.models._networks import Networks


@dataclass(frozen=True)
class UserModel(AbstractArchitecture):
    """`module:function`, called as ``function(input_shape, num_classes)``, returns a fresh ``torch.nn.Module``.

    A function without parameters is called without arguments.

    Raises:
        ModelError: The function cannot be imported, or may not be, since a file names it.
    """

    _factory: Callable[..., Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.config.check_trusted()
        # Now and not in `build`: what the user's module draws while it is imported belongs to no run.
        object.__setattr__(self, "_factory", self.config.factory or _import(self.config.name))

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
            model = self._factory(*(() if _takes_nothing(self._factory) else (input_shape, num_classes)))
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


def trained_networks(name: str) -> Networks:
    """Return the trained networks that a function of the user's returns; importing it runs the user's code.

    Args:
        name: ``module:function``, with a function without arguments that returns a module, a list of modules of one
            architecture, a function of inputs to logits, or `Networks`.

    Raises:
        ModelError: It cannot be imported, it raises, or what it returns are no networks.
    """
    factory = _import(name)
    try:
        found = factory()
    except (Exception, SystemExit) as error:  # the user's code may raise anything; the cause stays attached
        raise ModelError(
            f"the function {name!r}, called without arguments for a trained network, raised "
            f"{type(error).__name__}: {error}"
        ) from error
    try:
        return found if isinstance(found, Networks) else Networks(found)
    except InputError as error:
        raise ModelError(
            f"the function {name!r} returned no networks: {error} It must return a trained torch.nn.Module, or a list "
            "of them."
        ) from error


def named_model(model: object) -> ModelConfig:
    """Return the config of a model that is given by its name, or as the function that makes it.

    A function that its module and name find again is named so. Others, such as a lambda or one of a notebook, are kept
    as they are, under a name that tells their code from other code; a study does not hold them.

    Raises:
        InputTypeError: It is neither; the message names the call that takes it, where there is one.

    Examples:
        >>> named_model("resnet").name, named_model(nn.Linear).name
        ('resnet', 'torch.nn.modules.linear:Linear')
    """
    if isinstance(model, str):
        return ModelConfig(model)
    kind = type(model).__name__
    if isinstance(model, nn.Module):
        raise InputTypeError(
            f"model is a {kind}, one network, whose weights all runs would share; pass a function that makes a fresh "
            "one: model=lambda input_shape, num_classes: ..."
        )
    if hasattr(model, "fit") and hasattr(model, "get_params"):
        raise InputTypeError(
            f"model is the estimator {kind}, which has no recipe; reseed.measure(data, estimator) and reseed.run take "
            "it."
        )
    if not callable(model):
        raise InputTypeError(
            f"model must be a name, or a function of (input_shape, num_classes) that makes a network; got {kind}."
        )
    function = unwrapped(model)
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    if function is model and module != "__main__" and getattr(sys.modules.get(module or ""), name, None) is model:
        return ModelConfig(f"{module}:{name}")
    digest = hashlib.sha256(f"{code_text(function)} {model if function is not model else ''}".encode()).hexdigest()[:8]
    short = re.sub("[^A-Za-z0-9_]+", "", name.rpartition(".")[2]) or "factory"
    return ModelConfig(f"{IN_MEMORY}{short}-{digest}", factory=model)


def _takes_nothing(factory: Callable[..., Any]) -> bool:
    try:
        return not inspect.signature(factory).parameters
    except (TypeError, ValueError):  # of what is not written in Python
        return False


def _import(name: str) -> Callable[..., Any]:
    module_name, _, function_name = name.rpartition(":")
    if not module_name or not function_name or (module_name.startswith(".") and not module_name.endswith(".py")):
        raise ModelError(
            f"model {name!r} is not of the form MODULE:FUNCTION, as in my_models:small_net, or FILE.py:FUNCTION."
        )
    try:
        module = _of_file(Path(module_name)) if module_name.endswith(".py") else _of_name(module_name)
        factory = getattr(module, function_name)
    except (Exception, SystemExit) as error:  # importing runs the user's code, which may raise anything
        raise ModelError(
            f"cannot import the model factory {name!r}: {type(error).__name__}: {error}. "
            "Write MODULE:FUNCTION, with MODULE importable from the current folder, or FILE.py:FUNCTION."
        ) from error
    if not callable(factory):
        raise ModelError(f"model factory {name!r} is a {type(factory).__name__}, not a function.")
    return factory  # type: ignore[no-any-return]


def _of_name(module: str) -> ModuleType:
    _look_in(Path.cwd())  # as `python -m` does, so that a file beside the user is found
    return importlib.import_module(module)


def _of_file(path: Path) -> ModuleType:
    """Return a file as a module, run once in a process; files beside it are found, as those of a script are."""
    full = path.expanduser().resolve(strict=True)
    name = f"reseed_file_{hashlib.sha256(str(full).encode()).hexdigest()[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    _look_in(full.parent)
    spec = importlib.util.spec_from_file_location(name, full)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} is no Python file")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # as classes of the file look themselves up
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _look_in(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
