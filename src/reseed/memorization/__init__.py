"""What a network learns by heart: random labels, destroyed inputs, wrong labels, and what it devotes to them."""

from reseed.memorization.interpolation._finite_sample import FiniteSampleReLU
from reseed.memorization.interpolation._kernel import Kernel, KernelInterpolant, kernel_interpolant
from reseed.memorization.interpolation._linear import MinNormInterpolant, SgdLinear, min_norm_interpolant, sgd_linear
from reseed.memorization.interpolation._rademacher import empirical_rademacher

__all__ = [
    "FiniteSampleReLU",
    "Kernel",
    "KernelInterpolant",
    "MinNormInterpolant",
    "SgdLinear",
    "empirical_rademacher",
    "kernel_interpolant",
    "min_norm_interpolant",
    "sgd_linear",
]
