"""What scikit-learn estimators are to reseed: something to clone, seed and fit."""

from __future__ import annotations

from typing import Any


def is_estimator(fit: Any) -> bool:
    """Tell an estimator from a function."""
    return hasattr(fit, "fit") and hasattr(fit, "get_params")


def random_states(estimator: Any) -> list[str]:
    """Return the names of every ``random_state`` that an estimator and its parts have."""
    return [name for name in estimator.get_params() if name.rpartition("__")[2] == "random_state"]


def fitted_clone(estimator: Any, inputs: Any, targets: Any, seed: int) -> Any:
    """Return a fitted clone whose every ``random_state`` is the seed."""
    from sklearn.base import clone

    return clone(estimator).set_params(**dict.fromkeys(random_states(estimator), seed)).fit(inputs, targets)
