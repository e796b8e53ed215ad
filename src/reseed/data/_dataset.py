"""Labelled samples with ids: the one form in which the rest of reseed sees data."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch

from reseed._errors import DataError

UNKNOWN_LABEL = -1
"""The label of a sample whose class is not known or not among the classes; evaluation splits only."""


def shown(values: Iterable[object], most: int = 3) -> str:
    """Lists a few values for a message: `'a', 'b', 'c' and 4 more`."""
    listed = [repr(value) for value in values]
    rest = len(listed) - most
    return ", ".join(listed[:most]) + (f" and {rest} more" if rest > 0 else "")


@dataclass(frozen=True, eq=False)
class Dataset:
    """One split of a data set: inputs, labels and the ids that tell samples apart across retrainings.

    Attributes:
        name: name of the data set.
        split: name of the split, such as `train` or `test`.
        inputs: float32 features `[sample, feature]`, float32 images `[sample, channel, height, width]` in
            [0, 1], or a tuple of texts, one for each sample.
        labels: int64 `[sample]`, positions in `class_names`; -1 says "unknown" and is refused where `split`
            is `train`.
        sample_ids: a unique id for each sample.
        class_names: a unique name for each class, at least two.
        feature_names: what the features are called, where the data says.
        divisor: what the values of images were divided by to lie in [0, 1]; None where they are as they were.

    Raises:
        DataError: the parts do not fit together; the message names the sample or value at fault.

    Example:
        >>> data = Dataset("toy", "train", ("hi", "bye"), torch.tensor([0, 1]), ("a", "b"), ("in", "out"))
        >>> len(data), data.num_classes, data.is_text, data.input_shape
        (2, 2, True, None)
        >>> data.digest[:8]
        '63d821bd'
    """

    name: str
    split: str
    inputs: torch.Tensor | tuple[str, ...]
    labels: torch.Tensor
    sample_ids: tuple[str, ...]
    class_names: tuple[str, ...]
    feature_names: tuple[str, ...] | None = None
    divisor: int | None = None

    def __post_init__(self) -> None:
        self._check_classes()
        self._check_lengths()
        self._check_feature_names()
        self._check_ids()
        self._check_labels()
        if isinstance(self.inputs, torch.Tensor):
            self._check_options(self.inputs)
        else:
            self._check_texts(self.inputs)

    def __len__(self) -> int:
        """Number of samples."""
        return len(self.sample_ids)

    @property
    def num_classes(self) -> int:
        """Number of classes."""
        return len(self.class_names)

    @property
    def is_text(self) -> bool:
        """Whether the inputs are texts."""
        return not isinstance(self.inputs, torch.Tensor)

    @property
    def is_image(self) -> bool:
        """Whether the inputs are images `[sample, channel, height, width]`."""
        return isinstance(self.inputs, torch.Tensor) and self.inputs.ndim == 4

    @property
    def input_shape(self) -> tuple[int, ...] | None:
        """Shape of one sample, `(feature,)` or `(channel, height, width)`; None for texts."""
        return tuple(self.inputs.shape[1:]) if isinstance(self.inputs, torch.Tensor) else None

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) over ids, labels and class names, in order; the same in every process."""
        names = json.dumps([self.sample_ids, self.class_names], separators=(",", ":"))
        labels = self.labels.detach().cpu().numpy().astype("<i8")
        return hashlib.sha256(names.encode("ascii") + b"\n" + labels.tobytes()).hexdigest()

    def _fail(self, message: str) -> DataError:
        return DataError(f"data set {self.name!r} ({self.split}): {message}")

    def _check_classes(self) -> None:
        if len(self.class_names) < 2:
            raise self._fail(f"class_names has {shown(self.class_names) or 'no class'} only; classifying needs two.")
        twice = [name for name, count in Counter(self.class_names).items() if count > 1]
        if twice:
            raise self._fail(f"class_names must be unique; given more than once: {shown(twice)}.")

    def _check_lengths(self) -> None:
        if self.labels.dtype != torch.int64 or self.labels.ndim != 1:
            kind = f"{self.labels.dtype} of shape {tuple(self.labels.shape)}"
            raise self._fail(f"labels must be an int64 tensor [sample]; got {kind}.")
        if isinstance(self.inputs, torch.Tensor) and self.inputs.ndim not in (2, 4):
            shape = tuple(self.inputs.shape)
            raise self._fail(
                f"inputs must be [sample, feature] or [sample, channel, height, width]; got shape {shape}."
            )
        lengths = {
            "inputs": len(self.inputs),
            "labels": len(self.labels),
            "sample_ids": len(self.sample_ids),
        }
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{part} {length}" for part, length in lengths.items())
            raise self._fail(f"inputs, labels and sample_ids must be equally long; got {told}.")
        if not self.sample_ids:
            raise self._fail("it is empty; give at least one sample.")

    def _check_feature_names(self) -> None:
        names, shape = self.feature_names, self.input_shape
        if names is not None and (shape is None or shape != (len(names),)):
            raise self._fail(f"feature_names has {len(names)} names; inputs are {shape or 'texts'}.")

    def _check_ids(self) -> None:
        if len(set(self.sample_ids)) < len(self.sample_ids):
            twice = [name for name, count in Counter(self.sample_ids).items() if count > 1]
            raise self._fail(f"sample ids must be unique; given more than once: {shown(twice)}.")

    def _check_labels(self) -> None:
        lowest = 0 if self.split == "train" else UNKNOWN_LABEL
        wrong = ((self.labels < lowest) | (self.labels >= self.num_classes)).nonzero().flatten()
        if len(wrong):
            position = int(wrong[0])
            value = int(self.labels[position])
            allowed = f"0 to {self.num_classes - 1}"
            allowed += ", or -1 for unknown" if lowest < 0 else " (-1 only outside the training split)"
            where = f"position {position} (sample {self.sample_ids[position]!r})"
            raise self._fail(f"label {value} at {where} is outside the classes; labels are {allowed}.")

    def _check_options(self, inputs: torch.Tensor) -> None:
        if inputs.dtype != torch.float32:
            raise self._fail(f"inputs must be float32; got {inputs.dtype}. Convert with `.float()`.")
        if inputs.numel() == 0:
            raise self._fail(f"inputs of shape {tuple(inputs.shape)} hold no values.")
        low, high = (float(bound) for bound in inputs.aminmax())
        if not (low > float("-inf") and high < float("inf")):  # also true for NaN
            wrong = (~inputs.flatten(1).isfinite().all(1)).nonzero().flatten()
            where = shown(self.sample_ids[int(position)] for position in wrong)
            raise self._fail(f"inputs are NaN or infinite in sample {where}; fill or drop these samples.")
        if self.is_image and (low < 0 or high > 1):
            raise self._fail(f"images must lie in [0, 1]; found values from {low:g} to {high:g}. Rescale them.")

    def _check_texts(self, texts: tuple[str, ...]) -> None:
        for position, text in enumerate(texts):
            if not isinstance(text, str):
                raise self._fail(f"text at position {position} is {type(text).__name__}, not str: {text!r}.")
        blank = [name for name, text in zip(self.sample_ids, texts, strict=True) if not text.strip()]
        if blank:
            raise self._fail(f"texts must not be empty; empty in sample {shown(blank)}.")
