"""What a network answers without its noisiest nodes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.memorization.nodes._batches import batches, count_of
from reseed.memorization.nodes._given import class_numbers, mask_of
from reseed.models import Activations, undisturbed


@final
@dataclass(frozen=True)
class Accuracies:
    """The share of right answers of three sets; of training samples, against the labels that they were given.

    Attributes:
        corrupted_train: Of corrupted training samples; NaN if there is none.
        clean_train: Of the other training samples; NaN if there is none.
        test: Of evaluation samples.
    """

    corrupted_train: float
    clean_train: float
    test: float


@final
@dataclass(frozen=True)
class PruningReport:
    """What zeroing the nodes of the highest scores does, and zeroing as many others.

    Attributes:
        before: Accuracies of the whole network.
        after: Without the nodes of the highest scores.
        at_random: Without as many nodes of each layer drawn at random, once for each draw.
        pruned: How many nodes were zeroed, by layer.
    """

    before: Accuracies
    after: Accuracies
    at_random: tuple[Accuracies, ...]
    pruned: Mapping[str, int]


@contextmanager
def prune_nodes(
    model: nn.Module, scores: Mapping[str, ArrayLike], quantile: float = 0.9
) -> Iterator[dict[str, NDArray[np.bool_]]]:
    """Zero what the nodes of the highest scores answer, while the `with` block lasts.

    Weights are not touched, and the network is as it was when the block is left. Nodes without a score (NaN, dead
    ones) are kept, and do not count.

    Args:
        model: One network.
        scores: [node] by layer, such as ``node_noise_content(...).content``, with the names of `sample_sets`.
        quantile: Which share of each layer's nodes is kept: 0.9 zeroes the tenth with the highest scores, rounded
            down; of equal scores the first.

    Yields:
        Which nodes are zeroed, [node] by layer.

    Raises:
        InputError: A score fits no layer, or the quantile is not in [0, 1].
        InputTypeError: The model is no module.

    Examples:
        >>> model = nn.Sequential(nn.Linear(2, 4), nn.ReLU())
        >>> with torch.no_grad(), prune_nodes(model, {"1": [0.1, 0.9, 0.2, 0.3]}, 0.75) as pruned:
        ...     answers = model(torch.rand(8, 2))
        >>> pruned["1"].tolist(), answers[:, 1].abs().sum().item()
        ([False, True, False, False], 0.0)
    """
    pruned = _highest(scores, quantile)
    with _zeroed(model, pruned):
        yield pruned


def pruning_report(
    model: nn.Module,
    scores: Mapping[str, ArrayLike],
    inputs: ArrayLike,
    targets: ArrayLike,
    corrupted: ArrayLike,
    test_inputs: ArrayLike,
    test_targets: ArrayLike,
    *,
    quantile: float = 0.9,
    draws: int = 5,
    seed: int = 0,
    batch_size: int = 1024,
) -> PruningReport:
    """Return accuracy with and without the nodes of the highest scores.

    If these nodes carry the corrupted samples, accuracy on them falls by more than accuracy on clean samples, and by
    more than without as many nodes at random.

    Args:
        model: One network, inputs to logits [sample, class].
        scores: [node] by layer, as `prune_nodes` takes them.
        inputs: Training inputs [sample, ...].
        targets: The labels that they were given, as numbers, [sample].
        corrupted: Which of them are corrupted, [sample].
        test_inputs: Evaluation inputs [sample, ...].
        test_targets: Their true labels, as numbers, [sample].
        quantile: As of `prune_nodes`.
        draws: How often as many nodes are drawn at random, among those that have a score; 0 for never.
        seed: Of the draws.
        batch_size: Samples at a time.

    Raises:
        InputError: Shapes do not fit, or something is wrong as of `prune_nodes`.

    Examples:
        >>> model, inputs = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 2)), torch.rand(6, 2)
        >>> labels, mask = [0, 1, 0, 1, 0, 1], [True, False, False, False, False, False]
        >>> report = pruning_report(model, {"1": [0.1, 0.2, 0.3, 0.4]}, inputs, labels, mask, inputs, labels)
        >>> report.pruned, len(report.at_random)
        ({'1': 0}, 5)
    """
    rows, count = count_of(inputs)
    others, other_count = count_of(test_inputs, "test_inputs")
    given, mask = class_numbers(targets, count), mask_of(corrupted, count)
    truth = class_numbers(test_targets, other_count)
    check_whole("draws", draws, 0)
    pruned = _highest(scores, quantile)

    def measured(without: Mapping[str, NDArray[np.bool_]] | None) -> Accuracies:
        with undisturbed([model]), nullcontext() if without is None else _zeroed(model, without):
            train, test = (
                np.concatenate([_answers(model, part) for part in batches(each, model, batch_size)])
                for each in (rows, others)
            )
        right = train == given
        return Accuracies(_share(right[mask]), _share(right[~mask]), _share(test == truth))

    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(draws):
        chosen = {}
        for name, own in pruned.items():
            live = np.flatnonzero(np.isfinite(to_numpy(scores[name], "scores")))
            chosen[name] = np.zeros_like(own)
            chosen[name][generator.permutation(live)[: int(own.sum())]] = True
        drawn.append(chosen)
    at_random = tuple(measured(chosen) for chosen in drawn)
    return PruningReport(
        measured(None), measured(pruned), at_random, {name: int(v.sum()) for name, v in pruned.items()}
    )


@contextmanager
def _zeroed(model: nn.Module, pruned: Mapping[str, NDArray[np.bool_]]) -> Iterator[None]:
    def without(name: str, values: Tensor) -> Tensor:
        if name not in pruned:
            return values
        if values.shape[1] != len(pruned[name]):
            raise InputError(f"scores[{name!r}] has {len(pruned[name])} nodes but the layer {values.shape[1]}.")
        kept = torch.from_numpy(~pruned[name]).to(values.device)
        return values * kept.view(-1, *[1] * (values.ndim - 2))

    # A module that is called several times has a name for each call.
    names = list(dict.fromkeys(name.partition("#")[0] for name in pruned))
    with Activations(model, names, replace=without):
        yield


def _highest(scores: Mapping[str, ArrayLike], quantile: float) -> dict[str, NDArray[np.bool_]]:
    if not 0 <= quantile <= 1:
        raise InputError(f"quantile must be in [0, 1], the share of nodes that are kept, got {quantile!r}.")
    if not scores:
        raise InputError("scores hold no layer; pass [node] by layer.")
    found = {}
    for name, given in scores.items():
        values = to_numpy(given, f"scores[{name!r}]")
        if values.ndim != 1 or values.dtype.kind not in "iuf":
            raise InputError(f"scores[{name!r}] is {brief(values)}; pass [node], of one run.")
        values = values.astype(np.float64)
        order = np.argsort(np.where(np.isnan(values), np.inf, -values), kind="stable")
        live = int(np.count_nonzero(~np.isnan(values)))
        found[name] = np.zeros(len(values), dtype=np.bool_)
        found[name][order[: int((1 - quantile) * live + 1e-9)]] = True
    return found


def _answers(model: nn.Module, part: Tensor) -> NDArray[np.int64]:
    logits = to_numpy(model(part), "the model's answers")
    if logits.ndim != 2:
        raise InputError(f"the model must answer logits [sample, class], got {brief(logits)}.")
    return np.asarray(logits.argmax(-1))


def _share(right: NDArray[np.bool_]) -> float:
    return float(right.mean()) if len(right) else float("nan")
