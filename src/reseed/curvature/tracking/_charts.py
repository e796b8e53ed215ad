"""Charts of what was measured along trainings, as plain data."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from reseed.curvature.tracking._course import Course, Numbers
from reseed.scores import Chart, Series
from reseed.statistics import t_interval

_SHOWN = 5  # runs that diverged
_WIDE = 100.0  # times its median that a number's largest value is, from where on its logarithm is drawn


def charts_along(course: Course) -> Iterator[Chart]:
    """Yield the sharpness and the threshold over the steps, and beside them the loss and the learning rate."""
    calm = course.ratios[course.is_calm]
    highest = f"{np.nanmax(calm):.3g}" if np.isfinite(calm).any() else ""
    sentence = "Above the threshold a step overshoots where the loss bends most"
    sentence += f"; runs that did not diverge reached {highest} times it." if highest else "."
    whose = "preconditioned sharpness" if course.is_preconditioned else "sharpness"
    threshold = course.numbers["threshold"]
    yield _chart(f"{whose.capitalize()} and threshold", sentence, f"{whose}, nats", course, course.counted, threshold)
    yield _chart("Training loss", _told(course), "loss, nats", course, course.numbers["loss"])
    if "learning_rate" in course.numbers:  # studies of a time before do not have it
        rate = _of_all(course.numbers["learning_rate"])
        sentence = f"It is {np.nanmax(rate):.3g} at its peak, and the threshold is inversely proportional to it."
        own = Series("learning rate", course.steps, tuple(map(float, rate)))
        yield Chart("lines", "Learning rate", sentence, "steps made", "learning rate", (own,))


def _told(course: Course) -> str:
    gone = int((~course.is_calm).sum())
    if not gone:
        return f"None of the {len(course.runs)} runs diverged."
    return f"{gone} of {len(course.runs)} runs diverged; the notes say at which step, and what was crossed before."


def _chart(title: str, sentence: str, y: str, course: Course, values: Numbers, bound: Numbers | None = None) -> Chart:
    """Draw numbers [run, step]: the mean of the runs that did not diverge, single ones that did, and a bound of all."""
    shown = np.concatenate([values, bound]) if bound is not None else values
    above = shown[np.isfinite(shown) & (shown > 0)]
    if above.size and above.max() > _WIDE * np.median(above):
        y = f"log10 of the {y}"
        values, bound = _log10(values), None if bound is None else _log10(bound)
    series = [_mean("runs that did not diverge", values[course.is_calm], course.steps)] if course.is_calm.any() else []
    gone = np.flatnonzero(~course.is_calm)[:_SHOWN]
    series += [
        Series(f"run {course.runs[place]}, diverged", course.steps, tuple(map(float, values[place]))) for place in gone
    ]
    if bound is not None:
        series.append(Series("threshold", course.steps, tuple(map(float, _of_all(bound)))))
    return Chart("lines", title, sentence, "steps made", y, tuple(series))


def _log10(values: Numbers) -> Numbers:
    return np.log10(values, out=np.full(values.shape, np.nan), where=values > 0)


def _of_all(values: Numbers) -> Numbers:
    """Return numbers [step] that are the same of all runs [run, step]; NaN is what runs that are gone have."""
    is_known = np.isfinite(values)
    return np.where(is_known.any(0), np.take_along_axis(values, is_known.argmax(0)[None], 0)[0], np.nan)


def _mean(name: str, values: Numbers, steps: tuple[int, ...]) -> Series:
    found = [t_interval(column[np.isfinite(column)]) for column in values.T]
    value, low, high = (tuple(map(float, ends)) for ends in zip(*found, strict=True))
    return Series(name, steps, value, low, high) if len(values) > 1 else Series(name, steps, value)
