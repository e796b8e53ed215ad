"""The formulas of docs/scale.md, for R runs of C checkpoints on N samples in K classes."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

BLOCK, CHUNK = 4 << 20, 16 << 20  # bytes that a RunWriter collects, and most bytes in a chunk
SCORES = 4  # arrays of the level `scores` besides the labels
PER_LABEL_READ = 5  # bytes for each run and sample while labels are read and checked
PER_LABEL = {"labels": 2, "scores": 18, "full": 18}  # bytes that `evaluate` holds for each run and sample
# Bytes at all and for each sample, whose id and answers are Python objects: fitted to four sizes of `scale.py`.
OPEN, OPEN_PER_SAMPLE = 20_000_000, 220
EVALUATE, EVALUATE_PER_SAMPLE = 30_000_000, 700


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
        """Peak memory of `evaluate`, above the libraries."""
        measures = PER_LABEL[self.level] * self.runs + EVALUATE_PER_SAMPLE
        return EVALUATE + max(measures, PER_LABEL_READ * self.runs) * self.samples

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
