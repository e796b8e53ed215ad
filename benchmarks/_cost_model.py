"""The formulas of docs/scale.md, for R runs of C checkpoints on N samples in K classes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

BLOCK, CHUNK = 4 << 20, 16 << 20  # bytes that a RunWriter collects, and most bytes in a chunk
SCORES = 4  # arrays of the level `scores` besides the labels
BLOCK_BYTES = 128 << 20  # of recorded values that `evaluate` holds at a time, over all runs
# Bytes at all and for each sample, whose id is a Python object: fitted to ten studies.
OPEN, OPEN_PER_SAMPLE = 20_000_000, 220
EVALUATE, EVALUATE_PER_SAMPLE = 10_000_000, 130
TRAJECTORY_PER_SAMPLE = {"labels": 70, "scores": 170, "full": 170}  # more of the latter where checkpoints are several
PIECE, PER_PIECE = 50_000_000, 100  # of double precision for the one-run estimate: at most, and for each late score


@dataclass(frozen=True)
class Size:
    """How much is recorded."""

    runs: int
    checkpoints: int
    samples: int
    classes: int
    level: str

    def __str__(self) -> str:
        return f"{self.runs} x {self.checkpoints} x {self.samples:,} x {self.classes:,}, {self.level}"

    @property
    def arrays(self) -> dict[str, int]:
        """Bytes of each array of one run at one checkpoint."""
        found = {"labels": self.samples * (2 if self.classes <= 32_767 else 4)}
        if self.level != "labels":
            found |= {f"score {number}": 4 * self.samples for number in range(SCORES)}
        if self.level == "full":
            found["probabilities"] = 4 * self.samples * self.classes
        return found

    @property
    def raw_bytes(self) -> int:
        """Bytes of all predictions before compression."""
        return self.runs * self.checkpoints * sum(self.arrays.values())

    @property
    def files(self) -> int:
        """Files of all runs: a chunk is a block of checkpoints, split over samples where it is too large."""
        each = 2  # the manifest and the group's metadata
        for size in self.arrays.values():
            block = max(1, min(self.checkpoints, BLOCK // size))
            per_sample = size // self.samples * block
            chunk = min(self.samples, max(1, CHUNK // per_sample))
            each += 1 + ceil(self.checkpoints / block) * ceil(self.samples / chunk)
        return self.runs * each

    @property
    def open_bytes(self) -> int:
        """Peak memory of opening the study, above the libraries."""
        return OPEN + OPEN_PER_SAMPLE * self.samples

    @property
    def evaluate_bytes(self) -> int:
        """Peak memory of `evaluate`, above the libraries: the open study, what is returned, and a block of values."""
        item = max(2 if self.classes <= 32_767 else 4, 0 if self.level == "labels" else 4)
        found = self.open_bytes + EVALUATE + EVALUATE_PER_SAMPLE * self.samples
        found += min(BLOCK_BYTES, item * self.runs * self.samples)
        if self.checkpoints > 1:
            found += TRAJECTORY_PER_SAMPLE[self.level] * self.samples
            if self.level != "labels":
                late = ceil(self.checkpoints / 2) * self.samples
                found += min(PIECE, PER_PIECE * late) + min(BLOCK_BYTES, 10 * late)
        return found

    def record_bytes(self, stacked: int = 1) -> int:
        """Peak memory of predicting and recording one checkpoint, above the model and the data.

        Logits of all runs of a stack are put together from parts, which is twice their size and leaves gaps as large
        again. Of one run at a time come a check for numbers that are not finite (7 bytes an entry), or probabilities,
        their partition for the margin and terms of the entropy (12 bytes), beside the blocks of all runs.
        """
        entries = self.samples * self.classes
        blocks = stacked * sum(max(size, min(BLOCK, self.checkpoints * size)) for size in self.arrays.values())
        together = (12 if stacked > 1 else 8) * stacked * entries
        return max(together, (4 * stacked + (7 if self.level == "labels" else 12)) * entries + blocks)
