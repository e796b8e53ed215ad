"""A user's own training on resamples of its data, as a function of one seed."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed.studies._estimators import fitted_clone, is_estimator
from reseed.studies._header import Header
from reseed.studies._labels import as_array
from reseed.training import DRAWS, check_draws, generator


@dataclass(frozen=True, eq=False)
class ResampledFit:
    """Fits on the whole training data for one seed, and on a bootstrap resample of it for every other.

    A resample that holds one class only, where the data has more, is drawn again, since most classifiers cannot be
    fitted on it.

    Args:
        fit: An unfitted scikit-learn estimator, or a function of inputs, targets and a seed.
        inputs: Training inputs, [sample, ...].
        targets: Training targets, [sample].
        original: The seed of the fit on the whole data, and of all fits unless seeds vary.
        is_seed_varied: Whether each fit gets a seed of its own.
        draws: The version of what is drawn for a seed, see `reseed.training.generator`.
    """

    fit: Any
    inputs: Any
    targets: Any
    original: int
    is_seed_varied: bool = False
    draws: int = DRAWS

    def __call__(self, seed: int) -> Any:
        """Return the model that is fitted for a seed.

        Raises:
            InputError: It gives labels only.
        """
        inputs, targets = self.inputs, self.targets
        if seed != self.original:
            rows = self.resample(seed)[0]
            inputs, targets = _taken(inputs, rows), _taken(targets, rows)
        fitted = self._fitted(inputs, targets, seed if self.is_seed_varied else self.original)
        if hasattr(fitted, "predict") and not hasattr(fitted, "predict_proba"):
            raise InputError(
                f"fit gives a {type(fitted).__name__}, which has no predict_proba; the bootstrap compares "
                "probabilities. Pass one that has, or a function from inputs to [sample, class]."
            )
        return fitted

    def resample(self, seed: int) -> tuple[NDArray[np.int64], int]:
        """Return the rows of a seed's resample, [sample], and how many were drawn before it and had one class."""
        labels = as_array(self.targets, "train_data")
        is_one_class = len(labels) < 1 or (labels == labels[0]).all()
        for attempt in itertools.count():
            rows = generator(seed, attempt, draws=self.draws).integers(0, len(labels), len(labels))
            if is_one_class or not (labels[rows] == labels[rows[0]]).all():
                return rows, attempt
        raise AssertionError  # itertools.count never ends

    def continued(self, found: Header | None) -> ResampledFit:
        """Return what draws as the study began that is there.

        Raises:
            RecipeError: It began with draws that are not known here.
        """
        if found is None:
            return self
        check_draws(found.draws)
        return replace(self, draws=found.draws)

    @property
    def digest(self) -> str:
        """What the training targets are, so that a study is not continued with others."""
        labels = as_array(self.targets, "train_data")
        return hashlib.sha256("\n".join(map(repr, labels.tolist())).encode("utf-8", "backslashreplace")).hexdigest()

    def _fitted(self, inputs: Any, targets: Any, seed: int) -> Any:
        if is_estimator(self.fit):
            return fitted_clone(self.fit, inputs, targets, seed)
        return self.fit(inputs, targets, seed)


def _taken(items: Any, rows: NDArray[np.int64]) -> Any:
    """Return rows of an array, a tensor, a sparse matrix, a data frame or a list."""
    if hasattr(items, "iloc"):
        return items.iloc[rows]
    return items[rows] if hasattr(items, "shape") else [items[row] for row in rows]
