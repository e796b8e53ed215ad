"""The functions of a count that entropies are sums of, tabulated in fixed point."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from jaxtyping import Float, Int, Integer
from scipy.special import digamma, xlogy

from reseed._errors import InputError
from reseed.instability.labels._counts import Tally

Correction: TypeAlias = Literal["miller-madow", "digamma"]
CORRECTIONS = ("miller-madow", "digamma")


@dataclass(frozen=True)
class EntropyTable:
    """Tabulates f(n), n = 0 .. runs, in units of `unit`, so that H = (f(N) - sum_k f(n_k)) / N.

    f(n) is n ln n, or n psi(n) for the digamma form. `extra` is added for each observed label but one,
    divided by N: 1/2 for Miller and Madow's correction, else 0.
    """

    table: Int[np.ndarray, " count"]
    unit: float
    extra: float

    def entropy(
        self,
        folded: Int[np.ndarray, " *axes"],
        distinct: Integer[np.ndarray, " *axes"],
        present: Integer[np.ndarray, " *axes"],
    ) -> Float[np.ndarray, " *axes"]:
        """Returns the entropy in nats from sums of the table over counts; 0 where nothing is present."""
        plain = (self.table[present] - folded) * self.unit
        more = self.extra * (distinct - 1) * (present > 0)
        return np.asarray((plain + more) / np.maximum(present, 1))

    def of(self, counted: Tally) -> Float[np.ndarray, " sample"]:
        """Returns each sample's entropy in nats."""
        return self.entropy(counted.folded, counted.distinct, counted.present)


def check_correction(correction: object) -> None:
    """Raises on an unknown correction."""
    if correction not in (None, *CORRECTIONS):
        raise InputError(
            f"correction={correction!r} is unknown; pass None, 'miller-madow' or 'digamma' (the form that "
            "libraries also call Grassberger's or Zhang's)."
        )


def entropy_table(runs: int, correction: Correction | None) -> EntropyTable:
    """Builds the table for up to `runs` runs."""
    counts = np.arange(runs + 1, dtype=np.float64)
    values = np.zeros(runs + 1)
    if correction == "digamma":
        values[1:] = counts[1:] * digamma(counts[1:])
    else:
        values = xlogy(counts, counts)
    # A sample's terms sum to at most |f| <= N ln N + N in magnitude, so this scale keeps sums below 2^62.
    exponent = 61 - int(np.ceil(np.log2(runs * (np.log(runs) + 1) + 1)))
    return EntropyTable(
        np.rint(np.ldexp(values, exponent)).astype(np.int64),
        float(np.ldexp(1.0, -exponent)),
        0.5 if correction == "miller-madow" else 0.0,
    )
