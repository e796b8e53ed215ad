"""What a network learns by heart: random labels, destroyed inputs, wrong labels, and what it devotes to them."""

from reseed.memorization.randomization._complexity import sign_correlation
from reseed.memorization.randomization._fitting import SlowDown, slow_down, steps_to_fit
from reseed.memorization.randomization._outcome import RandomizationTest
from reseed.memorization.randomization._randomized import Randomized

__all__ = ["RandomizationTest", "Randomized", "SlowDown", "sign_correlation", "slow_down", "steps_to_fit"]
