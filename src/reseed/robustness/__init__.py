"""How far an answer is from changing when its input changes: by noise, by corruption, by an adversary."""

from reseed.robustness._boundary_distance import boundary_distance
from reseed.robustness._distances import Distances
from reseed.robustness._linear_distance import linear_boundary_distance
from reseed.robustness._noise_distance import Units, noise_distance
from reseed.robustness._sign_steps import sign_step_distance

__all__ = [
    "Distances",
    "Units",
    "boundary_distance",
    "linear_boundary_distance",
    "noise_distance",
    "sign_step_distance",
]
