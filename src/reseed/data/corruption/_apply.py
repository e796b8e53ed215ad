"""A corruption of a data set, as a recipe asks for it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import torch

from reseed._errors import DataError
from reseed.data._dataset import Dataset
from reseed.data._splits import Splits
from reseed.data.corruption._choose import items_of
from reseed.data.corruption._classes import check_classes
from reseed.data.corruption._config import CorruptionConfig
from reseed.data.corruption._gaussian import gaussian_inputs
from reseed.data.corruption._inputs import CorruptedInputs
from reseed.data.corruption._labels import corrupt_labels
from reseed.data.corruption._pixels import random_pixels, shuffle_pixels
from reseed.data.corruption._record import CorruptionRecord, Statistic
from reseed.data.corruption._structured import structured_inputs

_DONE = {
    "shuffled-pixels": "positions in one other order",
    "random-pixels": "positions in an order of their own",
    "gaussian": "Gaussian noise in their place",
    "structured": "turned by 90 degrees and inverted",
}
_BY = {"other": "by another class", "any": "by any class, its own included", "permute": "by that of another sample"}


def corrupted(splits: Splits, config: CorruptionConfig) -> Splits:
    """Corrupts the training samples, and the evaluation inputs where the configuration says so.

    What happens to a sample follows from the seed and its id, so that it is the same in a smaller training set; but for
    `exact` and `permute`, which depend on all samples.

    Args:
        splits: where the samples come from; nothing in it is changed.
        config: what is done.

    Returns:
        New splits that know what was done.

    Raises:
        DataError: the corruption does not fit the data, or leaves a class without training samples.
    """
    return _of_labels(splits, config) if config.is_of_labels else _of_inputs(splits, config)


def _of_labels(splits: Splits, config: CorruptionConfig) -> Splits:
    train = splits.train
    found = corrupt_labels(
        train.labels,
        config.rate,
        num_classes=train.num_classes,
        mode="pair" if config.kind == "pair" else config.mode,
        exact=config.exact,
        seed=config.seed,
        items=items_of(train.split, train.sample_ids),
    )
    remedy = "choose a lower rate or another corruption seed"
    check_classes(splits, found.labels, f"corruption {config.kind} at rate {config.rate:g}", remedy)
    by = "by the next class" if config.kind == "pair" else _BY[config.mode]
    note = (
        f"{_count(found.selected)} training labels were replaced on purpose, {by} (rate {config.rate:g}); "
        f"{int(found.changed.sum()):,} are not the true ones. Labels of the evaluation split are untouched."
    )
    return _told(splits, replace(train, labels=found.labels), splits.evaluation, config, found, note, {})


def _of_inputs(splits: Splits, config: CorruptionConfig) -> Splits:
    train, evaluation = splits.train, splits.evaluation
    if train.is_text:
        raise DataError(
            f"corruption {config.kind} is for numbers and images, and {train.name!r} holds texts; choose labels or "
            "pair."
        )
    if config.kind == "structured" and (not train.is_image or len(set((train.input_shape or ())[1:])) > 1):
        raise DataError(
            f"corruption structured turns square images by 90 degrees, and samples of {train.name!r} have the shape "
            f"{list(train.input_shape or ())}; choose another corruption, or give reseed.data.structured_inputs a "
            "transform of your own."
        )
    made = _inputs(train, config, None)
    statistics: dict[str, Statistic] = {}
    note = f"{_count(made.selected)} training inputs were corrupted on purpose: {_DONE[config.kind]}"
    note += f" (rate {config.rate:g})."
    if config.kind == "gaussian":
        for name, values in (("mean", made.mean), ("sd", made.sd)):
            if values is not None and config.statistics != "sample" and values.size <= _LISTED:
                statistics[name] = np.atleast_1d(values).tolist()
        if train.is_image:
            statistics["clipped"] = _clipped(made)
            note += f" {statistics['clipped']:.1%} of the values of the noise were clipped to lie in [0, 1]."
    if config.touches_evaluation:
        evaluation = replace(evaluation, inputs=_inputs(evaluation, config, made).inputs)
        note += " Evaluation inputs were treated likewise."
    else:
        note += " Evaluation inputs are as they were."
    return _told(splits, replace(train, inputs=made.inputs), evaluation, config, made, note, statistics)


_LISTED = 4096  # numbers that are kept of each statistic


def _inputs(data: Dataset, config: CorruptionConfig, first: CorruptedInputs | None) -> CorruptedInputs:
    """The inputs of a split; those of the second one with the statistics of the first."""
    common: dict[str, Any] = {
        "exact": config.exact,
        "seed": config.seed,
        "items": items_of(data.split, data.sample_ids),
    }
    inputs = data.inputs
    if config.kind == "shuffled-pixels":
        return shuffle_pixels(inputs, config.rate, **common)
    if config.kind == "random-pixels":
        return random_pixels(inputs, config.rate, **common)
    if config.kind == "structured":
        return structured_inputs(inputs, config.rate, **common)
    if first is not None and config.statistics != "sample":
        common |= {"mean": first.mean, "sd": first.sd}
    clip = (0.0, 1.0) if data.is_image else None
    return gaussian_inputs(inputs, config.rate, statistics=config.statistics, clip=clip, **common)


def _clipped(made: CorruptedInputs) -> float:
    """The share of the values of the noise that lie on the bounds; noise within them never does."""
    noise = made.inputs[made.selected]
    return float(((noise == 0) | (noise == 1)).double().mean()) if len(noise) else 0.0


def _count(selected: torch.Tensor) -> str:
    return f"{int(selected.sum()):,} of {len(selected):,}"


def _told(
    splits: Splits,
    train: Dataset,
    evaluation: Dataset,
    config: CorruptionConfig,
    found: Any,
    note: str,
    statistics: dict[str, Statistic],
) -> Splits:
    record = CorruptionRecord(
        config.kind,
        config.rate,
        train.sample_ids,
        splits.train.labels.numpy().copy(),
        train.labels.numpy().copy(),
        found.selected.numpy(),
        found.changed.numpy(),
        {
            "samples": len(train),
            "selected": int(found.selected.sum()),
            "changed": int(found.changed.sum()),
            "seed": config.seed,
            "evaluation": config.touches_evaluation,
            **statistics,
        },
    )
    return Splits(train, evaluation, (*splits.notes, note), corruption=record)
