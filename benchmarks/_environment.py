"""Where and with what a benchmark ran, written beside its numbers."""

from __future__ import annotations

import json
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from reseed import Comparison
from reseed._processor import processor
from reseed.studies import replace_json


def environment() -> dict[str, object]:
    """Return date, hardware and versions."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        **{name: version(name) for name in ("reseed", "torch", "numpy", "scipy")},
    }


def write_result(name: str, result: dict[str, object]) -> None:
    """Write a result with its environment as JSON beside the scripts."""
    path = Path(__file__).with_name(f"{name}.json")
    path.write_text(json.dumps({"environment": environment(), **result}, indent=2) + "\n")
    print(f"raw numbers: {path.name}")


def write_comparison(path: Path, comparison: Comparison, **facts: object) -> None:
    """Write a comparison with its environment and further facts as JSON; of its studies only the folders' names."""
    found = comparison.summary
    for told in (found, found["fresh_data"]):
        for row in told["methods"] if told else ():
            row["study"] = Path(row["study"]).name
    replace_json(path, {"environment": environment(), **found, **facts})
    print(comparison.recommendation)
    print(f"raw numbers: {path.name}")
