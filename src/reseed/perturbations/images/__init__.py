"""Common corruptions of images and perturbation sequences, in batches, of any size and number of channels."""

from reseed.perturbations._corruptions import SEVERITIES
from reseed.perturbations.images._corrupt import corrupt
from reseed.perturbations.images._corruption import Corruption
from reseed.perturbations.images._registry import CORRUPTIONS, EXTRA_CORRUPTIONS
from reseed.perturbations.images._sequences import (
    SEQUENCES,
    PerturbationSequence,
    perturbation_frames,
    perturbation_sequence,
)

__all__ = [
    "CORRUPTIONS",
    "EXTRA_CORRUPTIONS",
    "SEQUENCES",
    "SEVERITIES",
    "Corruption",
    "PerturbationSequence",
    "corrupt",
    "perturbation_frames",
    "perturbation_sequence",
]
