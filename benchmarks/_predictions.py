"""Made-up predictions that look like recorded ones: runs that mostly agree, and confidence that grows with training.

A sample has logits that all runs share, a run adds its own, and a third part drifts from checkpoint to checkpoint. The
strengths are chosen so that two runs, and two successive checkpoints of one, disagree on a few percent of the answers.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from reseed.training import Level, probability_arrays

_SHARED, _OWN, _DRIFT, _LEAD = 1.5, 0.6, 0.18, 2.8


class Predictions:
    """Predictions of many runs on the same samples.

    Args:
        checkpoints: Checkpoints a run.
        samples: Samples a checkpoint.
        classes: Classes a sample.
        level: What is kept of them.
    """

    def __init__(self, checkpoints: int, samples: int, classes: int, level: Level) -> None:
        rng = np.random.default_rng(0)
        self.checkpoints, self.level = checkpoints, level
        self.targets = rng.integers(0, classes, samples)
        self._shared = rng.normal(0, _SHARED, (samples, classes)).astype(np.float32)
        self._shared[np.arange(samples), self.targets] += _LEAD + _SHARED * np.sqrt(2 * np.log(classes))

    def of_run(self, run: int) -> Iterator[dict[str, NDArray]]:
        """Yield the arrays of each checkpoint of a run, in the types that are stored."""
        rng = np.random.default_rng((1, run))
        logits = self._shared + _OWN * rng.standard_normal(self._shared.shape, np.float32)
        drift = np.zeros_like(logits)
        for checkpoint in range(self.checkpoints):
            # One row of noise, turned by a random number of samples, stands for a fresh draw of all of them.
            if checkpoint % 5 == 0:
                noise = rng.standard_normal(logits.shape, np.float32)
            drift = 0.9 * drift + _DRIFT * np.roll(noise, int(rng.integers(len(noise))), axis=0)
            scores = (logits + drift) * (0.4 + 0.6 * (checkpoint + 1) / self.checkpoints)
            scores = np.exp(scores - scores.max(1, keepdims=True))
            scores /= scores.sum(1, keepdims=True)
            arrays = probability_arrays(scores, self.targets, self.level)
            yield {name: values.astype(np.int16 if name == "labels" else np.float32) for name, values in arrays.items()}
