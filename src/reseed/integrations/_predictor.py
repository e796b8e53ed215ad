"""How a model is asked for predictions: what it is called with, and what of its output is the answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from reseed._errors import InputError
from reseed.integrations._failures import described
from reseed.integrations._untouched import bare, check_whole

Ask = Callable[[Any, Any], Any]  # from a model and a batch

# What code raises that is called with something else than it takes; torch's own is a RuntimeError.
_UNSUITABLE = (TypeError, ValueError, LookupError, AttributeError, AssertionError, RuntimeError)


@dataclass(frozen=True)
class Predictor:
    """A function from a batch to predictions, and the model it asks.

    Attributes:
        ask: From the model and a batch.
        model: What has to be left as it was; None where that is not known.
    """

    ask: Ask
    model: nn.Module | None = None

    def __call__(self, batch: Any) -> Any:
        """Return what the model answers to a batch: scores [sample, class], or labels [sample]."""
        return answers_of(self.ask(self.model, batch))


def predictor_of(predicted: Callable[[Any], Any]) -> Predictor:
    """Return how to ask a module, a method of one, or a function of somebody's own.

    Raises:
        InputError: The module's weights are sharded over processes.
    """
    if isinstance(predicted, Predictor):
        return predicted
    if isinstance(predicted, nn.Module):
        check_whole(predicted)
        model = bare(predicted)
        call = calling()
        return Predictor(lambda model, batch: call(model, on_device(batch, device_of(model))), model)
    owner = getattr(predicted, "__self__", None)
    if isinstance(owner, nn.Module):
        return Predictor(lambda model, batch: predicted(on_device(batch, device_of(model))), owner)
    return Predictor(lambda _, batch: predicted(batch))


def calling() -> Ask:
    """Return how a module is called: a batch of several inputs is one argument, or else as many as it has parts."""
    several = FirstThatWorks(
        {"as one argument": lambda model, batch: model(batch), "with an argument for each": _apart}
    )
    return lambda model, batch: several(model, batch) if isinstance(batch, Mapping | tuple) else model(batch)


def _apart(model: nn.Module, batch: Any) -> Any:
    return model(**batch) if isinstance(batch, Mapping) else model(*batch)


class FirstThatWorks:
    """Asks a model in the first of several ways that suits it, and from then on in that way alone.

    An error that no way of asking explains, such as a lack of memory or a file that is gone, ends the search.

    Args:
        ways: What each is called in a message, and how it asks.
    """

    def __init__(self, ways: Mapping[str, Ask]) -> None:
        self._ways = dict(ways)

    def __call__(self, model: nn.Module, batch: Any) -> Any:
        """Return what the model answers.

        Raises:
            InputError: None of the ways works.
        """
        if len(self._ways) == 1:
            return next(iter(self._ways.values()))(model, batch)
        failed = {}
        for name, way in self._ways.items():
            try:
                answer = way(model, batch)
            except torch.OutOfMemoryError:
                raise
            except _UNSUITABLE as error:
                failed[name] = error
                continue
            self._ways = {name: way}
            return answer
        *_, last = failed.values()
        texts = {described(error): name for name, error in failed.items()}
        if len(texts) == 1:
            raise last
        listed = "; ".join(f"{name}, {text}" for text, name in texts.items())
        raise InputError(f"{type(model).__name__} cannot be asked: {listed}.") from last


def answers_of(output: Any) -> Any:
    """Return the scores within what models give: the logits of a mapping, what follows the loss of a tuple.

    Raises:
        InputError: It is a mapping without logits.
    """
    if isinstance(output, Mapping):
        if "logits" not in output:
            raise InputError(
                f"the model gives {', '.join(map(str, output)) or 'an empty mapping'}, and no 'logits'; pass a "
                "function that returns its scores [sample, class]."
            )
        return output["logits"]
    if isinstance(output, tuple) and not hasattr(output, "logits"):
        arrays = [part for part in output if part is not None and getattr(part, "ndim", 1) > 0]  # without a loss
        # Else it holds labels, or the scores of one sample after another.
        return arrays[0] if arrays and getattr(arrays[0], "ndim", 1) > 1 else output
    return getattr(output, "logits", output)


def device_of(model: nn.Module) -> torch.device | None:
    """Return where a model's first parameter is; None of a model without parameters."""
    parameter = next(model.parameters(), None)
    return None if parameter is None else parameter.device


def on_device(batch: Any, device: torch.device | None) -> Any:
    """Return a batch on a device: tensors, and mappings, tuples and lists of them; anything else as it is."""
    if device is None:
        return batch
    if isinstance(batch, torch.Tensor) or (isinstance(batch, Mapping) and hasattr(batch, "to")):
        return batch.to(device)
    if isinstance(batch, Mapping):
        return {name: on_device(value, device) for name, value in batch.items()}
    if isinstance(batch, tuple) and hasattr(batch, "_fields"):
        return type(batch)(*(on_device(value, device) for value in batch))
    if isinstance(batch, tuple | list):
        return type(batch)(on_device(value, device) for value in batch)
    return batch
