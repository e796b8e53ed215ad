"""What a network learns by heart: random labels, destroyed inputs, wrong labels, and what it devotes to them."""

from reseed.memorization.interpolation._finite_sample import FiniteSampleReLU
from reseed.memorization.interpolation._kernel import Kernel, KernelInterpolant, kernel_interpolant
from reseed.memorization.interpolation._linear import MinNormInterpolant, SgdLinear, min_norm_interpolant, sgd_linear
from reseed.memorization.interpolation._rademacher import empirical_rademacher
from reseed.memorization.randomization._complexity import sign_correlation
from reseed.memorization.randomization._fitting import SlowDown, slow_down, steps_to_fit
from reseed.memorization.randomization._outcome import RandomizationTest
from reseed.memorization.randomization._randomized import Randomized

__all__ = [
    "FiniteSampleReLU",
    "Kernel",
    "KernelInterpolant",
    "MinNormInterpolant",
    "RandomizationTest",
    "Randomized",
    "SgdLinear",
    "SlowDown",
    "empirical_rademacher",
    "kernel_interpolant",
    "min_norm_interpolant",
    "sgd_linear",
    "sign_correlation",
    "slow_down",
    "steps_to_fit",
]
