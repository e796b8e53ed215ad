"""Labels of several runs and their targets as whole numbers of one list."""

import numpy as np
from jaxtyping import Int

from reseed._arrays import ArrayLike, brief
from reseed._errors import InputError
from reseed._labels import encode_together, label_array, run_axis_first, same_shape


def coded(
    labels: ArrayLike, targets: ArrayLike | None, *, least: int
) -> tuple[Int[np.ndarray, "run sample"], Int[np.ndarray, " sample"]]:
    """Returns labels of `least` runs or more and targets as positions in one list, -1 where a target is not known."""
    runs = run_axis_first(labels, least=least)
    if runs.ndim != 2:
        raise InputError(f"labels are {brief(runs)}; pass [run, sample].")
    if targets is None:
        _, codes = np.unique(runs, return_inverse=True)
        return codes.reshape(runs.shape), np.full(runs.shape[1], -1)
    gold = label_array(targets, "targets")
    same_shape(gold, runs[0], ("targets", "one run of labels"))
    runs, gold = encode_together(runs, gold)
    unknown = np.asarray(targets) == -1 if gold.dtype.kind not in "UT" else np.zeros(len(gold), bool)
    _, codes = np.unique(np.concatenate([runs, gold[None]]), return_inverse=True)
    codes = codes.reshape(len(runs) + 1, -1)
    return codes[:-1], np.where(unknown, -1, codes[-1])
