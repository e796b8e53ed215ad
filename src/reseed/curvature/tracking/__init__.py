"""Curvature along a training: what is measured every so many steps, and what it says afterwards.

Every measurement begins at the same vector, and none at what the last one found. An eigenvector of a moment before
saves products, but iterations may stay at it when another direction has become the sharper one, with a stated error
near 0: with ten products some values were half of what they should be, with three up to two thirds were missing.
"""

from reseed.curvature.tracking._recipe_tracker import tracker
from reseed.curvature.tracking._tracked_scores import tracked_scores

__all__ = ["tracked_scores", "tracker"]
