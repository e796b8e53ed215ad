"""The charts of the curvature lens, as plain data."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from reseed.curvature.tracking._charts import charts_along
from reseed.curvature.tracking._course import Course
from reseed.scores import Chart, Part, Series
from reseed.statistics import t_interval

_DECADES, _BINS = 8, 48  # of the spectrum, below its largest magnitude


def charts_of(
    parts: Sequence[Part], runs: tuple[int, ...], threshold: float | None, course: Course | None
) -> Iterator[Chart]:
    """Yield the sharpness along the training, the spectrum of all runs, and the sharpness of each."""
    if course is not None:
        yield from charts_along(course)
    there = [part for part in parts if part.arrays["nodes"].size]
    if there:
        yield _spectrum(there)
        yield _sharpness(parts, runs, threshold)


def _spectrum(parts: Sequence[Part]) -> Chart:
    """Draw which share of the eigenvalues has which magnitude, positive and negative ones apart."""
    top = max(float(np.nanmax(np.abs(part.arrays["nodes"]))) for part in parts)
    if top == 0:
        top = 1.0
    edges = np.geomspace(top * 10.0**-_DECADES, top * (1 + 1e-9), _BINS + 1)
    middles = np.sqrt(edges[:-1] * edges[1:])
    series = []
    for name, sign in (("positive", 1), ("negative", -1)):
        shares = np.stack([_shares(part, sign, edges) for part in parts])  # [run, bin]
        found = [t_interval(shares[:, place], bottom=0, top=1) for place in range(_BINS)]
        value, low, high = (tuple(map(float, ends)) for ends in zip(*found, strict=True))
        x = tuple(map(float, np.log10(middles)))
        series.append(Series(name, x, value, low, high) if len(parts) > 1 else Series(name, x, value))
    near_zero = float(np.mean([_near_zero(part, edges[0]) for part in parts]))
    sentence = (
        f"{near_zero:.0%} of the eigenvalues are smaller in magnitude than a hundred-millionth of the largest, "
        f"{top:.3g}; mean over runs, with 95 % intervals."
    )
    return Chart(
        "lines",
        "Spectrum of the Hessian",
        sentence,
        "log10 of the magnitude",
        "share of the eigenvalues",
        tuple(series),
    )


def _shares(part: Part, sign: int, edges: NDArray[np.float64]) -> NDArray[np.float64]:
    nodes, weights = sign * part.arrays["nodes"], part.arrays["weights"]
    counted = np.isfinite(nodes) & (nodes > 0)
    return np.histogram(nodes[counted], edges, weights=weights[counted])[0] / len(weights)


def _near_zero(part: Part, least: float) -> float:
    nodes, weights = part.arrays["nodes"], part.arrays["weights"]
    return float(weights[np.isfinite(nodes) & (np.abs(nodes) < least)].sum() / len(weights))


def _sharpness(parts: Sequence[Part], runs: tuple[int, ...], threshold: float | None) -> Chart:
    values = tuple(float(part.of_runs["sharpness"][0]) for part in parts)
    names = tuple(f"run {run}" for run in runs)
    sentence = f"The largest eigenvalue lies between {np.nanmin(values):.3g} and {np.nanmax(values):.3g}"
    sentence += "." if threshold is None else f"; the optimiser bears {threshold:.3g} at its peak rate."
    return Chart(
        "bars", "Sharpness of each run", sentence, "run", "sharpness, nats", (Series("sharpness", names, values),)
    )
