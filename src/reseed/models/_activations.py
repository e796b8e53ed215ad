"""What the neurons inside a network answer, recorded by forward hooks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Literal, TypeAlias, final

import torch
from torch import Tensor, nn

from reseed._errors import InputError, InputTypeError
from reseed._near import did_you_mean
from reseed.models._networks import Networks

Modules: TypeAlias = str | type[nn.Module] | Collection[str | type[nn.Module]] | None
"""Which modules of a model: names, classes, several of them, or None for those that have neurons."""

Reduce: TypeAlias = Literal["mean", "max", "minmax", "none"]

Side: TypeAlias = Literal["output", "input"]

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_NEURONS = (nn.Linear, *_CONVOLUTIONS, nn.RNNBase)
_FEATURES_LAST = (nn.Linear, nn.Bilinear, nn.Embedding, nn.RNNBase, nn.MultiheadAttention)
_SHOWN = 40  # names in an error


@final
class Activations:
    """Records what modules answer whenever the model is called inside the `with` block.

    A neuron is a unit of a dense layer or a channel of a convolution, so that a module's answers are
    [sample, neuron, place, ...]: pixels, tokens and steps in time are places, over which they are reduced. Where the
    neurons are is known for dense layers, recurrent ones and convolutions; modules of other kinds (activation
    functions, norms, pools, blocks) have them where the last of those that ran before, with as many axes, has them.
    Samples must be the first axis of what the model takes and of what the modules answer.

    Each call of the model is one batch. A module that the model calls several times in one batch has a name for each
    call: ``relu``, ``relu#2``, ``relu#3``. Parts of the model that are called by themselves are not recorded, nor is a
    batch in which an error was raised. Mode, weights and gradients of the model are not touched, and the hooks are
    gone when the block is left, by an error too. Of `Networks` record one run, ``networks[run]``, after the other.

    Args:
        model: Any module that takes tensors [sample, ...].
        modules: Names as in ``model.named_modules()``, at any depth, or classes such as `nn.ReLU`, of which all modules
            are meant. Default: every dense layer, convolution and recurrent layer, what it answers before any
            activation function; the last layer, which makes the logits, is one of them.
        reduce: What becomes of the places: their mean, their maximum, ``minmax`` for [sample, neuron, 2], or ``none``;
            or a function of name and answers [sample, neuron, place, ...] that is called at once and must not return
            a view of them, since the next layer may write into them.
        detach: Whether what is recorded is cut from the graph of derivatives.
        side: Whether what a module answers is recorded, or what it is given: of an activation function, the values
            before it.
        replace: A function of name and answers [sample, neuron, place, ...] to what the network goes on with instead,
            of the same shape. Then nothing is recorded, and `take` has nothing to return.

    Attributes:
        names: Names of the modules, in the order in which they are recorded.

    Raises:
        InputTypeError: The model is no module, or several.
        InputError: It has no module of a name or class, or nothing was chosen.

    Examples:
        >>> model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))
        >>> with Activations(model) as seen:
        ...     for batch in torch.rand(10, 1, 8, 8).split(4):
        ...         _ = model(batch)
        >>> {name: tuple(values.shape) for name, values in seen.take().items()}
        {'0': (10, 4), '3': (10, 3)}
    """

    def __init__(
        self,
        model: nn.Module,
        modules: Modules = None,
        *,
        reduce: Reduce | Callable[[str, Tensor], Tensor] = "mean",
        detach: bool = True,
        side: Side = "output",
        replace: Callable[[str, Tensor], Tensor] | None = None,
    ) -> None:
        if isinstance(model, Networks):
            raise InputTypeError(f"model is {model!r}; record one after the other, as `model=networks[run]`.")
        if not isinstance(model, nn.Module):
            raise InputTypeError(f"model must be a module, got a {type(model).__name__}; a function has no neurons.")
        if not callable(reduce) and reduce not in ("mean", "max", "minmax", "none"):
            raise InputError(f"reduce={reduce!r} is unknown; pass 'mean', 'max', 'minmax', 'none' or a function.")
        if side not in ("output", "input"):
            raise InputError(f"side={side!r} is unknown; pass 'output' or 'input'.")
        self._model, self._reduce, self._detach = model, reduce, detach
        self._side, self._replace = side, replace
        self._chosen, self._asked = _chosen(model, modules)
        self.names = tuple(self._chosen)
        self._hooks: ExitStack | None = None
        self._passes: list[dict[str, Tensor]] = []
        self._pass: dict[str, Tensor] | None = None
        self._calls: dict[str, int] = {}
        self._axes: dict[int, int] = {}
        self._samples: int | None = None

    def __enter__(self) -> Activations:
        if self._hooks is not None:
            raise InputError("these activations are being recorded already; make another `Activations` to nest them.")
        self._passes, self._pass = [], None
        with ExitStack() as hooks:
            hooks.callback(self._model.register_forward_pre_hook(self._begin, with_kwargs=True).remove)
            for module in self._model.modules():
                if (axis := _neuron_axis(module)) is not None:
                    hooks.callback(module.register_forward_hook(self._noting(axis)).remove)
            for name, module in self._chosen.items():
                hooks.callback(self._hooked(name, module))
            # After those that record, since the model may be recorded itself; the last is called after errors as well.
            hooks.callback(self._model.register_forward_hook(self._keep).remove)
            hooks.callback(self._model.register_forward_hook(self._end, always_call=True).remove)
            self._hooks = hooks.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._hooks is not None:
            self._hooks.close()
            self._hooks = None

    def take(self) -> dict[str, Tensor]:
        """Return what was recorded since the last time, [sample, neuron, ...] by module, and forget it.

        Batches follow each other along the samples. Taken after each batch, memory stays that of one.

        Raises:
            InputError: The model was not called, a module that was named took no part, or batches do not fit together.
        """
        passes, self._passes = self._passes, []
        if not passes:
            raise InputError("nothing was recorded: call the model inside the `with` block, then take.")
        if absent := [name for name in self._asked if name not in passes[0]]:
            raise InputError(f"module {absent[0]!r} took no part in what the model did; name another.")
        if not passes[0]:
            raise InputError(f"none of the modules took part in what the model did: {_listed(self.names)}.")
        for other in passes[1:]:
            if _shapes(other) != _shapes(passes[0]):
                raise InputError(
                    f"batches do not fit together, the first has {_shapes(passes[0])}, another {_shapes(other)}; "
                    "take after each batch."
                )
        if len(passes) == 1:
            return passes[0]
        return {name: torch.cat([each[name] for each in passes]) for name in passes[0]}

    def _begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self._pass, self._calls, self._axes = {}, {}, {}
        given = _first_tensor([*args, *kwargs.values()])
        self._samples = None if given is None or not given.ndim else len(given)

    def _keep(self, module: nn.Module, args: object, output: object) -> None:
        if self._pass is not None and self._replace is None:
            self._passes.append(self._pass)

    def _end(self, module: nn.Module, args: object, output: object) -> None:
        self._pass = None

    def _noting(self, axis: int) -> Callable[[nn.Module, Any, Any], None]:
        def note(module: nn.Module, args: object, output: object) -> None:
            if (values := _first_tensor(output)) is not None:
                self._axes[values.ndim] = axis

        return note

    def _hooked(self, name: str, module: nn.Module) -> Callable[[], None]:
        """Hook a module, and return what takes the hook away."""
        if self._side == "output":

            def answered(module: nn.Module, args: object, output: object) -> Tensor | None:
                return self._seen(name, module, output)

            return module.register_forward_hook(answered).remove

        def given(module: nn.Module, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
            found = self._seen(name, module, args)
            return None if found is None else (found, *args[1:])

        return module.register_forward_pre_hook(given).remove

    def _seen(self, name: str, module: nn.Module, found: object) -> Tensor | None:
        """Record what a module answers or is given; return what stands for it, None for itself."""
        if self._pass is None:
            return None
        self._calls[name] = call = self._calls.get(name, 0) + 1
        label = name if call == 1 else f"{name}#{call}"
        if self._replace is None:
            self._pass[label] = self._reduced(label, self._neurons_second(name, module, found))
            return None
        first = found[0] if self._side == "input" and isinstance(found, tuple) and found else found
        if not isinstance(first, Tensor):
            raise InputError(f"what module {name!r} answers is no single tensor, so nothing can stand for it.")
        values = self._neurons_second(name, module, first)
        other = self._replace(label, values)
        if other.shape != values.shape:
            raise InputError(
                f"replace made {list(other.shape)} of the {list(values.shape)} of module {label!r}; keep the shape."
            )
        return other[:, 0] if first.ndim == 1 else other.movedim(1, self._axis(first.ndim))

    def _neurons_second(self, name: str, module: nn.Module, output: object) -> Tensor:
        """Return a module's answers as [sample, neuron, place, ...]."""
        values = _first_tensor(output)
        if values is None or not values.is_floating_point():
            kind = type(output).__name__ if values is None else str(values.dtype).removeprefix("torch.")
            raise InputError(f"module {name!r} answers {kind}, no activations; name other modules.")
        values = values.detach() if self._detach and self._replace is None else values
        if values.ndim == 3 and getattr(module, "batch_first", True) is False:
            values = values.transpose(0, 1)  # recurrent layers and attention that have time first
        if not values.ndim or (self._samples is not None and len(values) != self._samples):
            raise InputError(
                f"module {name!r} answers {list(values.shape)} where the model was asked {self._samples} samples, so "
                "that its first axis is not theirs; leave it out by naming other modules."
            )
        if values.ndim == 1:
            return values[:, None]
        return values.movedim(self._axis(values.ndim), 1)

    def _axis(self, axes: int) -> int:
        """Return where values with as many axes have their neurons."""
        return self._axes.get(axes, 1 if axes != 3 else 2)

    def _reduced(self, label: str, values: Tensor) -> Tensor:
        if callable(self._reduce):
            return self._reduce(label, values)
        places = tuple(range(2, values.ndim))
        # Copies, where nothing is computed: an activation function that works in place writes into what is given here.
        if self._reduce == "minmax":
            return torch.stack([values.amin(places), values.amax(places)] if places else [values, values], -1)
        if not places or self._reduce == "none":
            return values.clone()
        return values.mean(places) if self._reduce == "mean" else values.amax(places)


def _chosen(model: nn.Module, modules: Modules) -> tuple[dict[str, nn.Module], Sequence[str]]:
    """Return the modules to record by name, and the names that were asked for one by one."""
    there = dict(model.named_modules(remove_duplicate=False))
    found: dict[str, nn.Module] = {}
    asked: list[str] = []
    if modules is None:
        found = {name: module for name, module in model.named_modules() if isinstance(module, _NEURONS)}
        if not found:
            raise InputError(
                f"model has no dense layer, convolution or recurrent layer; name modules of it: {_listed(there)}."
            )
        return found, ()
    for item in [modules] if isinstance(modules, str | type) else modules:
        if isinstance(item, type):
            before = len(found)
            found |= {name: module for name, module in model.named_modules() if isinstance(module, item)}
            if len(found) == before:
                raise InputError(f"model has no module of class {item.__name__}; it has {_kinds(model)}.")
        elif item in there:
            found[item] = there[item]
            asked.append(item)
        else:
            hint = did_you_mean(item, there, most=3)
            raise InputError(f"model has no module {item!r}.{hint} There are {_listed(there)}.")
    if not found:
        raise InputError(f"modules is empty; name some of {_listed(there)}, or pass None for the usual ones.")
    return found, asked


def _neuron_axis(module: nn.Module) -> int | None:
    """Return the axis on which a module of a known kind has its neurons, None for other kinds."""
    if isinstance(module, _CONVOLUTIONS):
        return 1
    over = getattr(module, "normalized_shape", ())
    over_features = isinstance(over, tuple | list) and len(over) == 1  # layer norm and its like
    return -1 if isinstance(module, _FEATURES_LAST) or over_features else None


def _first_tensor(output: object) -> Tensor | None:
    """Return the first tensor of an answer: of tuples, lists, mappings and named outputs."""
    if isinstance(output, Tensor):
        return output
    items: Iterable[object] = ()
    if isinstance(output, Mapping):
        items = output.values()
    elif isinstance(output, tuple | list):
        items = output
    return next((found for item in items if (found := _first_tensor(item)) is not None), None)


def _shapes(values: Mapping[str, Tensor]) -> dict[str, tuple[int, ...]]:
    return {name: tuple(value.shape[1:]) for name, value in values.items()}


def _kinds(model: nn.Module) -> str:
    return ", ".join(sorted({type(module).__name__ for module in model.modules()}))


def _listed(names: Iterable[str]) -> str:
    every = [repr(name) for name in names if name] or ["'' (the model itself)"]
    more = f" and {len(every) - _SHOWN} more" if len(every) > _SHOWN else ""
    return ", ".join(every[:_SHOWN]) + more
