"""Label entropy: how undecided the runs are about one sample."""

import numpy as np

from reseed._arrays import ArrayLike, Result, warn_lost
from reseed._errors import InputError
from reseed.instability.labels._counted import counted_where
from reseed.instability.labels._entropy_table import Correction, check_correction


def label_entropy(
    labels: ArrayLike,
    *,
    num_classes: int | None = None,
    base: float | None = None,
    correction: Correction | None = None,
    mask: ArrayLike | None = None,
    axis: int = 0,
) -> Result:
    """Returns the entropy of the labels that a sample receives from several runs.

    With `n_k` the number of runs that predict label k, and N the number of runs,

        LE = - sum_k (n_k / N) ln(n_k / N)

    It is 0 when all runs agree, also when they agree on a wrong label, and at most ln(min(K, N)). The measure
    of a whole data set is the plain mean over its samples.

    The same function along another axis measures one training instead of many: give the labels of its
    checkpoints, `[checkpoint, sample]`, or `axis=1` for `[run, checkpoint, sample]`. That single-run entropy
    costs no further training, but ranks samples only roughly and is no estimate of the multi-run value,
    because the start of a training inflates it.

    The plug-in formula underestimates the entropy of the distribution that runs are drawn from by about
    (K - 1) / (2 N): compare only values from equal numbers of runs, or correct them. `"miller-madow"` adds
    (observed labels - 1) / (2 N); `"digamma"` is sum_k (n_k / N) (psi(N) - psi(n_k)), the form also called
    Grassberger's or Zhang's. Both are 0 on agreement and may exceed ln K.

    Args:
        labels: predicted labels [run, sample]; integers (negative ones too) or strings, any further axes.
        num_classes: when given, labels must lie in 0 .. num_classes - 1. It does not change the result.
        base: unit of the result: None for nats, 2 for bits.
        correction: None for the plug-in formula, "miller-madow" or "digamma".
        mask: boolean [run, sample], True where a run's label is present; N is then counted for each sample.
        axis: the axis that is counted over.

    Returns:
        Entropies [sample] (all axes of `labels` but the counted one), float64; NaN, with a warning, where a
        mask leaves no run.

    Raises:
        InputError: no runs, labels that are neither whole numbers nor strings, labels out of range, a mask of
            another shape, or an unknown base or correction.

    Example:
        Two runs that disagree have entropy ln 2; one run's four checkpoints that say 0, 1, 1, 1 have 0.5623.

        >>> import numpy as np
        >>> label_entropy([[0, 3], [0, 5]])
        array([0.        , 0.69314718])
        >>> checkpoints = np.array([[[0, 2], [1, 2], [1, 2], [1, 2]]])  # [run, checkpoint, sample]
        >>> label_entropy(checkpoints, axis=1).round(4)
        array([[0.5623, 0.    ]])

    References:
        Datta et al., "Measuring and Mitigating Local Instability in Deep Neural Networks", Findings of ACL
        2023. Miller, "Note on the bias of information estimates", 1955. Grassberger, "Entropy estimates from
        insufficient samplings", 2003.
    """
    if base is not None and not (base > 0 and base != 1 and np.isfinite(base)):
        raise InputError(f"base must be a positive number other than 1, got {base}; pass None for nats or 2 for bits.")
    check_correction(correction)
    found = counted_where(labels, mask, axis=axis, num_classes=num_classes, correction=correction)
    values = found.entropy()
    if base is not None:
        values /= np.log(base)
    empty = found.tally.present == 0
    values[empty] = np.nan
    warn_lost(empty, "label entropy", 1)
    return found.shaped(values)
