"""How far groups of runs are: what whoever trains them says about once a second, and whoever waits for them reads.

A small file for each group, so that it is the same for all engines: in this process, in workers, on machines that share
the folder. Where it cannot be written nobody is told, and nothing else happens.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import final

from reseed.studies._files import checked
from reseed.training import Moment

PULSES = ".progress"
"""Folder of a study, while it is trained."""


@final
@dataclass(frozen=True)
class Pulse:
    """How far the runs of a group are that were not finished when it began."""

    runs: tuple[int, ...]
    moment: Moment


def write_pulse(folder: Path, pulse: Pulse) -> None:
    """Say how far a group is, in place of what was said before."""
    path = folder / f"{pulse.runs[0]}.json"
    partial = path.with_suffix(".partial")
    with suppress(OSError):
        partial.write_text(json.dumps(asdict(pulse)), encoding="utf-8")  # accuracies may be NaN, which Python reads
        partial.replace(path)


def read_pulses(folder: Path) -> list[Pulse]:
    """Return how far groups are, as far as they have said so."""
    found = []
    for path in sorted(folder.glob("*.json")):
        with suppress(OSError, ValueError, TypeError, KeyError):  # half gone, or not a pulse
            tree = json.loads(path.read_text(encoding="utf-8"))
            moment = Moment(**tree["moment"] | {"accuracies": tuple(tree["moment"]["accuracies"])})
            found.append(checked(Pulse(tuple(tree["runs"]), checked(moment))))
    return found
