"""What each sample's loss asks of each node that it switches on."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from reseed._arrays import ArrayLike, Result, brief, float_array, give_back, undefined
from reseed._errors import InputError
from reseed.memorization.nodes._answers import to_host
from reseed.memorization.nodes._batches import batches, count_of
from reseed.memorization.nodes._gates import gates_of, replacing
from reseed.memorization.nodes._given import Array, class_numbers, mask_of
from reseed.models import Modules, undisturbed


def node_supported_cost(
    model: nn.Module,
    inputs: ArrayLike,
    targets: ArrayLike,
    layers: Modules = None,
    threshold: float | None = None,
    *,
    batch_size: int = 256,
) -> dict[str, Result]:
    """Return the derivative of each sample's loss in the pre-activation of each node that it switches on.

        lambda_js = dE_s / dz_js where z_js > 0, else 0

    With ReLU this is the sum over the outputs b of (p_b - 1[b = y]) times the products of weights along all paths from
    the node to b on which every node is on. The weights of a dense layer move by -rate sum_s a_s lambda_s, with a the
    answers of the layer before. E is the cross-entropy. Of a channel, derivatives are summed over the positions that
    are on. One forward and one backward pass, for all layers together.

    Args:
        model: One network, inputs to logits [sample, class].
        inputs: [sample, ...].
        targets: Numbers of the classes that the network is trained to answer, wrong ones included, [sample].
        layers: As `sample_sets` takes them.
        threshold: As `sample_sets` takes it.
        batch_size: Samples at a time.

    Returns:
        [sample, node] by layer, in the network's precision. Memory is that of all samples times all nodes.

    Raises:
        InputError: No layer is gated, targets do not fit the logits, or derivatives are not finite.
        InputTypeError: The model is no module.

    Examples:
        >>> model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 2, bias=False)).double()
        >>> for weight in model.parameters():
        ...     _ = nn.init.constant_(weight, 1.0)
        >>> node_supported_cost(model, [[1.0], [-1.0]], [0, 0])["1"].round(3).tolist()  # (p - 1) + p, p = 0.5; off
        [[0.0], [0.0]]

    References:
        Theunissen, Davel and Barnard, "Insights regarding overfitting on noise in deep learning", FAIR 2019.
    """
    gates = gates_of(model, layers, threshold)
    rows, count = count_of(inputs)
    numbers = torch.from_numpy(class_numbers(targets, count))
    parts: list[dict[str, Array]] = []
    live: dict[str, Tensor] = {}

    def kept(name: str, values: Tensor) -> Tensor:
        # The network goes on with a copy: a gate that works in place would write over what is differentiated in.
        live[name] = own = values.clone()
        if not own.requires_grad:
            own.requires_grad_()
        return own.clone()

    start = 0
    with undisturbed([model], gradients=True), replacing(model, gates, kept):
        for part in batches(rows, model, batch_size):
            live.clear()
            loss = summed_loss(model(part), numbers[start : start + len(part)])
            start += len(part)
            if not len(live):
                raise InputError("no gated layer took part in what the model did; name the layers.")
            slopes = torch.autograd.grad(loss, list(live.values()), materialize_grads=True)
            found = {}
            for (name, values), slope in zip(live.items(), slopes, strict=True):
                cost = slope * (values > gates.threshold)
                found[name] = to_host(cost.flatten(2).sum(-1) if cost.ndim > 2 else cost)
                if not np.isfinite(found[name]).all():
                    raise InputError(
                        f"the loss has no finite derivative in layer {name!r}; find the run that diverged."
                    )
            parts.append(found)
    return {name: give_back(np.concatenate([one[name] for one in parts]), inputs) for name in parts[0]}


def weighted_noise_share(costs: Mapping[str, ArrayLike], corrupted: ArrayLike) -> dict[str, Array]:
    """Return how much of what asks a node to change comes from corrupted samples.

        sum_{s in C} |lambda_js| / sum_s |lambda_js|

    Args:
        costs: What `node_supported_cost` found on the training data, [sample, node] by layer.
        corrupted: Which samples are corrupted, [sample].

    Returns:
        [node] by layer, 0 to 1: about the share of corrupted samples before training, more once clean samples are
        fitted. NaN, with a warning, of nodes that nothing asks to change, dead ones among them.

    Raises:
        InputError: ``corrupted`` has another length, or costs are not [sample, node].

    Examples:
        >>> weighted_noise_share({"hidden": [[0.3, 0.0], [-0.1, 0.2]]}, [True, False])
        {'hidden': array([0.75, 0.  ])}
    """
    found, none = {}, {}
    for name, cost in costs.items():
        size = np.abs(float_array(cost, f"the costs of layer {name!r}").astype(np.float64))
        if size.ndim != 2:
            raise InputError(f"the costs of layer {name!r} are {brief(size)}; pass [sample, node].")
        mask = mask_of(corrupted, len(size))
        total = size.sum(0)
        found[name] = np.divide(size[mask].sum(0), total, out=np.full(total.shape, np.nan), where=total > 0)
        if count := int(np.count_nonzero(total == 0)):
            none[name] = f"{count} of {total.size} of layer {name!r}"
    if none:
        undefined(f"no sample asks nodes to change, and their share is NaN: {', '.join(none.values())}.")
    return found


def summed_loss(logits: object, targets: Tensor) -> Tensor:
    """Return the cross-entropy of a batch, summed over its samples.

    Raises:
        InputError: Logits are not [sample, class], or have no class of a target.
    """
    if not isinstance(logits, Tensor) or logits.ndim != 2 or len(logits) != len(targets):
        shown = brief(logits) if isinstance(logits, Tensor) else f"a {type(logits).__name__}"
        raise InputError(f"the model answers {shown} to {len(targets)} samples; it must answer logits [sample, class].")
    if len(targets) and int(targets.max()) >= logits.shape[1]:
        raise InputError(
            f"targets holds {int(targets.max())} but the model has {logits.shape[1]} classes, numbered from 0 on."
        )
    return cross_entropy(logits, targets.to(logits.device), reduction="sum")
