"""What all interpolants ask of samples and targets."""

import numpy as np
from jaxtyping import Float, Int, Shaped

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._errors import InputError

Inputs = Float[np.ndarray, "sample feature"]
Targets = Float[np.ndarray, " sample"] | Float[np.ndarray, "sample output"]

INTERPOLATES = 1e-6
"""The residual, in units of the largest target, up to which a function goes through its targets."""


def finite_samples(X: ArrayLike, name: str = "X") -> Inputs:  # noqa: N803
    """Return samples [sample, feature] in double precision.

    Raises:
        InputError: They are none, have another number of axes or are not finite.
    """
    samples = _finite(X, name)
    if samples.ndim != 2:
        raise InputError(
            f"{name} must be [sample, feature], got {brief(samples)}; flatten images, and give a single feature as "
            f"{name}[:, None]."
        )
    return samples


def design(X: ArrayLike, y: ArrayLike) -> tuple[Inputs, Targets]:  # noqa: N803
    """Return samples [sample, feature] and targets [sample] or [sample, output] in double precision.

    Raises:
        InputError: They do not belong together, or are not finite.
    """
    samples, targets = finite_samples(X), _finite(y, "y")
    if targets.ndim > 2 or len(targets) != len(samples):
        raise InputError(
            f"y must have a target for each of the {len(samples)} samples of X, [sample] or [sample, output], got "
            f"{brief(targets)}."
        )
    return samples, targets


def distinct(samples: Inputs, targets: Targets) -> tuple[Inputs, Targets, Int[np.ndarray, " distinct"]]:
    """Return the distinct samples with their targets, in the order in which they first come, and their rows.

    Raises:
        InputError: Two equal samples have different targets; the message names them.
    """
    _, first, group = np.unique(samples + 0.0, axis=0, return_index=True, return_inverse=True)  # -0.0 becomes 0.0
    own = first[group.reshape(-1)]
    differs = (targets != targets[own]).reshape(len(targets), -1).any(1)
    if differs.any():
        later = int(differs.argmax())
        raise InputError(
            f"samples {own[later]} and {later} of X are equal, but their targets differ, {_shown(targets[own[later]])} "
            f"and {_shown(targets[later])}: no function goes through both. Leave one out, or give them one target."
        )
    rows = np.sort(first)
    return samples[rows], targets[rows], rows


def scale_of(targets: Targets) -> float:
    """Return the largest absolute target, 1 where all are zero."""
    return float(np.abs(targets).max()) or 1.0


def _finite(values: ArrayLike, name: str) -> Shaped[np.ndarray, "..."]:
    array = to_numpy(values, name)
    if array.dtype.kind not in "iufb":
        raise InputError(f"{name} must hold numbers, got {brief(array)}.")
    if not array.size:
        raise InputError(f"{name} is empty, got {brief(array)}; pass at least one sample.")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        place = tuple(int(i) for i in np.argwhere(~np.isfinite(array))[0])
        raise InputError(f"{name} must be finite, got {array[place]} at position {place}; leave that sample out.")
    return array


def _shown(target: Shaped[np.ndarray, "..."]) -> str:
    return f"{float(target):g}" if np.ndim(target) == 0 else brief(target.tolist())
