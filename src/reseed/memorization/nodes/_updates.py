"""How groups of samples pull at the weights that lead into a node."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.func import functional_call

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError
from reseed.memorization.nodes._batches import batches, count_of
from reseed.memorization.nodes._given import Array, class_numbers, mask_of
from reseed.memorization.nodes._supported_cost import summed_loss
from reseed.models import Activations, Modules, undisturbed

_WEIGHTED = (nn.Linear, nn.Conv1d, nn.Conv2d, nn.Conv3d)


@final
@dataclass(frozen=True, eq=False)
class NodeUpdates:
    """The gradient of the summed loss in the weights that lead into each node, taken apart by groups of samples.

    Attributes:
        groups: Names of the groups.
        samples: How many samples each group has.
        gradients: By layer, [group, node, weight]; their sum over groups is that of all samples.
    """

    groups: tuple[Any, ...]
    samples: tuple[int, ...]
    gradients: Mapping[str, NDArray[np.float64]]

    @property
    def norms(self) -> dict[str, Array]:
        """The length of each group's gradient, [group, node] by layer."""
        return {name: np.linalg.norm(each, axis=-1) for name, each in self.gradients.items()}

    def share(self, group: Any) -> dict[str, Array]:
        """Return a group's part of the lengths, ``|g_group| / sum |g|``: [node] by layer, 0 to 1.

        NaN, with a warning, where no group has a gradient.

        Raises:
            InputError: There is no such group.
        """
        place = self._place(group)
        found = {}
        for name, norms in self.norms.items():
            total = norms.sum(0)
            found[name] = np.divide(norms[place], total, out=np.full(total.shape, np.nan), where=total > 0)
        self._tell(found, "share")
        return found

    def cosine(self, one: Any, other: Any) -> dict[str, Array]:
        """Return the cosine between the gradients of two groups, [node] by layer.

        1 where both ask for the same change, -1 where they undo each other. NaN, with a warning, where one has none.

        Raises:
            InputError: There is no such group.
        """
        first, second = self._place(one), self._place(other)
        found = {}
        for name, each in self.gradients.items():
            norms = np.linalg.norm(each, axis=-1)
            units = np.divide(each, norms[..., None], out=np.zeros_like(each), where=norms[..., None] > 0)
            cosine = np.clip((units[first] * units[second]).sum(-1), -1.0, 1.0)
            found[name] = np.where((norms[first] > 0) & (norms[second] > 0), cosine, np.nan)
        self._tell(found, "cosine")
        return found

    def _place(self, group: Any) -> int:
        if group not in self.groups:
            raise InputError(f"there is no group {group!r}; there are {', '.join(map(repr, self.groups))}.")
        return self.groups.index(group)

    def _tell(self, found: Mapping[str, Array], what: str) -> None:
        lost = {name: int(np.isnan(values).sum()) for name, values in found.items()}
        told = [f"{count} of {found[name].size} of layer {name!r}" for name, count in lost.items() if count]
        if told:
            message = f"nodes have no gradient to compare, and their {what} is NaN: {', '.join(told)}."
            warnings.warn(message, RuntimeWarning, stacklevel=3)


def node_update_decomposition(
    model: nn.Module,
    inputs: ArrayLike,
    targets: ArrayLike,
    groups: ArrayLike | Mapping[str, ArrayLike],
    layers: Modules = None,
    *,
    batch_size: int = 256,
) -> NodeUpdates:
    """Return what each group of samples asks of the weights that lead into each node.

        g_j = sum_groups sum_{s in group} dE_s / dw_j

    The update of a node is the sum of what groups ask for, so that a node whose update comes from corrupted samples
    alone serves them, and a node where clean and corrupted samples pull apart is fought over. E is the cross-entropy of
    a sample; biases are left out. The network is asked in evaluation mode and left as it was, frozen weights included.

    Args:
        model: One network, inputs to logits [sample, class].
        inputs: [sample, ...].
        targets: Numbers of the classes that the network is trained to answer, [sample].
        groups: Which samples are corrupted, [sample] of True and False, which makes the groups ``clean`` and
            ``corrupted``; a group for each sample, [sample]; or masks [sample] by name, of which each sample is in one.
        layers: Names or classes of dense layers and convolutions; by default all. A node is an output of the layer,
            the names are those of the layers with the weights, not of the gates behind them.
        batch_size: Samples at a time.

    Raises:
        InputError: Groups are no partition, targets do not fit the logits, or a layer has no such weights.
        InputTypeError: The model is no module.

    Examples:
        >>> model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
        >>> found = node_update_decomposition(model, torch.rand(6, 2), [0, 1, 2, 0, 1, 2], [0, 0, 0, 1, 1, 1])
        >>> found.groups, {name: values.shape for name, values in found.gradients.items()}
        ((0, 1), {'0': (2, 4, 2), '2': (2, 3, 4)})
    """
    weights = _weights(model, layers)
    rows, count = count_of(inputs)
    numbers = torch.from_numpy(class_numbers(targets, count))
    names, masks = _partition(groups, count)
    gradients = {name: np.zeros((len(names), len(weight), weight[0].numel())) for name, weight in weights.items()}
    own = {f"{name}.weight".lstrip("."): weight.detach().requires_grad_() for name, weight in weights.items()}
    with undisturbed([model], gradients=True):
        for place, mask in enumerate(masks):
            where = torch.from_numpy(np.flatnonzero(mask))
            for part in torch.split(where, batch_size) if len(where) else ():
                index = part.to(rows.device) if isinstance(rows, Tensor) else part.numpy()
                batch = next(batches(rows[index], model, batch_size))
                loss = summed_loss(functional_call(model, own, (batch,)), numbers[part])
                slopes = torch.autograd.grad(loss, list(own.values()), materialize_grads=True)
                for name, slope in zip(weights, slopes, strict=True):
                    gradients[name][place] += slope.flatten(1).double().cpu().numpy()
    return NodeUpdates(names, tuple(int(mask.sum()) for mask in masks), gradients)


def _weights(model: nn.Module, layers: Modules) -> dict[str, Tensor]:
    parts = {name: model.get_submodule(name) for name in Activations(model, layers).names}
    if layers is None:
        parts = {name: part for name, part in parts.items() if isinstance(part, _WEIGHTED)}
    found: dict[str, Tensor] = {}
    for name, part in parts.items():
        weight = dict(part.named_parameters(recurse=False)).get("weight")
        if weight is None or not isinstance(part, _WEIGHTED):
            raise InputError(
                f"layer {name!r} is a {type(part).__name__} without weights [node, ...] of its own; name dense layers "
                "and convolutions."
            )
        found[name] = weight
    if not found:
        raise InputError("model has no dense layer and no convolution; there are no weights that lead into nodes.")
    return found


def _partition(groups: ArrayLike | Mapping[str, ArrayLike], samples: int) -> tuple[tuple[Any, ...], Array]:
    """Return the names of groups, and which samples each has, [group, sample]."""
    if isinstance(groups, Mapping):
        masks = np.array([mask_of(mask, samples, f"groups[{name!r}]") for name, mask in groups.items()])
        times = masks.sum(0) if len(masks) else np.zeros(samples, dtype=np.int64)
        if (times != 1).any():
            sample = int(np.flatnonzero(times != 1)[0])
            raise InputError(
                f"groups must be a partition, but sample {sample} is in {times[sample]} of {list(groups)}; put each "
                "sample into one group."
            )
        return tuple(groups), masks
    labels = to_numpy(groups, "groups")
    if labels.shape != (samples,):
        raise InputError(f"groups is {brief(labels)} but there are {samples} samples; pass one group for each.")
    if labels.dtype == np.bool_:
        return ("clean", "corrupted"), np.stack([~labels, labels])
    if labels.dtype.kind not in "iuU":
        raise InputError(f"groups must be True and False, whole numbers or strings, got {brief(labels)}.")
    names = np.unique(labels)
    return tuple(names.tolist()), labels == names[:, None]
