"""Clusters of texts by the terms they share, each named by what it has and others have not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from reseed._errors import InputError
from reseed.instability.where._groupings import Grouping, distinct_names
from reseed.instability.where._k_means import COMPONENTS, chosen_samples, fitted_on, k_means
from reseed.instability.where._terms import cohesion, telling, terms, without_overlaps

NOTHING_SHARED = "no typical words"
_VOCABULARY = 20_000
_LEAST_TELLING = (
    0.05  # nats; terms that tell less are as good as silent, but still tell texts apart that have no others
)
_LIFT = 2.0  # a name's terms are at least so many times as frequent in the cluster as outside


def text_clusters(texts: Sequence[str], *, seed: int = 0) -> Grouping:
    """Clusters texts by the terms they share: k-means on the leading components of weighted tf-idf.

    Terms are words, symbols such as emoji and, in scripts that set no blanks, pairs of characters; see `terms`. Each
    counts by how rare it is and by how much it tells about the rest of a text, see `telling`, so that texts are not put
    together for their articles. Texts without a term that a few others share are a group of their own.

    Args:
        texts: one for each sample.
        seed: where k-means starts, and which samples it is fitted on where there are very many.

    Raises:
        InputError: the texts share no terms, or there are fewer than two.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    chosen = chosen_samples(len(texts), seed)
    vectorizer = TfidfVectorizer(
        analyzer=terms, sublinear_tf=True, min_df=2, max_df=0.5, max_features=_VOCABULARY, norm=None
    )
    try:
        vectorizer.fit([texts[index] for index in chosen.tolist()])
    except ValueError as error:  # scikit-learn's own words for texts without a word in common
        raise InputError(
            f"the {len(texts)} texts share too few words to be clustered; choose another grouping."
        ) from error
    tfidf = vectorizer.transform(texts)
    has_terms = np.diff(tfidf.indptr) > 0
    inside, fitted = np.flatnonzero(has_terms), chosen[has_terms[chosen]]
    held = (tfidf > 0).astype(np.int64)
    weights = np.maximum(telling(held[fitted]), _LEAST_TELLING)
    fitted = np.searchsorted(inside, fitted)
    found, _ = k_means(_features(tfidf[inside].multiply(weights).tocsr(), fitted, seed), fitted, seed)
    clusters = int(found.max()) + 1
    place = np.full(len(texts), clusters)
    place[inside] = found
    names = distinct_names(_typical(held, place, weights, vectorizer.get_feature_names_out())[:clusters])
    about = "clusters of texts by their words (weighted tf-idf, k-means), named by words that others have less often"
    rest = () if has_terms.all() else (NOTHING_SHARED,)
    return Grouping((*names, *rest), place, about + fitted_on(len(texts)))


def _features(weighted: Any, fitted: Int[np.ndarray, " chosen"], seed: int) -> Float[np.ndarray, "text feature"]:
    """Returns texts as vectors of length one, by their terms or, where these are many, by leading components."""
    from sklearn.decomposition import TruncatedSVD
    from sklearn.preprocessing import normalize
    from threadpoolctl import threadpool_limits

    rows = normalize(weighted)
    if rows.shape[1] <= COMPONENTS:
        return np.asarray(rows.toarray())
    with threadpool_limits(1):  # see `k_means`
        svd = TruncatedSVD(min(COMPONENTS, len(fitted)), random_state=seed).fit(rows[fitted])
        return np.asarray(normalize(svd.transform(rows)))


def _typical(
    held: Any, place: Int[np.ndarray, " text"], weights: Float[np.ndarray, " term"], names: Sequence[str]
) -> list[list[str]]:
    """Returns each cluster's typical terms, the most typical first.

    By p log(p / q) w, with p the share of the cluster's texts that hold a term, q that of the others, and w what it
    tells as a part of the most that a term in so many texts can tell; less for pairs that are no words, see `cohesion`.
    Terms of one letter, the stop words of English that scikit-learn lists, and terms whose w is below the median
    word's stand in only where there are no others.
    """
    from scipy.sparse import csr_matrix
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    texts, sizes = len(place), np.bincount(place)[:, None]
    groups = csr_matrix((np.ones(texts), (place, np.arange(texts))))
    count = (groups @ held).toarray()
    share, others = (count + 0.5) / (sizes + 1), (count.sum(0) - count + 0.5) / (texts - sizes + 1)
    part = weights / np.log((texts + 1) / count.sum(0)) * cohesion(names, count.sum(0))
    score = np.where(share >= _LIFT * others, share * np.log(share / others) * part, 0.0)
    is_word = np.array(
        [(len(name) > 1 or not name.isascii()) and name not in ENGLISH_STOP_WORDS for name in names]
    )  # the p and m of p.m. are none
    says_something = is_word & (part >= _median(part, count.sum(0)))
    found = []
    for row in score:
        ranked = np.argsort(-row, kind="stable")[: np.count_nonzero(row)]
        preferred = ranked[says_something[ranked]]
        found.append(without_overlaps([names[term] for term in (preferred if len(preferred) else ranked).tolist()]))
    return found


def _median(values: Float[np.ndarray, " term"], times: Float[np.ndarray, " term"]) -> float:
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(times[order])
    return float(values[order][np.searchsorted(reached, reached[-1] / 2)])
