"""The words among which options choose and fields are marked, where torch need not be loaded to know them."""

from __future__ import annotations

from typing import Literal

OMITTED = {"omitted": True}
"""Marks fields that trees leave out at their default, so that digests and files from before them stay as they were."""

UNWRITTEN = {"unwritten": True}
"""Marks fields that no recipe file has."""

IN_MEMORY = "in-memory:"
"""What the name of data or of a model begins with that was in memory; what tells it from others follows."""

EngineName = Literal["auto", "serial", "processes", "stacked", "cluster"]
Level = Literal["labels", "scores", "full"]
Weights = Literal["auto", "none", "final", "checkpoints"]

SAVE_EVERY_S = 120.0
"""Seconds after which trainings that are under way are kept, where nobody says otherwise."""
MARGIN = 0.5
"""Percentage points of accuracy that a recommended method may lose, where nothing else is said."""
