"""The words among which options choose, where torch need not be loaded to know them."""

from __future__ import annotations

from typing import Literal

EngineName = Literal["auto", "serial", "processes", "stacked", "cluster"]
Level = Literal["labels", "scores", "full"]
Weights = Literal["auto", "none", "final", "checkpoints"]
