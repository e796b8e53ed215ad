"""Measuring a scikit-learn estimator on the data that `measure` takes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from reseed._errors import InputError
from reseed.data import load
from reseed.studies import Study, fingerprint, run
from reseed.workflows._recipe import STUDIES, recipe_fields, safe_name


def check_no_recipe(estimator: object, given: Sequence[str]) -> None:
    """Accept arguments beside an estimator, which has no recipe.

    Args:
        estimator: What is measured.
        given: Names of arguments that are given, and are about networks that reseed trains.

    Raises:
        InputError: There is one.
    """
    if given:
        raise InputError(
            f"{given[0]} is for networks that reseed trains, and {type(estimator).__name__} is a scikit-learn "
            "estimator, whose settings are its own; leave it out."
        )


def estimator_training(
    data: object, estimator: Any, out: str | Path | None, changes: Mapping[str, Any], **options: Any
) -> Callable[..., Study]:
    """Return what fits an estimator with every seed, called with the number of ``runs``.

    Args:
        data: What `measure` takes.
        estimator: Unfitted. Texts come to it as they are, and images as rows of pixels.
        out: The study's folder; default: one that data and estimator name.
        changes: `RecipeArguments` about the data.
        **options: What `run` takes besides.

    Raises:
        InputError: Something is changed that an estimator has not, or the data is unusable.
    """
    check_no_recipe(estimator, [name for name in changes if name == "mitigations"])
    fields = recipe_fields(changes)
    check_no_recipe(estimator, [name for name in fields if not name.startswith("data.")])
    splits = load(data, **{name.removeprefix("data."): value for name, value in fields.items()})
    fitted = _on_rows(estimator) if splits.train.is_image else estimator
    name = type(estimator).__name__
    if out is None:
        told = f"{fingerprint(fitted)} {splits.train.digest} {splits.evaluation.digest}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:8]
        out = STUDIES / f"{safe_name(f'{splits.train.name}-{name}')}-{digest}"
    train = (splits.train.inputs, splits.train.labels.numpy())
    return partial(run, fitted, train_data=train, eval_data=splits.evaluation, out=out, name=name, **options)


def _on_rows(estimator: Any) -> Any:
    """Return an estimator that takes images."""
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import FunctionTransformer

    return make_pipeline(FunctionTransformer(_rows), estimator)


def _rows(images: Tensor) -> Any:
    return images.flatten(1).numpy()
