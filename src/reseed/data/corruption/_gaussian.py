"""Noise in place of inputs."""

from __future__ import annotations

from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, brief, to_numpy
from reseed._draws import item_normal
from reseed._errors import DataError
from reseed.data.corruption._choose import NOISE, key_of
from reseed.data.corruption._inputs import CorruptedInputs, Touched, touched

Statistics = Literal["channel", "global", "sample"]
STATISTICS: tuple[Statistics, ...] = get_args(Statistics)


def gaussian_inputs(
    inputs: ArrayLike,
    rate: float = 1.0,
    *,
    statistics: Statistics = "channel",
    mean: ArrayLike | None = None,
    sd: ArrayLike | None = None,
    clip: tuple[float, float] | None = None,
    exact: bool = False,
    seed: int = 0,
    items: ArrayLike | None = None,
) -> CorruptedInputs:
    """Puts Gaussian noise in place of samples.

    Its mean and its standard deviation (that of the population) are those of

    - `channel`: each channel of all images, or each feature of all samples;
    - `global`: all values of all samples;
    - `sample`: all values of the very sample that is replaced.

    Args:
        inputs: features `[sample, feature]` or images `[sample, channel, row, column]`; never changed.
        rate: share of the samples to touch, from 0 to 1.
        statistics: whose mean and standard deviation.
        mean: the mean where it is known, such as that of the training samples for evaluation samples: `[channel]`,
            `[feature]`, or one number with `global`; not with `sample`.
        sd: the standard deviation, likewise; both or none.
        clip: the least and the greatest value that noise may have, others become these; `(0, 1)` for images of a
            `Dataset`, which then have a smaller standard deviation than the noise had. Default: none. Whole numbers
            are rounded, and stay in the range of their type.
        exact: see `corrupt_labels`.
        seed: of all draws, from 0 to 2**32 - 1.
        items: a number for each sample that its noise follows; see `corrupt_labels`.

    Returns:
        New inputs of the type and kind of those given, masks, mean and standard deviation of the noise.

    Raises:
        DataError: an argument cannot be used.

    Example:
        >>> found = gaussian_inputs([[1.0, 10.0], [3.0, 30.0]])
        >>> found.mean.tolist(), found.sd.tolist(), found.selected.tolist()
        ([2.0, 20.0], [1.0, 10.0], [True, True])
    """
    if statistics not in STATISTICS:
        raise DataError(f"statistics is {statistics!r}; choose one of {', '.join(STATISTICS)}.")
    if (mean is None) != (sd is None) or (mean is not None and statistics == "sample"):
        raise DataError(
            "mean and sd are given together, and not with statistics='sample', whose samples have their own; give both "
            "or none."
        )
    low, high = _bounds(clip)
    found = touched(inputs, rate, exact=exact, seed=seed, items=items)
    values = found.values
    if values.dtype.kind in "iu":
        kind = np.iinfo(values.dtype)
        low, high = max(low, float(kind.min)), min(high, float(kind.max))
    if mean is None or sd is None:
        centre, spread = _moments(values, statistics)
    else:
        centre, spread = _given(mean, "mean", values, statistics), _given(sd, "sd", values, statistics)
        if (spread < 0).any():
            raise DataError(f"sd holds {float(spread.min()):g}; a standard deviation is zero or more.")
    found.rewrite(lambda block: _noise(found, block, centre, spread, (low, high), seed, statistics))
    return found.finished(mean=centre, sd=spread)


def _noise(
    found: Touched,
    block: NDArray[np.int64],
    mean: NDArray[np.float64],
    sd: NDArray[np.float64],
    bounds: tuple[float, float],
    seed: int,
    statistics: str,
) -> NDArray[Any]:
    values = found.values
    shape = values.shape[1:]
    drawn = item_normal(key_of(seed, NOISE), found.items[block], shape).numpy()
    if statistics == "sample":
        mean, sd = (part[block].reshape(-1, *[1] * len(shape)) for part in (mean, sd))
    elif statistics == "channel" and len(shape) == 3:
        mean, sd = (part[:, None, None] for part in (mean, sd))
    noise = np.clip(drawn * sd + mean, *bounds)
    return np.asarray(np.rint(noise) if values.dtype.kind in "iu" else noise).astype(values.dtype)


def _moments(values: NDArray[Any], statistics: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation in double precision, of which memory never holds all values."""
    own: tuple[int, ...] = {"global": (), "sample": (0,), "channel": (1,)}[statistics]
    axes = tuple(axis for axis in range(values.ndim) if axis not in own)
    shape = [size if axis in own else 1 for axis, size in enumerate(values.shape)]
    mean = np.asarray(values.mean(axes, dtype=np.float64))
    squares = np.zeros(mean.shape)
    for start in range(0, len(values), 1024):
        part = slice(start, start + 1024)
        inner = mean.reshape(shape)[part] if statistics == "sample" else mean.reshape(shape)
        summed = np.square(values[part] - inner).sum(axes)
        if statistics == "sample":
            squares[part] = summed
        else:
            squares += summed
    return mean, np.sqrt(squares / (values.size / mean.size))


def _given(numbers: ArrayLike, name: str, values: NDArray[Any], statistics: str) -> NDArray[np.float64]:
    found = to_numpy(numbers, name)
    expected = () if statistics == "global" else (values.shape[1],)
    if found.dtype.kind not in "iuf" or found.shape != expected or not np.isfinite(found).all():
        wanted = "one number" if not expected else f"{expected[0]} numbers, one for each channel or feature"
        raise DataError(f"{name} is {brief(found)}; with statistics={statistics!r} give {wanted}.")
    return found.astype(np.float64)


def _bounds(clip: tuple[float, float] | None) -> tuple[float, float]:
    if clip is None:
        return -np.inf, np.inf
    if not clip[0] < clip[1]:
        raise DataError(f"clip is {clip!r}; give the least and the greatest value, such as (0, 1).")
    return float(clip[0]), float(clip[1])
