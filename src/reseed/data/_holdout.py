"""A part of the training samples to choose recipes on, so that the evaluation split stays unseen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from reseed.data._dataset import Dataset
from reseed.data._splits import Splits
from reseed.data._subsets import stratified_split


def hold_out(splits: Splits, fraction: float, seed: int) -> Splits:
    """Splits the training samples class by class into those that are trained on and those that are evaluated.

    Args:
        splits: where the training samples come from; its evaluation samples are dropped.
        fraction: share of the training samples to evaluate on, between 0 and 1.
        seed: of the split.

    Raises:
        DataError: a class has a single training sample, or either part would be too small to hold every class.
    """
    data = splits.train
    kept, held = stratified_split(data.name, data.labels.numpy(), data.class_names, fraction, seed, "holdout")
    return Splits(part_of(data, kept, data.split), part_of(data, held, "validation"), splits.notes)


def part_of(data: Dataset, places: NDArray[np.int64], split: str) -> Dataset:
    """The samples at some places, as a split."""
    chosen = torch.from_numpy(places)
    inputs = data.inputs[chosen] if isinstance(data.inputs, torch.Tensor) else tuple(data.inputs[i] for i in places)
    ids = tuple(data.sample_ids[i] for i in places)
    return replace(data, split=split, inputs=inputs, labels=data.labels[chosen], sample_ids=ids)
