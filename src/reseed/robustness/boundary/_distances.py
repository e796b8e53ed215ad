"""How far inputs are from another answer, with those whose other answer was not found."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, final

import numpy as np

from reseed._arrays import Result, give_back, to_numpy


@final
@dataclass(frozen=True, eq=False)
class Distances:
    """Distances to another answer.

    Arrays have a leading run axis where networks were asked: [run, sample]. They are tensors on the device of the
    inputs where these were one, else numpy arrays.

    Attributes:
        distance: How far each input is from another answer, [run, sample], float64; where none was found the largest
            distance that was looked at, which is a lower bound then, see ``censored``.
        censored: Where no other answer was found, [run, sample].
        queries: How many times the network was asked about the sample; a gradient counts as one more.
        steps: How many steps were taken, [run, sample]; of distances that count no steps None.
        by_direction: The distance along each direction, infinite where no other answer was found,
            [run, sample, direction]; None where it was not asked for.
    """

    distance: Any
    censored: Any
    queries: Any
    steps: Any = None
    by_direction: Any = None

    @property
    def censored_count(self) -> int:
        """How many samples, of all runs together, have no other answer within the largest distance."""
        return int(self.censored.sum())

    def mean(self, *, drop_censored: bool = False) -> Result:
        """Return the mean distance over samples, a float or one for each run.

        Censored samples count as the largest distance, so that the mean is a lower bound. Without them it is lower
        still: those that are dropped are the farthest.

        Args:
            drop_censored: Whether to leave them out, as some published numbers do.

        Returns:
            NaN with a warning where all samples are censored, since nothing is known of them but a bound.

        Examples:
            >>> found = Distances(np.array([0.1, 0.3, 0.5]), np.array([False, False, True]), np.array([4, 4, 4]))
            >>> f"{found.mean():.1f}", f"{found.mean(drop_censored=True):.1f}"
            ('0.3', '0.2')
        """
        distance = to_numpy(self.distance, "distance").astype(np.float64)
        censored = to_numpy(self.censored, "censored")
        counted = ~censored if drop_censored else np.ones_like(censored)
        count = counted.sum(-1)
        total = np.where(counted, distance, 0.0).sum(-1)
        known = ~censored.all(-1)
        mean = np.divide(total, count, out=np.full(np.shape(total), np.nan), where=known)
        if not known.all():
            of_runs = f" of {np.count_nonzero(~known)} of {known.size} runs" if np.ndim(known) else ""
            warnings.warn(
                f"no sample{of_runs} has another answer within the largest distance, so their mean is NaN; look "
                "further, or ask whether the network answers all inputs alike.",
                RuntimeWarning,
                stacklevel=2,
            )
        return give_back(np.asarray(mean), self.distance)

    def __repr__(self) -> str:
        *runs, samples = self.censored.shape
        return f"Distances({f'{runs[0]} runs, ' if runs else ''}{samples} samples, {self.censored_count} censored)"
