"""The label most runs agree on, and how many do."""

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, Result, warn_lost
from reseed.instability.labels._counted import counted, counted_where
from reseed.instability.labels._counts import Tally


def mode_label(labels: ArrayLike) -> Result:
    """Returns the label that most runs predict for each sample; the lowest of them where several tie.

    Args:
        labels: predicted labels [run, sample], integers or strings (the lowest string is the first in code
            order).

    Returns:
        Labels [sample], of the argument's kind.

    Raises:
        InputError: no runs, or labels that are neither whole numbers nor strings.

    Example:
        >>> mode_label([["dog", "cat"], ["dog", "cow"]]).tolist()
        ['dog', 'cat']
    """
    return counted(labels).modes()


def share(counted: Tally) -> Float[np.ndarray, " sample"]:
    """Returns n_mode / N for each sample; NaN where N is 0."""
    return np.where(counted.present > 0, counted.top / np.maximum(counted.present, 1), np.nan)


def mode_share(labels: ArrayLike, *, mask: ArrayLike | None = None) -> Result:
    """Returns the share of runs that predict each sample's most frequent label, n_mode / N.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        mask: boolean [run, sample], True where a run's label is present; N is then counted for each sample.

    Returns:
        Shares [sample] in [1 / min(K, N), 1], float64; NaN, with a warning, where a mask leaves no run.

    Raises:
        InputError: no runs, or labels or a mask that cannot be used.

    Example:
        >>> mode_share([[0, 1], [0, 1], [0, 2], [0, 3]])
        array([1. , 0.5])
    """
    found = counted_where(labels, mask)
    values = share(found.tally)
    warn_lost(np.isnan(values), "mode share", 1)
    return found.shaped(values)


def variation_ratio(labels: ArrayLike, *, mask: ArrayLike | None = None) -> Result:
    """Returns the share of runs that deviate from each sample's most frequent label, 1 - n_mode / N.

    Args:
        labels: predicted labels [run, sample], integers or strings.
        mask: boolean [run, sample], True where a run's label is present; N is then counted for each sample.

    Returns:
        Shares [sample] in [0, 1), float64; NaN, with a warning, where a mask leaves no run.

    Raises:
        InputError: no runs, or labels or a mask that cannot be used.

    Example:
        >>> variation_ratio([[0, 1], [0, 1], [0, 2], [0, 3]])
        array([0. , 0.5])

    References:
        Freeman, "Elementary Applied Statistics", 1965.
    """
    found = counted_where(labels, mask)
    values = 1.0 - share(found.tally)
    warn_lost(np.isnan(values), "variation ratio", 1)
    return found.shaped(values)
