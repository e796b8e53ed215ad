"""The table of how often intervals of single studies hold what they should, from `benchmarks/coverage.json`."""

from typing import Any

from _figures import headed, read

RUNS = (3, 5, 10, 30)
KINDS = ("interval", "runs' degrees", "added")


def share(found: list[Any], kind: str = "interval", **of: Any) -> float:
    """Returns the percentage of intervals that held, in the one case that is asked for."""
    (row,) = (row for row in found if all(row[name] == value for name, value in of.items()))
    return 100.0 * row[kind]["coverage"]


def single(statistic: str = "label_entropy") -> list[str]:
    """Returns the table of single studies in Markdown, line by line."""
    found = read("coverage").single
    lines = headed("population | " + " | ".join(f"{runs} runs" for runs in RUNS))
    for population in dict.fromkeys(row.population for row in found):
        case = {"population": population, "statistic": statistic}
        cells = (" / ".join(f"{share(found, kind, runs=runs, **case):.1f}" for kind in KINDS) for runs in RUNS)
        lines.append(f"| {population} | {' | '.join(cells)} |")
    return lines
