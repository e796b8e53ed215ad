"""K models of any kind as one: the model's own code, mapped over stacked parameters and buffers."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from reseed.models._fine_tuned import Trimmed
from reseed.models._tensors import tensors_of

Draws = Callable[[Tensor], AbstractContextManager[None]]
"""Makes the context of a training run's forward pass, given the mapped number of the run, [1]."""


def vmapped_model(models: Sequence[nn.Module], draws: Draws) -> nn.Module:
    """Return K models as one: inputs [run, sample, ...] to logits [run, sample, class].

    Trainable parameters have the run as their first axis.

    Args:
        models: The models of K runs, built by one factory; they are used up.
        draws: Where dropout takes its masks from, in training.
    """
    first = models[0]
    if isinstance(first, Trimmed):  # how much is cut depends on the data, so it is done outside, for all runs at once
        return Trimmed(VmappedModel([model.get_submodule("model") for model in models], draws), first.padding_id)
    return VmappedModel(models, draws)


class VmappedModel(nn.Module):
    """K models as one by `torch.func.vmap`, whatever their layers.

    What each run has of its own is stacked: trainable parameters, buffers of floating point (batch statistics), and
    whatever else differs between the runs. The rest (position ids, frozen weights) is held once.

    Args:
        models: The models of K runs, built by one factory; they are used up.
        draws: Where dropout takes its masks from, in training.
    """

    _runs: Tensor

    def __init__(self, models: Sequence[nn.Module], draws: Draws) -> None:
        super().__init__()
        self._draws, self.runs = draws, len(models)
        self.body = models[0]
        self._own = _stack_in_place(models)
        self.register_buffer("_runs", torch.arange(len(models))[:, None], persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Return logits [run, sample, class].

        Raises:
            RuntimeError: The model does something that cannot be mapped over runs.
        """
        own = {name: tensor for name, tensor in tensors_of(self.body).items() if name in self._own}
        with warnings.catch_warnings():
            # Of operations that torch maps by a loop over the runs: slower, but nothing that a user could change.
            warnings.filterwarnings("ignore", "There is a performance drop", UserWarning)
            logits, replaced = vmap(self._one)(own, x, self._runs)
        with torch.no_grad():
            for name, value in replaced.items():
                own[name].copy_(value)
        return logits

    def state_of(self, run: int) -> dict[str, Tensor]:
        """Return parameters and buffers of a run, by the names that they have in a model of its own."""
        return {name: value[run] if name in self._own else value for name, value in tensors_of(self.body).items()}

    def _one(self, own: dict[str, Tensor], x: Tensor, run: Tensor) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the logits of one run, and the buffers that its model replaced instead of writing into them."""
        given = dict(own)
        with self._draws(run) if self.training else nullcontext():
            logits = functional_call(self.body, own, (x,))
        return logits, {name: value for name, value in own.items() if value is not given[name]}


def _stack_in_place(models: Sequence[nn.Module]) -> frozenset[str]:
    """Put the runs' tensors, stacked, in place of the first model's; return the names of those that were stacked.

    Tied tensors stay tied: one that has several names is stacked once.
    """
    whole = models[0]
    tensors = [tensors_of(model) for model in models]
    stacked: dict[int, Tensor] = {}
    own = set()
    for name, first in tensors[0].items():
        values = [each[name].detach() for each in tensors]
        is_parameter = isinstance(first, nn.Parameter)
        may_change = first.requires_grad if is_parameter else first.is_floating_point()
        if not may_change and all(torch.equal(first, value) for value in values):
            continue
        value = torch.stack(values)
        stacked[id(first)] = nn.Parameter(value, first.requires_grad) if is_parameter else value
        own.add(name)
    for module in whole.modules():
        for name, tensor in [*module._parameters.items(), *module._buffers.items()]:
            if id(tensor) in stacked:
                setattr(module, name, stacked[id(tensor)])
    return frozenset(own)
