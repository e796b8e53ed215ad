"""How sharply the loss bends where networks are: curvature of each run, and what it says of training."""

from reseed.curvature.stability._diagnosis import Diagnosis, diagnose
from reseed.curvature.stability._preconditioner import preconditioner
from reseed.curvature.stability._threshold import StabilityThreshold, normalised_sharpness, stability_threshold

__all__ = [
    "Diagnosis",
    "StabilityThreshold",
    "diagnose",
    "normalised_sharpness",
    "preconditioner",
    "stability_threshold",
]
