"""Scaling probabilities by a temperature."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, final

from reseed.mitigations._checks import check_option
from reseed.mitigations._mitigation import AbstractMitigation

HELD_OUT = 0.1
"""Share of the training set on which a temperature is fitted unless somebody says otherwise."""
_FEWEST = 10


@final
@dataclass(frozen=True)
class Temperature(AbstractMitigation):
    """Temperature scaling: logits are divided by a number that makes probabilities fit how often answers are right.

        p(x) = softmax(z(x) / T),   T = argmin over T of -mean log softmax(z / T)[y] over samples that are held out

    One training of the same recipe, other methods included, leaves a share of the training set out; its logits there
    say T for all runs of a study, which train on everything, see `fit_temperature`. T is kept with every run, and
    recorded probabilities, and all scores of them, are those after scaling. Answers are what they were, bit for bit.

    Use it when: probabilities are used and not answers alone, above all beside label smoothing, which keeps answers in
    place and spoils confidence.
    Cost: another training on what is not held out, which all runs share; one network at inference.
    Beware: it keeps no answer in place. Weights that are kept, and networks made of them, give logits before scaling;
    divide them by the temperature of the run.

    References:
        Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """

    name: ClassVar[str] = "temperature"

    held_out: float = HELD_OUT
    """Share of the training set on which the temperature is fitted, in [0, 0.5], 10 samples or more; zero is the
    control."""

    def __post_init__(self) -> None:
        check_option(self, "held_out", 0 <= self.held_out <= 0.5, "a share in [0, 0.5]")

    @property
    def is_active(self) -> bool:
        """Whether anything is held out to fit a temperature on."""
        return self.held_out > 0

    @property
    def least_samples(self) -> int:
        """Training samples of which ten are held out."""
        return samples_for_temperature(self.held_out)


def samples_for_temperature(held_out: float = HELD_OUT) -> int:
    """Return how many training samples it takes for ten of them to be held out.

    Examples:
        >>> samples_for_temperature(0.1)
        100
    """
    return math.ceil(_FEWEST / held_out) if held_out > 0 else 1
