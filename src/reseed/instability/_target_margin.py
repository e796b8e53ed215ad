"""How far one class's score is ahead of the others, for scores of any kind: what logits and probabilities share."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from reseed._arrays import ArrayLike, brief, float_array
from reseed._errors import InputError
from reseed._labels import check_range, label_array

_BLOCK = 1_000_000  # scores in one block: a margin needs a copy of them


def scores_and_targets(
    scores: ArrayLike, targets: ArrayLike, name: str
) -> tuple[Float[np.ndarray, "... class"], Int[np.ndarray, "..."]]:
    """Checks scores [..., class] of two or more classes, and returns them with a target for each of them."""
    array, gold = float_array(scores, name), label_array(targets, "targets")
    if array.ndim < 2 or array.shape[-1] < 2:
        raise InputError(f"{name} must have two classes or more, got {brief(array)}; pass [sample, class].")
    if gold.shape not in (array.shape[:-1], array.shape[-2:-1]):
        raise InputError(f"targets is {brief(gold)} but {name} is {brief(array)}; pass one true label for each sample.")
    check_range(gold, array.shape[-1], "targets")
    return array, np.broadcast_to(gold.astype(np.int64), array.shape[:-1])


def target_margin(
    scores: Shaped[np.ndarray, "*axes class"], targets: Shaped[np.ndarray, "*axes"]
) -> Float[np.ndarray, "*axes"]:
    """Returns the target's score minus the largest other score, block by block."""
    classes = scores.shape[-1]
    flat, gold = scores.reshape(-1, classes), targets.reshape(-1)
    margins = np.empty(len(flat))
    step = max(1, _BLOCK // classes)
    for start in range(0, len(flat), step):
        block = flat[start : start + step].astype(np.float64)
        rows, own = np.arange(len(block)), gold[start : start + step]
        mine = block[rows, own]
        block[rows, own] = -np.inf
        margins[start : start + step] = mine - block.max(axis=1)
    return margins.reshape(targets.shape)
