"""Whether what a study records finds room on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from reseed._arguments import setting
from reseed.training import RecordConfig


def recorded_bytes(record: RecordConfig, checkpoints: int, samples: int, classes: int) -> int:
    """Return how many bytes one run records of so many samples, before they are compressed."""
    each = 2 if classes <= 32_767 else 4
    each += (16 + 8 * record.temperature) * (record.level != "labels") + 4 * classes * (record.level == "full")
    return each * checkpoints * samples


def tell_of_space(folder: Path, size: int, announce: Callable[[str], None]) -> None:
    """Tell the user before the first run where more may be recorded than the disk has room for.

    Scores hardly shrink when they are compressed, labels of many checkpoints to a tenth: whether it is too much is not
    known before. What does not fit later on costs the runs that are left, and no finished one.
    """
    free = shutil.disk_usage(folder).free
    if size > free:
        announce(
            f"what will be recorded takes up to {size / 1e9:,.1f} GB before it is compressed, and {str(folder)!r} has "
            f"{free / 1e9:,.1f} GB free; record less with {setting('every', 'final')}, {setting('level', 'labels')} or "
            f"{setting('weights', 'none')}"
        )
