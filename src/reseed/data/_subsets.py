"""Drawing samples class by class, with a seed of their own."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from reseed._errors import DataError
from reseed.data._dataset import shown


def stratified_split(
    name: str,
    labels: NDArray[np.int64],
    classes: Sequence[str],
    fraction: float,
    seed: int,
    option: str = "eval_fraction",
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions of the training and the evaluation samples, each in their original order.

    Args:
        name: what to call the data in messages.
        labels: class of each sample, `[sample]`, from 0.
        classes: name of each class.
        fraction: share of the samples to evaluate on, between 0 and 1.
        seed: of scikit-learn's splitter.
        option: what the user calls the fraction.

    Raises:
        DataError: a class has a single sample, or either part would be too small to hold every class.
    """
    from sklearn.model_selection import train_test_split

    counts = np.bincount(labels, minlength=len(classes))
    single = [classes[int(label)] for label in np.flatnonzero(counts == 1)]
    if single:
        raise DataError(
            f"{name}: a class with a single sample cannot be in both training and evaluation: "
            f"{shown(single)}; add samples, drop the class, or provide the evaluation data yourself (a "
            "split column or eval_file)."
        )
    evaluated = int(np.ceil(fraction * len(labels)))
    for part, size in (("evaluation", evaluated), ("training", len(labels) - evaluated)):
        if size < len(classes):
            raise DataError(
                f"{name}: {option}={fraction} of {len(labels)} samples leaves {size} for {part}, fewer "
                f"than the {len(classes)} classes; choose another {option}."
            )
    train, evaluation = train_test_split(
        np.arange(len(labels)), test_size=evaluated, stratify=labels, random_state=seed
    )
    return np.sort(train), np.sort(evaluation)


def stratified_limit(name: str, labels: NDArray[np.int64], limit: int, seed: int) -> NDArray[np.int64]:
    """Positions of `limit` samples, in their original order, with the classes in proportion.

    Every class keeps at least one sample, which scikit-learn's splitter does not promise. Larger limits
    contain the samples of smaller ones as far as the proportions allow: each class is shuffled once.

    Args:
        name: what to call the data in messages.
        labels: class of each sample, `[sample]`, from 0.
        limit: how many samples to keep, fewer than there are.
        seed: of the shuffle.

    Raises:
        DataError: there are more classes than `limit`.
    """
    classes, counts = np.unique(labels, return_counts=True)
    if limit < len(classes):
        raise DataError(
            f"{name}: limit={limit} is fewer than the {len(classes)} classes; each needs a training sample."
        )
    spare = counts - 1  # one of each class is kept in any case
    exact = spare * (limit - len(classes)) / max(spare.sum(), 1)
    kept = 1 + np.floor(exact).astype(np.int64)
    largest = np.argsort(-(exact - np.floor(exact)), kind="stable")[: limit - kept.sum()]
    kept[largest] += 1
    random = np.random.default_rng(seed)
    chosen = [
        random.permutation(np.flatnonzero(labels == label))[:keep] for label, keep in zip(classes, kept, strict=True)
    ]
    return np.sort(np.concatenate(chosen))
