"""The values before the gates of a network, recorded while it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any, Literal, final

from torch import Tensor, nn

from reseed._errors import InputError, InputTypeError
from reseed.models import Activations, Modules, Networks

_SHOWN = 20  # modules in an error

GATES = (nn.ReLU, nn.ReLU6, nn.LeakyReLU, nn.PReLU, nn.RReLU)
"""Activation functions with their gate at zero."""

_OTHERS = (
    *(nn.CELU, nn.ELU, nn.GELU, nn.Hardshrink, nn.Hardsigmoid, nn.Hardswish, nn.Hardtanh, nn.LogSigmoid, nn.Mish),
    *(nn.SELU, nn.SiLU, nn.Sigmoid, nn.Softplus, nn.Softshrink, nn.Softsign, nn.Tanh, nn.Tanhshrink, nn.Threshold),
)


@final
@dataclass(frozen=True)
class Gates:
    """Where a network's pre-activations are found.

    Attributes:
        given: Activation functions, whose inputs they are: names, or classes.
        answered: Other modules, whose answers they are.
        threshold: Above which a node is on.
    """

    given: tuple[str | type[nn.Module], ...]
    answered: tuple[str, ...]
    threshold: float


def gates_of(model: nn.Module, layers: Modules = None, threshold: float | None = None) -> Gates:
    """Return where the pre-activations of a network are found.

    Args:
        model: One network.
        layers: Names or classes of modules; by default every gate at zero, and with a threshold every activation
            function. Of a module that is no activation function the answers are taken, as those before a function
            that the model calls by itself.
        threshold: Above which a node is on; 0 where all gates are at zero.

    Raises:
        InputError: There is no gate, or one that is not at zero without a threshold.
        InputTypeError: The model is no module.
    """
    if isinstance(model, Networks):
        raise InputTypeError(f"model is {model!r}; ask one after the other, as `model=networks[run]`.")
    if not isinstance(model, nn.Module):
        raise InputTypeError(f"model must be a module, got a {type(model).__name__}; a function has no nodes.")
    if threshold is not None and not float("-inf") < threshold < float("inf"):
        raise InputError(f"threshold must be a finite number, got {threshold!r}.")
    if layers is None:
        # By class: a gate that takes no part in evaluation is then left out instead of missed.
        looked_for = GATES if threshold is None else (*GATES, *_OTHERS)
        kinds = tuple(dict.fromkeys(type(part) for part in model.modules() if isinstance(part, looked_for)))
        if not kinds:
            raise InputError(
                f"model has no gated layer (ReLU and its like) among its modules {_listed(model)}; name layers whose "
                "answers stand before a gate, or pass a threshold for other activation functions."
            )
        return Gates(kinds, (), threshold or 0.0)
    names = Activations(model, layers).names
    parts = {name: model.get_submodule(name) for name in names}
    if threshold is None and (other := [name for name in names if not isinstance(parts[name], GATES)]):
        raise InputError(
            f"layer {other[0]!r} is a {type(parts[other[0]]).__name__}, which has no gate at zero of its own; pass a "
            "threshold (threshold=0.0 where its answers go into a ReLU), or name other layers."
        )
    functions = tuple(name for name in names if isinstance(parts[name], (*GATES, *_OTHERS)))
    return Gates(functions, tuple(name for name in names if name not in functions), threshold or 0.0)


@contextmanager
def recording(
    model: nn.Module, gates: Gates, reduce: Literal["max"] | Callable[[str, Tensor], Tensor]
) -> Iterator[Callable[[], dict[str, Tensor]]]:
    """Record what is before the gates; what is yielded takes it, [sample, node, ...] by layer."""
    with ExitStack() as stack:
        seen = [stack.enter_context(each) for each in _sides(model, gates, reduce=reduce)]
        yield lambda: {name: values for one in seen for name, values in one.take().items()}


@contextmanager
def replacing(model: nn.Module, gates: Gates, replace: Callable[[str, Tensor], Tensor]) -> Iterator[None]:
    """Have the network go on with other values than those before the gates."""
    with ExitStack() as stack:
        for each in _sides(model, gates, replace=replace):
            stack.enter_context(each)
        yield


def _sides(model: nn.Module, gates: Gates, **options: Any) -> list[Activations]:
    found = []
    if gates.given:
        found.append(Activations(model, gates.given, side="input", **options))
    if gates.answered:
        found.append(Activations(model, gates.answered, **options))
    return found


def _listed(model: nn.Module) -> str:
    every = [f"{name!r} ({type(part).__name__})" for name, part in model.named_modules()]
    return ", ".join(every[:_SHOWN]) + (f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else "")
