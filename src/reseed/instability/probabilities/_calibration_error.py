"""How well confidence foretells being right: the expected calibration error."""

import numpy as np
from jaxtyping import Bool, Float

from reseed._arrays import ArrayLike, brief, check_in_unit, float_array, to_numpy, undefined
from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.instability._rounding import bin_edges

_BINS = 15


def expected_calibration_error(confidence: ArrayLike, is_right: ArrayLike, *, bins: int = _BINS) -> float:
    """Returns the mean distance between confidence and accuracy over bins of confidence.

        ECE = sum over bins b of n_b / n |accuracy_b - mean confidence_b|

    The bins divide [0, 1] evenly; each includes its upper end, as a number of the type that confidence is given in.

    Args:
        confidence: probability of the label that a model answers [sample].
        is_right: whether that label is the true one [sample], booleans.
        bins: how many bins there are.

    Returns:
        The error in [0, 1]; NaN, with a warning, when there are no samples. It is biased upwards where bins hold few
        samples, for all models alike.

    Raises:
        InputError: shapes differ, confidence is no probability, `is_right` is not boolean, or bins is not 1 or more.

    Example:
        >>> round(expected_calibration_error([0.9, 0.9, 0.6], [True, False, True]), 4)
        0.4

    References:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    if not is_whole(bins) or bins < 1:
        raise InputError(f"bins must be a whole number of at least 1, got {bins!r}; pass for example 15.")
    values, hits = float_array(confidence, "confidence"), to_numpy(is_right, "is_right")
    if hits.dtype != np.bool_:
        raise InputError(f"is_right must be boolean, got {brief(hits)}; pass `labels == targets`.")
    if values.ndim != 1 or values.shape != hits.shape:
        raise InputError(f"confidence is {brief(values)} but is_right is {brief(hits)}; pass one of each for a sample.")
    check_in_unit(values, "confidence")
    if not len(values):
        undefined("confidence holds no samples; the calibration error is NaN.")
        return float("nan")
    return calibration_error(values, hits, bin_edges(bins, confidence))


def calibration_error(
    confidence: Float[np.ndarray, " sample"],
    is_right: Bool[np.ndarray, " sample"],
    edges: Float[np.ndarray, " edge"] | None = None,
) -> float:
    """Returns the expected calibration error of checked arrays; by default of 15 bins."""
    edges = bin_edges(_BINS, confidence) if edges is None else edges
    bins = len(edges) - 1
    place = np.clip(np.digitize(confidence, edges, right=True) - 1, 0, bins - 1)
    gaps = np.bincount(place, is_right.astype(np.float64) - confidence.astype(np.float64), bins)
    return float(np.abs(gaps).sum() / len(confidence))
