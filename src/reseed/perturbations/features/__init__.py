"""Noise on vectors of features."""

from reseed.perturbations.features._corrupt import FEATURE_CORRUPTIONS, FeatureCorruption, corrupt_features

__all__ = ["FEATURE_CORRUPTIONS", "FeatureCorruption", "corrupt_features"]
