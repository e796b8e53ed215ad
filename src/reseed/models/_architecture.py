"""The contract that every kind of model fulfils."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from reseed._arrays import brief
from reseed._errors import InputError, InputTypeError, ModelError
from reseed.data import Dataset, Splits
from reseed.models._config import ModelConfig

RawInputs = Tensor | Sequence[str]
"""Samples as a data set holds them: texts, or features [sample, feature], or images."""


@dataclass(frozen=True)
class Prepared:
    """What a model trains on: both splits as tensors, made once and shared by all runs.

    Shapes: ``train`` [sample, ...] and ``evaluation`` [sample, ...], of equal trailing shape. ``preprocessing`` says
    how whoever has no reseed makes inputs of raw samples: its ``kind``, the ``steps`` in words, and what these name, as
    JSON holds it. ``transform`` makes inputs of other raw samples exactly as those of both splits were made, with what
    was fitted on the training split; what it needs for that it loads when it is first called. ``notes`` say what a
    reader of results should know of how they were made.
    """

    train: Tensor
    evaluation: Tensor
    preprocessing: Mapping[str, object]
    transform: Callable[[RawInputs], Tensor]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AbstractArchitecture(ABC):
    """A kind of model: how data becomes its inputs, and a factory of fresh models.

    Never an instance: K runs that shared one would share its weights.
    """

    config: ModelConfig

    @abstractmethod
    def prepare(self, splits: Splits, cache: Path | None, announce: Callable[[str], None]) -> Prepared:
        """Turn both splits into the tensors that the model takes.

        Args:
            splits: The data.
            cache: A folder where costly features may be kept for the next call, or None.
            announce: Takes a line for the user before long work begins.
        """

    @abstractmethod
    def build(self, input_shape: tuple[int, ...], num_classes: int) -> nn.Module:
        """Return a fresh model whose output is logits of shape [sample, class].

        Initial values come from torch's global generator, which the caller has set (see `draw_model`).
        """

    @property
    def is_native(self) -> bool:
        """Whether the model is reseed's own, so that nothing but dropout draws random numbers in it."""
        return True


def tensor_inputs(dataset: Dataset, model: str) -> Tensor:
    """Return a dataset's inputs as a tensor.

    Raises:
        ModelError: They are texts.
    """
    if isinstance(dataset.inputs, torch.Tensor):
        return dataset.inputs
    raise ModelError(
        f"model {model!r} takes numbers or images, but data set {dataset.name!r} holds texts; "
        "choose text-tfidf or text-encoder."
    )


def tensor_prepared(train: Tensor, evaluation: Tensor, described: Dataset) -> Prepared:
    """Return what a model trains on that takes features or images as they are."""
    return Prepared(train, evaluation, as_read(described), partial(_as_they_are, tuple(train.shape[1:])))


def _as_they_are(shape: tuple[int, ...], raw: RawInputs) -> Tensor:
    """Return raw samples, which are the model's inputs, if they have the shape of those."""
    if not isinstance(raw, Tensor):
        given = brief(raw)
        raise InputTypeError(f"raw samples must be a tensor [sample, {', '.join(map(str, shape))}], got {given}.")
    if tuple(raw.shape[1:]) != shape or not raw.is_floating_point():
        raise InputError(
            f"raw samples must be floating-point numbers [sample, {', '.join(map(str, shape))}], as the training "
            f"split's are; got {brief(raw)}."
        )
    return raw


def as_read(dataset: Dataset) -> dict[str, object]:
    """Say how features or images become inputs as they are; see `Prepared`."""
    shape = dataset.input_shape or ()
    if len(shape) == 1:
        order = "of `features`" if dataset.feature_names else "that they have in the data"
        steps = [f"Put the {shape[0]} numbers of a sample in the order {order}, as they are: nothing is scaled."]
        return {"kind": "features", "steps": steps, "features": dataset.feature_names}
    channels, height, width = shape
    colours = {1: "one channel of grey", 3: "three channels, red, green and blue"}.get(channels, f"{channels} channels")
    steps = [
        f"Take an image of {height} x {width} pixels as [channel, height, width], with {colours}.",
        f"Divide its values by {dataset.divisor}, so that they are in [0, 1]."
        if dataset.divisor
        else "Its values are in [0, 1].",
        "Do no more: no mean is subtracted, and nothing is divided by a deviation.",
    ]
    return {"kind": "images", "steps": steps, "divide_by": dataset.divisor}


def text_inputs(dataset: Dataset, model: str) -> tuple[str, ...]:
    """Return a dataset's inputs as texts.

    Raises:
        ModelError: They are numbers.
    """
    if not isinstance(dataset.inputs, torch.Tensor):
        return dataset.inputs
    raise ModelError(
        f"model {model!r} takes texts, but data set {dataset.name!r} holds numbers; choose mlp, cnn or resnet."
    )


def checked_texts(raw: RawInputs) -> Sequence[str]:
    """Return raw samples if they are texts.

    Raises:
        InputTypeError: They are numbers, or a single text.
    """
    if isinstance(raw, str | Tensor) or not all(isinstance(text, str) for text in raw):
        raise InputTypeError(f"raw samples must be texts, one for each sample, got {brief(raw)}.")
    return raw
