"""K trained networks of one architecture as one function, for whatever is asked of all of them at once."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from typing import Literal, final

import torch
from torch import Tensor, nn

from reseed._errors import InputError, InputTypeError, ModelError
from reseed.models._fine_tuned import Trimmed
from reseed.models._folded import folded
from reseed.models._stack import StackedModel
from reseed.models._vmapped import VmappedModel, vmapped_model

Serve = Literal["first", "mean"]
_ROWS = 1024


@final
class Networks:
    """K trained networks in evaluation mode, which answer together.

    Networks of layers that reseed knows are one program, others are mapped over by `torch.func.vmap`; what allows
    neither, and images on a CPU, where it is faster, goes through one network after the other. Answers are the same up
    to rounding. The networks are copied: modes, buffers, gradients and weights of those that are given stay as they
    are, and no random number is drawn.

    Args:
        networks: Modules of one architecture, inputs [sample, ...] to logits [sample, class]; one module; or functions
            that do the same, which are asked without gradients.
        members: Networks of a run, one run after the other.
        serve: What a run of several networks answers: its first one, or the mean of their probabilities.

    Raises:
        InputTypeError: Something is no module and cannot be called.
        InputError: There is none, or their weights differ in shape, or their number is not divisible by ``members``.

    Examples:
        >>> networks = Networks([nn.Linear(4, 3) for _ in range(5)])
        >>> inputs = torch.rand(8, 4, requires_grad=True)
        >>> networks(inputs).shape, len(networks), type(networks[2]).__name__
        (torch.Size([5, 8, 3]), 5, 'Linear')
        >>> networks(inputs).sum().backward()
        >>> inputs.grad.shape
        torch.Size([8, 4])
    """

    def __init__(
        self,
        networks: nn.Module | Callable[[Tensor], Tensor] | Sequence[nn.Module | Callable[[Tensor], Tensor]],
        *,
        members: int = 1,
        serve: Serve = "first",
    ) -> None:
        given = list(networks) if isinstance(networks, Sequence) else [networks]
        models = [_copied(one) for one in given]
        if not models or len(models) % members:
            raise InputError(f"networks are {len(models)}, of which each run has {members}; pass all of every run.")
        _check_alike(models)
        self._members, self._serve, self._template = members, serve, models[0]
        self._before: Callable[[Tensor], Tensor] | None = None
        self._whole = _as_one(models).eval()

    def __len__(self) -> int:
        return _count(self._whole) // self._members

    def __repr__(self) -> str:
        return f"Networks({len(self)} runs of {type(self._template).__name__})"

    def __call__(self, inputs: Tensor, *, own: bool = False) -> Tensor:
        """Return logits [run, sample, class], differentiable in inputs and weights.

        Args:
            inputs: What all runs are asked, [sample, ...]; see ``own``.
            own: Whether each run has inputs of its own, [run, sample, ...].

        Raises:
            InputError: ``own`` and the first axis is not the number of runs.
        """
        if own and len(inputs) != len(self):
            raise InputError(f"inputs of {tuple(inputs.shape)} are not those of {len(self)} runs, [run, sample, ...].")
        if self._before is not None:
            inputs = self._before(inputs)
        count = _count(self._whole)
        if not own:
            each = inputs.expand(count, *inputs.shape)
        else:
            each = inputs if self._members == 1 else inputs.repeat_interleave(self._members, 0)
        return served(self._asked(each), self._members, self._serve)

    def _asked(self, each: Tensor) -> Tensor:
        logits: Tensor
        try:
            logits = self._whole(each)
        except RuntimeError:
            if not isinstance(self._whole, VmappedModel | Trimmed):
                raise
            self._whole = _OneByOne([self._network(number) for number in range(_count(self._whole))]).eval()
            logits = self._whole(each)  # code that cannot be mapped over runs
        return logits

    def predict(self, inputs: Tensor, batch_size: int | None = None) -> Tensor:
        """Return logits [run, sample, class] of inputs [sample, ...] without gradients, some samples at a time."""
        rows = batch_size or max(1, _ROWS // _count(self._whole))
        with torch.no_grad():
            return torch.cat([self(part) for part in torch.split(inputs, rows)], dim=1)

    def of_runs(self, inputs: Tensor, runs: Tensor) -> Tensor:
        """Return logits [item, class] of inputs [item, ...] of which each is asked of one run only.

        Args:
            inputs: What is asked, of any number of runs, and of each run any number.
            runs: Whose each is, counted from 0, [item]; ascending.

        Raises:
            InputError: They do not ascend, or name a run that there is not.
        """
        counts = _counts(runs, len(self))
        if isinstance(self._whole, _OneByOne):
            return self._in_turn(self._whole, inputs if self._before is None else self._before(inputs), counts)
        most = max(counts)
        if min(counts) == most:
            return self(inputs.view(len(self), most, *inputs.shape[1:]), own=True).flatten(0, 1)
        firsts = torch.tensor([0, *itertools.accumulate(counts)][:-1], device=inputs.device)
        places = runs * most + torch.arange(len(runs), device=inputs.device) - firsts.index_select(0, runs)
        filled = inputs[:1].detach().expand(len(self) * most, *inputs.shape[1:]).index_copy(0, places, inputs)
        logits = self(filled.view(len(self), most, *inputs.shape[1:]), own=True)
        return logits.flatten(0, 1).index_select(0, places)  # what was asked to fill up is left out

    def _in_turn(self, whole: _OneByOne, inputs: Tensor, counts: list[int]) -> Tensor:
        found = []
        for run, part in enumerate(torch.split(inputs, counts)):
            if len(part):
                members = whole.models[run * self._members : (run + 1) * self._members]
                found.append(served(torch.stack([model(part) for model in members]), self._members, self._serve)[0])
        return torch.cat(found) if len(found) != 1 else found[0]

    @property
    def goes_in_turn(self) -> bool:
        """Whether one network is asked after the other, so that inputs of any number are answered as fast."""
        return isinstance(self._whole, _OneByOne)

    def folded(self) -> Networks | None:
        """Return networks that answer the same up to rounding, in less time; None where nothing can be gained."""
        if not isinstance(self._whole, _OneByOne):
            return None
        quick = [folded(model) for model in self._whole.models]
        there = copy.copy(self)
        if all(model is None for model in quick):
            return None
        pairs = zip(quick, self._whole.models, strict=True)
        there._whole = _OneByOne([own if model is None else model for model, own in pairs]).eval()
        return there

    def __getitem__(self, run: int) -> nn.Module:
        """Return a run as a module of its own, inputs [sample, ...] to logits [sample, class], in evaluation mode.

        Raises:
            IndexError: There is no such run.
        """
        members = self.members(run)
        network = members[0] if len(members) == 1 else Ensemble(members)
        return network if self._before is None else _After(self._before, network).eval()

    def members(self, run: int) -> list[nn.Module]:
        """Return the networks whose answers are a run's, of several the log of the mean of their probabilities.

        Raises:
            IndexError: There is no such run.
        """
        if not -len(self) <= run < len(self):
            raise IndexError(f"there is no run {run}; there are {len(self)}, counted from 0.")
        first = run % len(self) * self._members
        count = 1 if self._serve == "first" else self._members
        return [self._network(number) for number in range(first, first + count)]

    def __iter__(self) -> Iterator[nn.Module]:
        return (self[run] for run in range(len(self)))

    def parameters(self) -> Iterator[nn.Parameter]:
        """Return the weights of all networks as they are kept together, in which the logits can be differentiated."""
        return self._whole.parameters()

    def after(self, function: Callable[[Tensor], Tensor]) -> Networks:
        """Return the networks as they answer to what a function makes of inputs; these ones stay as they are.

        So inputs can be given in other units than the networks take, such as features in standard deviations.

        Args:
            function: Inputs [..., sample, ...] to inputs of the networks, differentiable, the same for every run, and
                of each number or sample by itself.

        Examples:
            >>> networks = Networks([nn.Linear(4, 3) for _ in range(5)])
            >>> doubled, inputs = networks.after(lambda inputs: 2 * inputs), torch.rand(8, 4)
            >>> doubled(inputs).allclose(networks(2 * inputs)), doubled[1](inputs).allclose(doubled(inputs)[1])
            (True, True)
        """
        there, before = copy.copy(self), self._before
        there._before = function if before is None else lambda inputs: before(function(inputs))
        return there

    def to(self, device: torch.device | str) -> Networks:
        """Return the networks on a device; these ones stay where they are."""
        there = copy.copy(self)
        there._template = copy.deepcopy(self._template).to(device)
        there._whole = _as_one([self._network(number).to(device) for number in range(_count(self._whole))]).eval()
        return there

    def _network(self, number: int) -> nn.Module:
        if isinstance(self._whole, _OneByOne):
            return copy.deepcopy(self._whole.models[number])
        return with_state(copy.deepcopy(self._template), state_of(self._whole, number, self._template))


def served(logits: Tensor, members: int, serve: Serve) -> Tensor:
    """Return what runs answer, [run, sample, class], of the logits [network, sample, class] of their networks.

    The mean of probabilities is given by its logarithm.
    """
    if members == 1:
        return logits
    each = logits.view(-1, members, *logits.shape[1:])
    return each[:, 0] if serve == "first" else each.log_softmax(-1).logsumexp(1) - math.log(members)


def state_of(whole: nn.Module, number: int, template: nn.Module) -> Mapping[str, Tensor]:
    """Return parameters and buffers of one of the networks that are kept together, by their names in the template."""
    if isinstance(whole, Trimmed) and isinstance(template, Trimmed):
        own = state_of(whole.get_submodule("model"), number, template.get_submodule("model"))
        return {f"model.{name}": value for name, value in own.items()}
    if isinstance(whole, VmappedModel):
        return whole.state_of(number)
    if isinstance(whole, StackedModel):
        return whole.state_of(number, template)
    raise ModelError(f"{type(whole).__name__} keeps no networks that can be taken apart.")


@torch.no_grad()
def with_state(model: nn.Module, state: Mapping[str, Tensor]) -> nn.Module:
    """Return a model of the same architecture with these parameters and buffers, in evaluation mode."""
    for name, value in (*model.named_parameters(), *model.named_buffers()):
        value.copy_(state[name])
    return model.eval()


@final
class _Called(nn.Module):
    """A function as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    @torch.no_grad()
    def forward(self, x: Tensor) -> Tensor:
        return torch.as_tensor(self.function(x)).detach()  # of inputs themselves it may be a view


@final
class Ensemble(nn.Module):
    """Several networks that answer together: the log of the mean of their probabilities.

    Args:
        members: Inputs [sample, ...] to logits [sample, class].

    Examples:
        >>> together = Ensemble([nn.Linear(4, 3) for _ in range(5)])
        >>> together(torch.rand(8, 4)).exp().sum(-1).allclose(torch.ones(8))
        True
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, x: Tensor) -> Tensor:
        """Return log-probabilities [sample, class]."""
        each = torch.stack([member(x) for member in self.members])
        return each.log_softmax(-1).logsumexp(0) - math.log(len(self.members))


@final
class _After(nn.Module):
    """A network that is asked what a function makes of inputs."""

    def __init__(self, before: Callable[[Tensor], Tensor], network: nn.Module) -> None:
        super().__init__()
        self.before, self.network = before, network

    def forward(self, x: Tensor) -> Tensor:
        answer: Tensor = self.network(self.before(x))
        return answer


@final
class _OneByOne(nn.Module):
    """Networks that are asked one after the other."""

    def __init__(self, models: Sequence[nn.Module]) -> None:
        super().__init__()
        self.models = nn.ModuleList(models)

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([model(own) for model, own in zip(self.models, x, strict=True)])


def _count(whole: nn.Module) -> int:
    """Return how many networks are kept together."""
    if isinstance(whole, _OneByOne):
        return len(whole.models)
    if isinstance(whole, Trimmed):
        whole = whole.get_submodule("model")
    if isinstance(whole, StackedModel | VmappedModel):
        return whole.runs
    raise ModelError(f"{type(whole).__name__} keeps no networks together.")


def _counts(runs: Tensor, count: int) -> list[int]:
    """Return how many items each run has."""
    if len(runs) and (bool((runs.diff() < 0).any()) or int(runs[0]) < 0 or int(runs[-1]) >= count):
        raise InputError(f"runs must ascend from 0 to at most {count - 1}, got {runs.tolist()[:8]} and so on.")
    counts: list[int] = runs.bincount(minlength=count).tolist()
    return counts


def _copied(network: nn.Module | Callable[[Tensor], Tensor]) -> nn.Module:
    if isinstance(network, nn.Module):
        return copy.deepcopy(network).eval()
    if not callable(network):
        raise InputTypeError(f"networks must be modules or functions, got a {type(network).__name__}.")
    return _Called(network)


def _check_alike(models: Sequence[nn.Module]) -> None:
    shapes = [{name: tuple(value.shape) for name, value in model.state_dict().items()} for model in models]
    for number, own in enumerate(shapes):
        if type(models[number]) is not type(models[0]) or own != shapes[0]:
            raise InputError(f"network {number} is of another architecture than the first; pass networks of one.")


def _as_one(models: Sequence[nn.Module]) -> nn.Module:
    if len(models) == 1 or isinstance(models[0], _Called):
        return _OneByOne(models)
    # Convolutions of several networks at once are slower on a CPU, whose cache they do not fit.
    on_cpu = all(value.device.type == "cpu" for value in models[0].parameters())
    try:
        with torch.random.fork_rng(devices=[]):  # a new layer draws weights, which are replaced
            whole = StackedModel(models, lambda _: nn.Identity())
    except ModelError:
        if on_cpu and any(isinstance(each, nn.Conv2d) for each in models[0].modules()):
            return _OneByOne(models)
        return vmapped_model([copy.deepcopy(model) for model in models], lambda _: nullcontext())
    return _OneByOne(models) if on_cpu and whole.starts_with_images else whole
