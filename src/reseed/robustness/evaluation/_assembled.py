"""All parts of an evaluation as scores: columns of all samples, a summary in groups, charts, notes and cost."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed.robustness.evaluation._charts import charts_of
from reseed.robustness.evaluation._columns import ALL, GROUPS, LENS, MEANS, RUNS, SAMPLES
from reseed.robustness.evaluation._part import Part
from reseed.robustness.evaluation._protocol import Protocol
from reseed.robustness.evaluation._subject import Subject
from reseed.scores import Scores
from reseed.statistics import mean_of_cells, t_interval


def assembled(
    subject: Subject, protocol: Protocol, parts: Mapping[str, Part], ids: tuple[str, ...], runs: tuple[int, ...]
) -> Scores:
    """Return what all parts found as scores; samples that were not asked about have no values.

    Args:
        subject: What was evaluated.
        protocol: What was asked.
        parts: What each part found, by name.
        ids: Those of all samples.
        runs: The numbers of the networks.
    """
    cells = {name: value for part in parts.values() for name, value in part.cells.items()}
    of_runs = {name: value for part in parts.values() for name, value in part.of_runs.items()}
    numbers = {name: value for part in parts.values() for name, value in part.numbers.items()}
    summary, groups = _summary(cells, of_runs, numbers, subject.logits.shape[-1])
    return Scores(
        lens=LENS,
        ids=ids,
        columns={name: ALL[name] for name in (*cells, *of_runs, *numbers)},
        by_run={name: _spread(value, subject, len(ids)) for name, value in cells.items() if name in SAMPLES},
        of_runs={name: value for name, value in of_runs.items() if name in RUNS},
        runs=runs,
        summary=summary | _asked(protocol, subject),
        groups=groups,
        notes=tuple(_notes(subject, protocol, parts.values(), len(ids))),
        cost=_cost(parts),
        charts=tuple(charts_of(subject, protocol, parts, ids)),
    )


def _summary(
    cells: Mapping[str, NDArray[Any]],
    of_runs: Mapping[str, NDArray[Any]],
    numbers: Mapping[str, NDArray[Any]],
    classes: int,
) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    summary: dict[str, Any] = {}
    groups: dict[str, tuple[str, ...]] = {}
    for title, names in GROUPS.items():
        shown = []
        for name in names:
            bottom, top = ALL[name].ends(K=classes)
            if name in cells:
                found = mean_of_cells(cells[name], bottom=bottom, top=top)
                value, low, high, covers = (
                    found.value,
                    found.low,
                    found.high,
                    "" if found.method == "two-way" else "_samples",
                )
            elif name in of_runs:
                values = np.asarray(of_runs[name], np.float64)
                (value, low, high), covers = t_interval(values, bottom=bottom, top=top), "_runs"
            elif name in numbers:
                (value, low, high), covers = (float(each) for each in numbers[name]), ""
            else:
                continue
            own = name if name in MEANS else f"{name}_mean"
            summary[own] = _number(value)
            summary[f"{name}_ci95{covers}"] = None if math.isnan(low) else [_number(low), _number(high)]
            shown.append(own)
        if shown:
            groups[title] = tuple(shown)
    return summary, groups


def _asked(protocol: Protocol, subject: Subject) -> dict[str, Any]:
    """Return the budget as it was used, for whoever did not say one."""
    if not subject.is_continuous:
        return {"samples_asked": subject.samples}
    used = {"epsilon": protocol.epsilon, "norm": protocol.norm, "sigma": protocol.sigma}
    return used | {"samples_asked": subject.samples}


def _number(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _spread(values: NDArray[Any], subject: Subject, count: int) -> NDArray[np.float64]:
    """Return values [run, sample] of all samples, NaN for those that were not asked about."""
    everything = np.full((subject.runs, count), np.nan)
    everything[:, subject.numbers] = values
    return everything


def _notes(subject: Subject, protocol: Protocol, parts: Iterable[Part], count: int) -> Iterable[str]:
    if subject.samples < count:
        yield (
            f"{subject.samples:,} of {count:,} samples were asked about, drawn with the seed; the others have no "
            "values. A larger effort, or samples, asks about more."
        )
    if subject.is_continuous:
        yield (
            f"Attacks: at most {protocol.epsilon:.4g} in the norm {protocol.norm}; noise of {protocol.sigma:.4g}. What "
            "counts is a change of the network's own answer, right or wrong; accuracies count right ones."
        )
    else:
        yield (
            "The networks read token ids, which cannot be changed a little: texts were changed as strings, and there "
            "are no attacks, distances or noise."
        )
    yield from subject.notes
    for part in parts:
        yield from part.notes


def _cost(parts: Mapping[str, Part]) -> dict[str, float]:
    cost = {"forward_passes": sum(part.cost.get("forward_passes", 0.0) for part in parts.values())}
    return cost | {f"{name}_s": part.cost.get("wall_s", 0.0) for name, part in parts.items()}
