"""The evaluation: one protocol over networks, made of parts, assembled to scores."""

from reseed.robustness.evaluation._evaluate import evaluate

__all__ = ["evaluate"]
