"""What the runs of a study cost, together and each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from reseed.studies._study import Study

_SUMS = ("steps", "samples_seen", "forward_passes", "lesson_passes", "wall_s", "cpu_s", "weights_bytes")
_SHARED = ("shared_steps", "shared_samples_seen", "shared_lesson_passes", "shared_wall_s", "shared_cpu_s")
_PEAKS = ("peak_memory_bytes", "peak_device_memory_bytes")


def cost_summary(study: Study) -> dict[str, Any]:
    """Return what a study's finished runs cost, diverged ones included, as flat JSON-ready entries.

    ``cost_runs`` is the number of these runs, and ``cost_runs_per_program`` the fewest and most that were trained as
    one program. For each figure NAME of `Cost` that all of them have:

        cost_NAME         all together: the sum; of a peak, the largest
        cost_NAME_median  of a single run
        cost_NAME_range   of single runs, smallest and largest

    What teachers that all runs share cost is there once: ``cost_shared_steps`` and so on, with no median or range.

    ``cost_samples_per_s`` is samples seen per second of wall time; its total is the ratio of the totals. Wall time is
    summed over the runs, so with several workers it is longer than what a clock showed.

    Args:
        study: Any study.

    Returns:
        Entries by name; empty where no cost is known, as of imported predictions.
    """
    manifests = [manifest for manifest in (*study.manifests, *study.diverged) if manifest.cost]
    if not manifests:
        return {}
    summary: dict[str, Any] = {"cost_runs": len(manifests)}
    sizes = [manifest.stacked for manifest in manifests if "steps" in manifest.cost]
    if sizes:
        summary["cost_runs_per_program"] = [min(sizes), max(sizes)]
    costs: list[Mapping[str, Any]] = [manifest.cost for manifest in manifests]
    for name in (*_SUMS, *_PEAKS):
        if all(name in cost for cost in costs):
            values = [cost[name] for cost in costs]
            summary |= _entries(name, values, max(values) if name in _PEAKS else sum(values))
    for name in _SHARED:
        if all(name in cost for cost in costs):
            summary[f"cost_{name}"] = costs[0][name]
    if "cost_samples_seen" in summary and all(cost["wall_s"] > 0 for cost in costs):
        rates = [cost["samples_seen"] / cost["wall_s"] for cost in costs]
        summary |= _entries("samples_per_s", rates, summary["cost_samples_seen"] / summary["cost_wall_s"])
    return summary


def _entries(name: str, values: Sequence[float], total: float) -> dict[str, Any]:
    return {
        f"cost_{name}": total,
        f"cost_{name}_median": median(values),
        f"cost_{name}_range": [min(values), max(values)],
    }
