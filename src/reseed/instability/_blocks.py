"""How much of a study is held at a time."""

from __future__ import annotations

from collections.abc import Iterator

BLOCK_BYTES = 128 << 20
"""Bytes of the recorded values that `evaluate` holds at a time, over all runs."""
_ALIGNED = 65_536  # samples in one look of the counting kernel: its blocks, and so its sums, stay what they were


def fits(size: int) -> bool:
    """Tell whether so many bytes of recorded values may be held."""
    return size <= BLOCK_BYTES


def sample_ranges(samples: int, bytes_a_sample: int, chunk: int = 1) -> Iterator[slice]:
    """Yield successive ranges of samples whose values fill no more than `BLOCK_BYTES`, unless one sample does.

    Args:
        samples: How many there are.
        bytes_a_sample: Bytes of one sample's values.
        chunk: Samples that are stored together; ranges end where chunks do, if a chunk fits into one.
    """
    step = max(1, BLOCK_BYTES // max(1, bytes_a_sample))
    if step < samples:
        unit = next((unit for unit in (chunk, _ALIGNED) if 1 < unit <= step), 1)
        step -= step % unit
    for start in range(0, samples, step):
        yield slice(start, min(start + step, samples))
