"""How far each neuron of a network moves when inputs do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, final

import numpy as np
import torch
from torch import Tensor, nn

from reseed._arrays import ArrayLike, Result, brief, give_back
from reseed._errors import InputError
from reseed.models import Activations, Modules, undisturbed
from reseed.robustness._inputs import input_tensor
from reseed.robustness.neurons._neuron_values import NeuronValues
from reseed.robustness.neurons._passes import Array, batches, layers_of


@final
@dataclass(frozen=True, eq=False)
class NeuronSensitivity:
    """How far neurons move.

    Attributes:
        values: The mean over pairs of inputs for each neuron.
        samples: The mean over all neurons for each pair [sample].
    """

    values: NeuronValues
    samples: Result


def activation_change(
    clean: ArrayLike, perturbed: ArrayLike, *, norm: Literal[1, 2] = 1, relative: bool | Literal["layer"] = False
) -> Result:
    """Return how far each neuron's activation moves between two versions of each sample.

        ||F_m(x_i) - F_m(x_i')||_1 / dim(F_m)

    Args:
        clean: Activations [sample, neuron] or, of neurons with places, [sample, neuron, place, ...].
        perturbed: Those of the perturbed samples, of the same shape.
        norm: 1 for the mean of absolute differences over the places, 2 for the root of the mean of their squares.
        relative: Whether to divide by the same norm of the clean activation. A neuron that was silent, with a norm of
            0, has 1 where it moves and 0 where it does not; one that was nearly silent can have any number. ``layer``
            divides by the mean of these norms over the neurons instead, so that no single one counts for much.

    Returns:
        Changes [sample, neuron], 0 or more, float64.

    Raises:
        InputError: Shapes differ, are of fewer than two axes, or an option is none of those.

    Examples:
        >>> activation_change([[1.0, 0.0, 0.0]], [[3.0, 2.0, 0.0]], relative=True)
        array([[2., 1., 0.]])
    """
    first, second = (input_tensor(value, name).cpu() for value, name in ((clean, "clean"), (perturbed, "perturbed")))
    if first.shape != second.shape or first.ndim < 2:
        raise InputError(
            f"clean and perturbed must have one shape [sample, neuron, ...], got {brief(first)} and {brief(second)}."
        )
    _check_options(norm, relative)
    return give_back(_change(first.double(), second.double(), norm, relative).numpy(), clean, perturbed)


def neuron_sensitivity(
    model: nn.Module,
    clean: ArrayLike,
    perturbed: ArrayLike,
    modules: Modules = None,
    *,
    norm: Literal[1, 2] = 1,
    relative: bool | Literal["layer"] = False,
    reduce: Literal["none", "mean", "max"] = "none",
    batch_size: int = 256,
) -> NeuronSensitivity:
    """Return how far a network's neurons move between clean and perturbed inputs.

        (1 / N) sum_i ||F_m(x_i) - F_m(x_i')||_1 / dim(F_m)

    of each neuron m, a unit of a dense layer or a channel of a convolution with its whole map. Lower is more stable.
    The network is asked in evaluation mode, batch by batch, and left as it was.

    Args:
        model: Inputs [sample, ...] to anything; of `Networks`, one run.
        clean: Inputs [sample, ...].
        perturbed: What became of each of them, of the same shape.
        modules: Names or classes of modules, as `Activations` takes them; by default dense layers, convolutions and
            recurrent layers, the logits included.
        norm: As in `activation_change`.
        relative: As in `activation_change`; only so can layers and networks be compared, whose scales are their own,
            and for columns of samples ``layer`` is the steadier one.
        reduce: What is compared of neurons with places: every place, or their mean or maximum.
        batch_size: Samples at a time.

    Returns:
        Means over samples for each neuron, and means over neurons for each sample.

    Raises:
        InputError: Shapes differ, there are no samples, modules are unknown, or activations are not finite.

    Examples:
        >>> model = nn.Linear(2, 1, bias=False)
        >>> _ = model.weight.data.copy_(torch.tensor([[3.0, -1.0]]))
        >>> found = neuron_sensitivity(model, torch.zeros(5, 2), torch.full((5, 2), 0.5))
        >>> found.values.mean, found.samples.shape
        (1.0, torch.Size([5]))

    References:
        Zhang et al., "Interpreting and Improving Adversarial Robustness of Deep Neural Networks with Neuron
        Sensitivity", arXiv 1909.06978.
    """
    shapes = [value.shape if isinstance(value, Tensor) else np.shape(value) for value in (clean, perturbed)]
    if tuple(shapes[0]) != tuple(shapes[1]):
        raise InputError(
            f"clean is {list(shapes[0])} but perturbed {list(shapes[1])}; pass each input in both versions."
        )
    _check_options(norm, relative)
    totals: dict[str, Array] = {}
    samples: list[Array] = []
    before: dict[str, Tensor] = {}

    def change(name: str, values: Tensor) -> Tensor:
        if name not in before or before[name].shape != values.shape:
            raise InputError(
                f"module {name!r} answers clean and perturbed inputs in different shapes; pass reduce='mean'."
            )
        return _change(before.pop(name), values, norm, relative)

    first = Activations(model, modules, reduce=reduce)
    second = Activations(model, modules, reduce=change if reduce == "none" else reduce)
    with undisturbed([model]):
        pairs = zip(
            batches(clean, "clean", model, batch_size), batches(perturbed, "perturbed", model, batch_size), strict=True
        )
        for one, other in pairs:
            with first:
                model(one)
            before.update(first.take())
            with second:
                model(other)
            found = second.take()
            if reduce != "none":
                found = {name: change(name, values) for name, values in found.items()}
            if before:
                raise InputError(
                    f"module {next(iter(before))!r} answers clean inputs, but not perturbed ones; leave it out."
                )
            moved = layers_of(found)
            for name, values in moved.items():
                totals[name] = totals.get(name, 0.0) + values.sum(0, dtype=np.float64)
            samples.append(np.concatenate(list(moved.values()), axis=1).mean(1, dtype=np.float64))
    each = np.concatenate(samples)
    means = NeuronValues({name: total / len(each) for name, total in totals.items()})
    return NeuronSensitivity(means, give_back(each, clean, perturbed))


def _check_options(norm: int, relative: bool | str) -> None:
    if norm not in (1, 2):
        raise InputError(f"norm={norm!r} is unknown; pass 1 or 2.")
    if relative not in (False, True, "layer"):
        raise InputError(f"relative={relative!r} is unknown; pass False, True or 'layer'.")


def _change(clean: Tensor, perturbed: Tensor, norm: int, relative: bool | str) -> Tensor:
    """Return changes [sample, neuron] of activations [sample, neuron, ...]."""
    if clean.dtype in (torch.float16, torch.bfloat16):
        clean, perturbed = clean.float(), perturbed.float()
    moved = _size(perturbed - clean, norm)
    if not relative:
        return moved
    size = _size(clean, norm)
    if relative == "layer":
        size = size.mean(1, keepdim=True)
    return torch.where(size > 0, moved / torch.where(size > 0, size, 1), (moved > 0).to(moved))


def _size(values: Tensor, norm: int) -> Tensor:
    """Return the mean absolute value over the places, or the root of the mean square; [sample, neuron]."""
    places = tuple(range(2, values.ndim))
    if not places:
        return values.abs()
    return values.abs().mean(places) if norm == 1 else values.square().mean(places).sqrt()
