"""Which samples are most like a sample."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from reseed.data import pixels
from reseed.instability.where._k_means import check_numbers
from reseed.instability.where._sample_groups import has_texts
from reseed.instability.where._terms import terms
from reseed.studies import Study

_MOST = 20_000  # samples that are searched
_VOCABULARY = 20_000


def nearest_samples(study: Study, samples: Sequence[int], *, count: int = 5) -> dict[int, tuple[int, ...]]:
    """Return the samples of a study that are most like some of its samples, by their texts, images or numbers.

    Of texts the cosine of tf-idf counts, of images the Euclidean distance of pixels, of tables that of columns that are
    scaled to standard deviation one. Texts that share no term with others have nobody.

    Args:
        study: A study.
        samples: Positions of samples.
        count: How many to return for each, at most.

    Returns:
        For each of the samples the positions of others, the nearest first. Nothing where the study holds neither texts
        nor images nor numbers, or more than 20,000 samples.

    Raises:
        InputError: Numbers of the samples are not finite.

    Examples:
        >>> import tempfile
        >>> texts = ["play loud music", "set an alarm", "play music"]
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     study = Study.from_predictions([[0, 1, 0], [0, 1, 1]], folder + "/study", texts=texts)
        >>> nearest_samples(study, [0, 1])
        {0: (2,), 1: ()}
    """
    held = study.samples
    if not 2 <= len(held) <= _MOST or not samples:
        return {}
    if has_texts(study):
        return _nearest(_text_features(held.texts or ()), samples, count, "cosine")
    if held.images is not None:
        return _nearest(pixels(held.images).astype(np.float64), samples, count, "euclidean")
    if held.features is not None:
        check_numbers(held.features)
        columns = held.features.astype(np.float64)
        spread = columns.std(0)
        return _nearest(columns / np.where(spread > 0, spread, 1.0), samples, count, "euclidean")
    return {}


def _text_features(texts: Sequence[str]) -> Any:
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(analyzer=terms, sublinear_tf=True, max_features=_VOCABULARY)
    try:
        return vectorizer.fit_transform(texts)
    except ValueError:  # no text holds a term
        return None


def _nearest(features: Any, samples: Sequence[int], count: int, metric: str) -> dict[int, tuple[int, ...]]:
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    if features is None:
        return {}
    found = NearestNeighbors(n_neighbors=min(count + 1, features.shape[0]), metric=metric, algorithm="brute")
    with threadpool_limits(1):  # sums in another order might exchange neighbours
        distances, places = found.fit(features).kneighbors(features[list(samples)])
    furthest = 1 - 1e-9 if metric == "cosine" else np.inf  # a cosine of zero: no term in common
    near = {}
    for sample, row, away in zip(samples, places.tolist(), distances.tolist(), strict=True):
        others = [other for other, far in zip(row, away, strict=True) if other != sample and far < furthest]
        near[sample] = tuple(others[:count])
    return near
