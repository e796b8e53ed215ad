"""How much of what a network's neurons can do a set of inputs makes them do."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import Any, Literal, final

import numpy as np
from torch import nn

from reseed._arrays import ArrayLike, Result, give_back, undefined
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.models import Activations, Modules, undisturbed
from reseed.robustness.neurons._marks import LayerMarks, highest, numbers_of, scaled
from reseed.robustness.neurons._passes import Array, Layers, batches, check_same_layers, layers_of
from reseed.robustness.neurons._ranges import NeuronRange, ranged

_DIGEST = 16  # bytes that are kept of a pattern


@final
@dataclass(frozen=True, eq=False)
class NeuronCoverage:
    """What share of its neurons' possible behaviour a set T of inputs reaches.

    M neurons j have activations ``phi_j(x)``, and on the training data the range ``[low_j, high_j]``.

    Attributes:
        kmncov: k-multisection coverage, ``sum_j |{sections of j that T hits}| / (k M')``: the range of each neuron in
            k equal sections, over the M' neurons whose range has a width. NaN if none has.
        nbcov: Boundary coverage, ``(|upper| + |lower|) / (2 M)``: neurons that go above ``high_j``, or below
            ``low_j``; one that does both counts twice.
        snacov: Strong activation coverage, ``|upper| / M``.
        tkncov: Top-k coverage, the share of neurons that are among the k highest of their layer for some input.
        nc: Neuron coverage, the share of neurons that exceed a threshold for some input, once activations are scaled
            within their layer, for that input, to [0, 1].
        tknp: Top-k patterns, how many different combinations of the highest neurons of all layers there are: a count.
        neurons: M.
        zero_width: Neurons that answered the training data with one value, which kmncov leaves out.
        samples: Inputs in T.
        corner_share: Share of the M neurons that each input drives out of their range [sample].
    """

    kmncov: float
    nbcov: float
    snacov: float
    tkncov: float
    nc: float
    tknp: int
    neurons: int
    zero_width: int
    samples: int
    corner_share: Result


@final
class Coverage:
    """Neuron coverage of batches of activations, in memory that does not hold them.

    Kept are a mark for each section of each neuron, and of each sample one number and a digest of its pattern. The
    order and the size of the batches do not matter.

    Args:
        ranges: What the neurons did on the training data.
        sections: Into how many each range is divided, k of kmncov. The value ``low_j`` is in the first section,
            ``high_j`` in the last, an inner edge in the section above it, and what is outside in none.
        top: How many neurons of a layer are its highest for tkncov; ties go to the lower number.
        threshold: Above which a scaled activation counts for nc. A layer that answers one value has none above it.
        pattern_top: How many neurons of a layer make its pattern for tknp.
        slack: By which share of its width an activation must be beyond a range to be out of it. Between, it belongs to
            the first or last section.

    Raises:
        InputError: The ranges have seen nothing, or an option is out of range.

    Examples:
        >>> ranges = NeuronRange()
        >>> ranges.update([[0.0, 0.0], [1.0, 1.0]])
        >>> coverage = Coverage(ranges, sections=2)
        >>> coverage.update([[0.2, 3.0], [0.4, 0.5]])
        >>> found = coverage.compute()
        >>> found.kmncov, found.nbcov, found.snacov, found.corner_share.tolist()
        (0.5, 0.25, 0.5, [0.5, 0.0])
    """

    def __init__(
        self,
        ranges: NeuronRange,
        *,
        sections: int = 20,
        top: int = 3,
        threshold: float = 0.2,
        pattern_top: int = 2,
        slack: float = 0.0,
    ) -> None:
        for name, value in (("sections", sections), ("top", top), ("pattern_top", pattern_top)):
            check_whole(name, value)
        if not 0 <= threshold < 1:
            raise InputError(f"threshold must be in [0, 1), got {threshold!r}.")
        if not 0 <= slack < 1:
            raise InputError(f"slack must be in [0, 1), a share of each neuron's range, got {slack!r}.")
        self._options: dict[str, Any] = {
            "sections": sections,
            "top": top,
            "threshold": threshold,
            "pattern_top": pattern_top,
            "slack": slack,
        }
        self._layers = {
            name: LayerMarks(low.astype(np.float64), ranges.high[name].astype(np.float64), sections, slack)
            for name, low in ranges.low.items()
        }
        self._patterns: set[bytes] = set()
        self._corners: list[Array] = []

    def update(self, activations: Layers | ArrayLike) -> None:
        """Take a batch of activations.

        Args:
            activations: [sample, neuron] by layer, as `Activations.take` returns them; or one layer's array.

        Raises:
            InputError: Values are not finite, or layers are other than those of the ranges.
        """
        batch = layers_of(activations)
        check_same_layers({name: layer.low for name, layer in self._layers.items()}, batch)
        outside, patterns = [], []
        for name, layer in self._layers.items():
            values = batch[name].astype(np.float64, copy=False)
            outside.append(layer.mark(values))
            layer.top |= highest(values, self._options["top"]).any(0)
            layer.active |= (scaled(values) > self._options["threshold"]).any(0)
            patterns.append(numbers_of(highest(values, self._options["pattern_top"])))
        self._corners.append(np.sum(outside, axis=0) / self._neurons)
        rows = np.concatenate(patterns, axis=1)
        self._patterns.update(hashlib.blake2b(row, digest_size=_DIGEST).digest() for row in rows)

    def merge(self, other: Coverage) -> Coverage:
        """Return the coverage of what both have seen, the samples of the other after one's own; neither changes.

        Raises:
            InputError: They have other ranges or options.
        """
        layers, others = self._layers, other._layers
        if self._options != other._options:
            raise InputError(f"coverages with other options cannot be merged: {self._options} and {other._options}.")
        if list(layers) != list(others) or not all(layers[name].is_like(others[name]) for name in layers):
            raise InputError("coverages over other ranges cannot be merged; make both from one `NeuronRange`.")
        both = Coverage.__new__(Coverage)
        both._options = self._options
        both._layers = {name: layer.merged(others[name]) for name, layer in layers.items()}
        both._patterns = self._patterns | other._patterns
        both._corners = [*self._corners, *other._corners]
        return both

    def compute(self) -> NeuronCoverage:
        """Return the coverage of all batches until now.

        Raises:
            InputError: There was none.
        """
        corners = np.concatenate([*self._corners, np.empty(0)])
        if not len(corners):
            raise InputError("the coverage has seen no samples yet; update it with activations.")
        layers, neurons = self._layers.values(), self._neurons
        constant = sum(int(np.count_nonzero(~layer.has_width)) for layer in layers)
        if constant == neurons:
            undefined("no neuron has a range of some width on the training data; kmncov is NaN.")
        upper, lower, top, active, hit = (
            sum(int(np.count_nonzero(getattr(layer, name))) for layer in layers)
            for name in ("upper", "lower", "top", "active", "hit")
        )
        return NeuronCoverage(
            kmncov=hit / (self._options["sections"] * (neurons - constant)) if constant < neurons else float("nan"),
            nbcov=(upper + lower) / (2 * neurons),
            snacov=upper / neurons,
            tkncov=top / neurons,
            nc=active / neurons,
            tknp=len(self._patterns),
            neurons=neurons,
            zero_width=constant,
            samples=len(corners),
            corner_share=corners,
        )

    @property
    def _neurons(self) -> int:
        return sum(len(layer.low) for layer in self._layers.values())


def neuron_coverage(
    model: nn.Module,
    profile: ArrayLike | NeuronRange,
    inputs: ArrayLike,
    modules: Modules = None,
    *,
    sections: int = 20,
    top: int = 3,
    threshold: float = 0.2,
    pattern_top: int = 2,
    slack: float = 1e-5,
    reduce: Literal["mean", "max"] = "mean",
    batch_size: int = 256,
) -> NeuronCoverage:
    """Return how much of a network's neurons inputs cover, by all measures, in one pass over each set of inputs.

    A neuron is a unit of a dense layer or a channel of a convolution, whose activation is the mean over its pixels.
    The network is asked in evaluation mode, batch by batch, and left as it was.

    Args:
        model: Inputs [sample, ...] to anything; of `Networks`, one run.
        profile: The training data [sample, ...], or what `neuron_ranges` found on it.
        inputs: The inputs whose coverage is asked [sample, ...].
        modules: Names or classes of modules, as `Activations` takes them; by default dense layers, convolutions and
            recurrent layers, the logits included.
        sections: k of kmncov.
        top: k of tkncov.
        threshold: Of nc.
        pattern_top: k of tknp.
        slack: By which share of its width an activation must be beyond a range to be out of it; 0 is the definition.
            Networks round differently in batches of other sizes, which alone can put a sample of the training data out
            of the range that it made.
        reduce: What the activation of a neuron with places is.
        batch_size: Samples at a time.

    Returns:
        The coverage, and by sample the share of neurons that are out of their range.

    Raises:
        InputError: There are no samples, modules are unknown, activations are not finite, or an option is out of range.

    Examples:
        >>> import torch
        >>> model = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 3))
        >>> training = torch.rand(50, 4)
        >>> found = neuron_coverage(model, training, training)
        >>> found.snacov, found.nbcov, found.neurons, found.corner_share.sum().item()
        (0.0, 0.0, 11, 0.0)

    References:
        Ma et al., "DeepGauge: Multi-Granularity Testing Criteria for Deep Learning Systems", ASE 2018; Pei et al.,
        "DeepXplore: Automated Whitebox Testing of Deep Learning Systems", SOSP 2017, for nc.
    """
    if not isinstance(profile, NeuronRange):
        profile = ranged(model, profile, "profile", modules, reduce, batch_size)
    coverage = Coverage(profile, sections=sections, top=top, threshold=threshold, pattern_top=pattern_top, slack=slack)
    seen = Activations(model, modules, reduce=reduce)
    with undisturbed([model]), seen:
        for part in batches(inputs, "inputs", model, batch_size):
            model(part)
            coverage.update(seen.take())
    found = coverage.compute()
    return replace(found, corner_share=give_back(found.corner_share, inputs))
