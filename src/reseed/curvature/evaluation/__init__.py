"""The evaluation: the curvature in which each run of a study ended, assembled to scores."""

from reseed.curvature.evaluation._evaluate import evaluate

__all__ = ["evaluate"]
