"""All parts of an evaluation as scores: columns of all samples, a summary in groups, charts, notes and cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from reseed.robustness.evaluation._charts import charts_of
from reseed.robustness.evaluation._columns import ALL, GROUPS, LENS, MEANS, RUNS, SAMPLES
from reseed.robustness.evaluation._protocol import Protocol
from reseed.robustness.evaluation._subject import Subject
from reseed.scores import Part, Scores, spread, summarised


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
    summary, groups = summarised(
        GROUPS, ALL, cells=cells, of_runs=of_runs, numbers=numbers, means=MEANS, K=subject.logits.shape[-1]
    )
    return Scores(
        lens=LENS,
        ids=ids,
        columns={name: ALL[name] for name in (*cells, *of_runs, *numbers)},
        by_run={name: spread(value, subject.numbers, len(ids)) for name, value in cells.items() if name in SAMPLES},
        of_runs={name: value for name, value in of_runs.items() if name in RUNS},
        runs=runs,
        summary=summary | _asked(protocol, subject),
        groups=groups,
        notes=tuple(_notes(subject, protocol, parts.values(), len(ids))),
        cost=_cost(parts),
        charts=tuple(charts_of(subject, protocol, parts, ids)),
    )


def _asked(protocol: Protocol, subject: Subject) -> dict[str, Any]:
    """Return the budget as it was used, for whoever did not say one."""
    if not subject.is_continuous:
        return {"samples_asked": subject.samples}
    used = {"epsilon": protocol.epsilon, "norm": protocol.norm, "sigma": protocol.sigma}
    return used | {"samples_asked": subject.samples}


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
