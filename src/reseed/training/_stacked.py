"""Several runs as one program on one device."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from itertools import islice
from typing import TypeVar, final

import numpy as np
import torch
from torch import Tensor, nn

from reseed.models import StackedModel, served, vmapped_model
from reseed.training._channels_last import ChannelsLast
from reseed.training._draws import DrawnDropout, DropoutDraws, Masks
from reseed.training._evaluated import EvaluatedWeights
from reseed.training._loop import AbstractTraining, Block
from reseed.training._memory import bytes_of_one_run
from reseed.training._objective import Taught
from reseed.training._products import is_large
from reseed.training._seeds import Seeds, seeds_of_peers
from reseed.training._shard import Shard
from reseed.training._snapshot import Snapshot, below, prefixed
from reseed.training._stack import AbstractStack, AutogradStack
from reseed.training._stacked_mlp import StackedMlp, is_mlp
from reseed.training._step import Step

T = TypeVar("T")

_MOST_RUNS = 64


@final
@dataclass(frozen=True, eq=False)
class StackedTraining(AbstractTraining):
    """Several runs of a recipe, trained together: one step of all runs is one step of one program.

    Each run has its own initial weights, batch order, dropout and augmentation, bit for bit those that `Training` gives
    the same seeds, and its own optimiser state, gradient clipping and batch-norm statistics. Arithmetic is the same up
    to rounding. A run that stops being finite does not touch its neighbours. The data is held once.

    Args:
        recipe: What to do.
        architecture: The factory that the recipe names; see `check_can_stack`.
        data: The training set.
        seeds: The words of each run.
        bootstrap: Whether each run trains on its own resample of the training set.
        taught: What teachers say of the training set, see `Taught`.
        monitor: See `AbstractTraining`.
        begun: See `AbstractTraining`; with as many threads, which cut the runs in parts.
    """

    seeds: tuple[Seeds, ...]
    bootstrap: bool = False
    taught: Taught = ()

    @cached_property
    def networks(self) -> tuple[Seeds, ...]:
        """The words of each network: one a run, or its peers one after the other."""
        peers = self.recipe.peers
        return self.seeds if peers is None else tuple(one for own in self.seeds for one in seeds_of_peers(own, peers))

    @cached_property
    def shards(self) -> tuple[Shard, ...]:
        """The runs' models, in training mode, in parts that may step at once."""
        networks, size = len(self.networks), _shard_size(self)
        parts = [slice(first, min(first + size, networks)) for first in range(0, networks, size)]
        return tuple(self._shard(number, part) for number, part in enumerate(parts))

    def _shard(self, number: int, part: slice) -> Shard:
        seeds = self.networks[part]
        begun = None if self.begun is None else below(_shard_name(number), self.begun.tensors)
        return Shard(self, self._stack(seeds), part, seeds, self._taught(part), self.bootstrap, begun)

    def snapshot(self, made: int) -> Snapshot:
        """Return where it stands, see `AbstractTraining`."""
        states = [prefixed(_shard_name(number), shard.state()) for number, shard in enumerate(self.shards)]
        return Snapshot(made, {name: tensor for state in states for name, tensor in state.items()})

    def steps(self) -> Iterator[Step]:
        """Train, yielding after every optimisation step of all runs; gradients and inputs stay until the next one."""
        for number, rows in enumerate(self._rows(), self.made):
            yield _together(self._each(partial(Shard.step, number=number, rows=rows)), rows)

    def blocks(self, stops: Iterable[int]) -> Iterator[Block]:
        """Train as `AbstractTraining` says; each shard goes from stop to stop by itself, while the cache holds it."""
        rows, number = self._rows(), self.made
        for stop in stops:
            batches = list(islice(rows, stop - number))
            losses, signals = zip(*self._each(partial(Shard.advance, first=number, batches=batches)), strict=True)
            yield Block(
                self.seen(batches, number),
                self._of_runs(losses),
                {name: self._of_runs([one[name] for one in signals]) for name in signals[0]},
            )
            number = stop

    @property
    def trained(self) -> list[nn.Parameter]:
        """What the optimisers change."""
        return [parameter for shard in self.shards for parameter in shard.stack.trained]

    def predict(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class]; all runs see the same inputs [sample, ...]."""
        return self._served(self._of_networks(inputs))

    def predict_dropped(self, inputs: Tensor, number: int) -> Tensor:
        """Return the logits [run, sample, class] of a pass with dropout."""
        return self._served(torch.cat(self._each(partial(Shard.predict_dropped, inputs=inputs, number=number))))

    def answers(self, inputs: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return logits, and where the runs' networks have them abstain; see `AbstractTraining`."""
        networks = self._of_networks(inputs)
        served, peers = self._served(networks), self.recipe.peers
        method = next((one for one in self.recipe.mitigations if one.may_abstain), None)
        if peers is None or method is None:
            return served, None
        members = networks.view(len(self.seeds), peers.count, *networks.shape[1:])
        # numpy's argmax promises the first of equal values; torch's does not on every device.
        labels, votes = (torch.from_numpy(values.cpu().numpy().argmax(-1)) for values in (served, members))
        return served, method.abstains(labels, votes)

    def _of_networks(self, inputs: Tensor) -> Tensor:
        """Return logits [network, sample, class], those of a run one after the other."""
        return torch.cat(self._each(partial(Shard.predict, inputs=inputs)))

    def _served(self, logits: Tensor) -> Tensor:
        """Return what runs predict, [run, sample, class], of the logits of their networks."""
        peers = self.recipe.peers
        return logits if peers is None else served(logits, peers.count, peers.serve)

    @cached_property
    def example(self) -> nn.Module:
        """A freshly drawn model."""
        return self.draw(0)

    def evaluated_weights(self) -> list[EvaluatedWeights]:
        """Return what the networks of all runs are evaluated with."""
        return [weights for shard in self.shards for weights in shard.evaluated_weights()]

    def present_weights(self) -> list[EvaluatedWeights]:
        """Return what the networks of all runs are at this moment."""
        return [weights for shard in self.shards for weights in shard.present_weights()]

    def squares(self) -> list[Mapping[str, Tensor]]:
        """Return what the optimisers of all runs remember of squared gradients."""
        return [each for shard in self.shards for each in shard.squares()]

    def _of_runs(self, shards: Sequence[Tensor]) -> Tensor:
        """Return the mean over each run's networks, [step, run]; not finite as soon as one of them is not."""
        each = torch.cat(list(shards), dim=1)
        return each.view(len(each), len(self.seeds), -1).mean(-1)

    def _rows(self) -> Iterator[Tensor]:
        """Yield the rows [run, sample] of the batches of each step that is left."""
        orders = zip(*(self.orders(seeds, self.bootstrap) for seeds in self.networks), strict=True)
        yield from islice(self.batches(np.stack(order) for order in orders), self.made, None)

    def _taught(self, part: slice) -> Taught:
        """Return what teachers say to the runs of a part of the networks."""
        peers = 1 if self.recipe.peers is None else self.recipe.peers.count
        runs = slice(part.start // peers, part.stop // peers)
        return tuple(one if one is None or len(one) == 1 else one[runs] for one in self.taught)

    def _stack(self, seeds: Sequence[Seeds]) -> AbstractStack:
        peers = 1 if self.recipe.peers is None else self.recipe.peers.count
        models = [self.begin(own, self.bootstrap, place % peers) for place, own in enumerate(seeds)]
        words = [own.dropout for own in seeds]
        return stack_models(models, words, is_native=self.architecture.is_native, device=self.data.inputs.device)

    def _each(self, function: Callable[[Shard], T]) -> list[T]:
        """Call a function with every shard, in as many threads at once as arithmetic may use."""
        return list((map if self._pool is None else self._pool.map)(function, self.shards))

    @cached_property
    def _pool(self) -> ThreadPoolExecutor | None:
        """Threads whose operations have a single thread each."""
        threads = min(torch.get_num_threads(), len(self.shards))
        return ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) if threads > 1 else None


def _shard_name(number: int) -> str:
    return f"shard{number}."


def _together(steps: Sequence[Step], rows: Tensor) -> Step:
    if len(steps) == 1:
        return steps[0]
    _, _, inputs, logits, losses, norms = zip(*steps, strict=True)
    norm = None if norms[0] is None else torch.cat(norms)
    return Step(steps[0].number, rows, torch.cat(inputs), torch.cat(logits), torch.cat(losses), norm)


def trains_apart(training: StackedTraining) -> bool:
    """Whether each of the runs fills a core of a CPU by itself, so that threads had better share runs than operations.

    Such are native networks on images, and fully connected ones with large layers.
    """
    if not _is_native_on_cpu(training):
        return False
    model = training.draw(0)
    batch = min(training.recipe.batch_size, len(training.data.labels))
    layers = [layer for layer in model.modules() if isinstance(layer, nn.Linear)]
    return not is_mlp(model) or any(is_large(layer.out_features, layer.in_features, batch) for layer in layers)


def rounds_apart(training: StackedTraining) -> bool:
    """Whether each of the runs is computed by itself, so that no bit of it depends on which others the program has.

    Such are native networks on images on a CPU.
    """
    return _is_native_on_cpu(training) and not is_mlp(training.draw(0))


def _is_native_on_cpu(training: StackedTraining) -> bool:
    return training.data.inputs.device.type == "cpu" and training.architecture.is_native


def _shard_size(training: StackedTraining) -> int:
    """Return how many networks step together; those of a run always do."""
    runs, peers = len(training.seeds), len(training.networks) // len(training.seeds)
    if rounds_apart(training):  # convolutions of several runs at once are slower, see `ChannelsLast`
        return peers
    if not trains_apart(training):
        return runs * peers
    return math.ceil(runs / torch.get_num_threads()) * peers


def stack_models(
    models: Sequence[nn.Module], dropout: Sequence[int], *, is_native: bool, device: torch.device
) -> AbstractStack:
    """Return K models as one.

    Args:
        models: Freshly drawn models of one factory, on the device; they are used up.
        dropout: The dropout word of each run.
        is_native: Whether they are reseed's own.
        device: Where they train.

    Raises:
        ModelError: A layer cannot be stacked; the message names it.
    """
    masks = Masks(dropout)
    if not is_native:
        return AutogradStack(vmapped_model(models, DropoutDraws(masks).of_run).to(device), masks)
    networks = [model for model in models if is_mlp(model)]
    if len(networks) == len(models):
        return StackedMlp(networks, masks)
    if device.type == "cpu" and len(models) == 1:
        return ChannelsLast(models[0], dropout[0])
    return AutogradStack(StackedModel(models, lambda p: DrawnDropout(p, masks)), masks)


def group_size(training: StackedTraining) -> int:
    """Return how many runs to train as one program: what half of the free memory holds, at most 64."""
    each = bytes_of_one_run(training.recipe, training.architecture, training.data)
    each *= len(training.networks) // len(training.seeds)
    return int(max(2, min(_MOST_RUNS, _free_bytes(training.data.inputs.device) // 2 // each)))


def _free_bytes(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, AttributeError):  # a system that does not tell
        return 2 << 30
