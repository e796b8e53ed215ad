"""What is evaluated: networks, what they are asked, and in which units their inputs are changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Literal, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from reseed._errors import InputError
from reseed.models import Networks
from reseed.perturbations.attacks import Bounds
from reseed.studies import StudyInputs

Kind = Literal["images", "features", "text features", "token ids"]
_ROWS = 4096  # samples of which changed versions are made at once, fewer of large ones
_NUMBERS = 1 << 22


@final
@dataclass(frozen=True, eq=False)
class Subject:
    """Networks and the samples that they are asked about.

    Attributes:
        networks: They take ``inputs``.
        inputs: Those of the samples that are asked about, [sample, ...], in the units in which they are changed:
            features in standard deviations of the training samples.
        targets: Their labels, [sample]; -1 where unknown.
        numbers: Their places among all samples, [sample].
        kind: What inputs are.
        bounds: The least and the largest value of inputs, which may be infinite.
        frozen: Features that never differ and so are not changed, true there; or None.
        train: Inputs of samples that the networks were trained on, [sample, ...], or None where they are not known.
        texts: The samples' texts, where they are texts.
        transform: Makes inputs of texts.
        notes: What a reader should know of all this.
    """

    networks: Networks
    inputs: Tensor
    targets: NDArray[np.int64]
    numbers: NDArray[np.int64]
    kind: Kind
    bounds: tuple[Any, Any]
    frozen: Tensor | None = None
    train: Tensor | None = None
    texts: tuple[str, ...] | None = None
    transform: Callable[[Sequence[str]], Tensor] | None = None
    notes: tuple[str, ...] = ()

    @property
    def runs(self) -> int:
        """How many networks there are."""
        return len(self.networks)

    @property
    def samples(self) -> int:
        """How many samples are asked about."""
        return len(self.inputs)

    @property
    def is_continuous(self) -> bool:
        """Whether inputs can be changed a little."""
        return self.kind != "token ids"

    @cached_property
    def logits(self) -> Tensor:
        """What the networks answer, [run, sample, class]."""
        return self.ask(self.inputs)

    @cached_property
    def answers(self) -> NDArray[np.int64]:
        """Their answers, [run, sample]."""
        return np.asarray(self.logits.argmax(-1).cpu().numpy(), np.int64)

    @cached_property
    def is_right(self) -> NDArray[np.float64]:
        """1 where an answer is right, 0 where it is wrong, NaN where the label is not known, [run, sample]."""
        right = (self.answers == self.targets).astype(np.float64)
        return np.where(self.targets >= 0, right, np.nan)

    def ask(self, inputs: Tensor) -> Tensor:
        """Return logits [run, sample, class] of inputs [sample, ...], on the CPU."""
        inputs = inputs.to(self.device)
        if inputs.ndim == 4:
            inputs = inputs.contiguous(memory_format=torch.channels_last)  # pooling is slow in the other order
        return self.networks.predict(inputs).cpu()

    def answered(self, inputs: Tensor) -> NDArray[np.int64]:
        """Return answers to inputs, [run, sample]."""
        return np.asarray(self.ask(inputs).argmax(-1).numpy(), np.int64)

    @property
    def device(self) -> torch.device:
        """Where the networks are."""
        return next((each.device for each in self.networks.parameters()), torch.device("cpu"))

    @property
    def value_range(self) -> tuple[float, float]:
        """The least and the largest value that images can have; where there are no bounds, that they have."""
        low, high = (float(find(np.asarray(end))) for find, end in zip((np.min, np.max), self.bounds, strict=True))
        if math.isfinite(low) and math.isfinite(high):
            return low, high
        least, most = (float(value) for value in self.inputs.aminmax())
        return least, max(most, math.nextafter(least, math.inf))

    @property
    def batches(self) -> list[slice]:
        """Spans of the samples, so that changed versions of each fit into memory."""
        size = max(1, min(_ROWS, _NUMBERS // max(1, math.prod(self.inputs.shape[1:]))))
        return [slice(first, min(first + size, self.samples)) for first in range(0, self.samples, size)]


def subject_of(
    networks: Networks,
    found: StudyInputs,
    train: Tensor | None,
    numbers: NDArray[np.int64],
    bounds: Bounds | Literal["auto"],
) -> Subject:
    """Return what is evaluated of networks and what they take; see `Subject`.

    Raises:
        InputError: Bounds are given for features, whose units are standard deviations.
    """
    places = torch.from_numpy(numbers)
    inputs, targets = found.inputs[places], np.asarray(found.targets)[numbers]
    kind = _kind(found)
    texts = transform = None
    if isinstance(found.raw, tuple):
        texts, transform = tuple(found.raw[number] for number in numbers), found.transform
    subject = Subject(
        networks, inputs, targets, numbers, kind, (0.0, 1.0), train=train, texts=texts, transform=transform
    )
    if kind == "features":
        if bounds != "auto":
            raise InputError(
                "bounds cannot be given for features, which are changed in units of their standard deviation; leave "
                "them out."
            )
        return _standardised(subject)
    if kind == "images" and bounds == "auto":
        return _images(subject)
    if kind == "text features" and bounds == "auto":
        return replace(subject, bounds=(0.0 if bool((inputs >= 0).all()) else -math.inf, math.inf))
    return subject if bounds == "auto" else replace(subject, bounds=bounds or (-math.inf, math.inf))


def _kind(found: StudyInputs) -> Kind:
    named = found.preprocessing.get("kind")
    if not found.inputs.is_floating_point():
        return "token ids"
    if named in ("tf-idf", "encoder features"):
        return "text features"
    return "images" if found.inputs.ndim == 4 else "features"


def _images(subject: Subject) -> Subject:
    least, most = (float(value) for value in subject.inputs.aminmax())
    if least >= 0 and most <= 1:
        return subject
    note = (
        f"Inputs lie between {least:.4g} and {most:.4g}, not in [0, 1]: they seem to be normalised outside the "
        "network, so budgets are in those units, and images are not corrupted. Put the normalisation into the network, "
        "or pass bounds."
    )
    return replace(subject, bounds=(least, most), notes=(note,))


def _standardised(subject: Subject) -> Subject:
    """Return a subject whose inputs are in standard deviations of the training samples around their mean."""
    known = subject.inputs if subject.train is None else subject.train
    flat = known.flatten(1).double()
    mean, deviation = flat.mean(0), flat.std(0, correction=0)
    frozen = deviation <= 1e-12 * flat.abs().amax(0).clamp_min(1e-300)
    scale = torch.where(frozen, 1.0, deviation)
    shape, dtype, device = known.shape[1:], known.dtype, subject.device
    centre, unit = (each.to(dtype).view(shape) for each in (mean, scale))
    there, one = centre.to(device), unit.to(device)

    def before(inputs: Tensor) -> Tensor:
        return inputs * one + there

    notes = ["Features are changed in units of their standard deviation over the training samples."]
    if subject.train is None:
        notes = ["Features are changed in units of their standard deviation over the samples asked about."]
    if bool(frozen.any()):
        notes.append(f"{int(frozen.sum())} features never differ and are not changed.")
    return replace(
        subject,
        networks=subject.networks.after(before),
        inputs=(subject.inputs - centre) / unit,
        train=None if subject.train is None else (subject.train - centre) / unit,
        bounds=(-math.inf, math.inf),
        frozen=frozen.view(shape) if bool(frozen.any()) else None,
        notes=tuple(notes),
    )
