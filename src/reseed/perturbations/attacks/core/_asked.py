"""Whatever answers, asked about items of which each belongs to a run."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import final

import torch
from torch import Tensor, nn

from reseed._errors import InputError, InputTypeError
from reseed.models import Networks, folded

_PIXELS = 50_000  # in a batch of images that a processor's cache holds, with what a layer makes of them
_ROUNDING = 1e-4  # of the largest logit: by how much a copy that is quicker may answer otherwise

Model = Networks | nn.Module | Callable[[Tensor], Tensor]


@final
class Asked:
    """A model that is asked about items [item, ...], each of one run, and answers with logits [item, class].

    Args:
        model: `Networks`, a module in evaluation mode, or a function of inputs [sample, ...] to logits.

    Raises:
        InputTypeError: It cannot be called.
        InputError: It is a module in training mode.
    """

    def __init__(self, model: Model) -> None:
        if isinstance(model, nn.Module) and any(module.training for module in model.modules()):
            raise InputError(
                "model is in training mode, in which dropout and batch normalisation answer by chance; call "
                "model.eval() before, or pass reseed.models.Networks(model), which asks a copy in evaluation mode."
            )
        if not callable(model):
            raise InputTypeError(
                f"model must be Networks, a module or a function of inputs that returns logits, got a "
                f"{type(model).__name__}."
            )
        self._model = model
        self.runs = len(model) if isinstance(model, Networks) else None
        self._quick: Networks | nn.Module | None = None
        self._is_compared = False

    @property
    def _parameter(self) -> Tensor | None:
        if not isinstance(self._model, Networks | nn.Module):
            return None
        return next((each for each in self._model.parameters() if each.is_floating_point()), None)

    def placed(self, inputs: Tensor) -> Tensor:
        """Return inputs on the model's device, in the type that it computes with; of a function as they are."""
        found = self._parameter
        if found is None:
            return inputs if inputs.dtype in (torch.float32, torch.float64) else inputs.float()
        return inputs.to(found.device, found.dtype)

    def alone(self, run: int) -> Callable[[Tensor], Tensor]:
        """Return a run as a model of its own; a module is a copy, so that others may change it."""
        if isinstance(self._model, Networks):
            return self._model[run]
        return copy.deepcopy(self._model) if isinstance(self._model, nn.Module) else self._model

    def compare(self, inputs: Tensor, runs: Tensor, logits: Tensor) -> None:
        """Prepare a copy of the network that is quicker, unless it answers some inputs otherwise.

        Args:
            inputs: [item, ...].
            runs: Whose each is, [item].
            logits: What the network itself answers, [item, class].
        """
        if self._is_compared or not isinstance(self._model, Networks | nn.Module):
            return
        self._is_compared = True
        some = torch.linspace(0, len(inputs) - 1, min(len(inputs), 32), device=inputs.device).long()
        try:
            quick = self._model.folded() if isinstance(self._model, Networks) else folded(self._model)
            with torch.no_grad():
                found = logits[some] if quick is None else _answer(quick, inputs[some], runs[some])
        except Exception:  # code of others, which cannot be copied or does not find its layers where it left them
            return
        scale = logits[some].abs().amax()
        if found.shape == logits[some].shape and bool(((found - logits[some]).abs() <= _ROUNDING * scale).all()):
            self._quick = quick

    @property
    def has_quick(self) -> bool:
        """Whether there is a copy that is quicker, and rounds otherwise."""
        return self._quick is not None

    def batches(self, inputs: Tensor, runs: Tensor) -> list[slice]:
        """Return which inputs to ask about at a time: of images on a processor those of a run that its cache holds.

        Layer by layer through many images, a network waits for memory.

        Args:
            inputs: [item, ...].
            runs: Whose each is, ascending, [item].
        """
        is_whole = isinstance(self._model, Networks) and not self._model.goes_in_turn
        if inputs.ndim != 4 or inputs.device.type != "cpu" or is_whole:
            return [slice(0, len(inputs))]
        most, start, found = max(8, _PIXELS // max(1, inputs[0, 0].numel())), 0, []
        for count in runs.bincount().tolist():
            parts = -(-count // most)  # of the same size, since few take as long as some more
            ends = [start + count * number // parts for number in range(parts + 1)] if parts else []
            found += [slice(*ends[number : number + 2]) for number in range(parts)]
            start += count
        return found

    def quick_logits(self, inputs: Tensor, runs: Tensor) -> Tensor:
        """Return logits [item, class] up to rounding; see `logits`."""
        if self._quick is None:
            return self.logits(inputs, runs)
        return _answer(self._quick, inputs, runs)

    def logits(self, inputs: Tensor, runs: Tensor) -> Tensor:
        """Return logits [item, class].

        Args:
            inputs: [item, ...].
            runs: Whose each is, ascending, [item].

        Raises:
            InputError: They are no logits of two classes or more for each item.
        """
        found = _answer(self._model, inputs, runs)
        if not isinstance(found, Tensor):
            raise InputTypeError(f"model must return logits as a tensor [sample, class], got a {type(found).__name__}.")
        if found.ndim != 2 or len(found) != len(inputs) or found.shape[1] < 2:
            raise InputError(
                f"model returned {tuple(found.shape)} for {len(inputs)} inputs; it must return logits [sample, class] "
                "of two classes or more (for one logit z of two classes: torch.stack([torch.zeros_like(z), z], -1))."
            )
        return found


def _answer(model: Model, inputs: Tensor, runs: Tensor) -> Tensor:
    found: Tensor = model.of_runs(inputs, runs) if isinstance(model, Networks) else model(inputs)
    return found
