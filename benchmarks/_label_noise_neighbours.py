"""Whether evaluation samples that runs answer unlike lie near training samples that were learned by heart.

Neighbours are the ten nearest training samples, by inputs (Euclidean distance; of texts that of normalised tf-idf,
which orders as the cosine does) and by which nodes of the hidden layer are on, network by network (Jaccard). Samples
that change (some run answers otherwise) are set beside stable ones that are as hard: within tenths of the probability
that networks without noise give their true label, weighted as those that change are.

Wrong labels were drawn at random, so which of the training samples are corrupted is a randomised treatment: dealing
the marks anew gives what the difference would be if they had nothing to do with it. The bootstrap over evaluation
samples speaks of other samples near the same training set. Without noise the marks are those of memorised samples,
which were not drawn, so there is no such null.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors

import reseed
from reseed.instability import label_entropy
from reseed.memorization import nearest_patterns, sample_sets

if TYPE_CHECKING:
    from label_noise import Reference
    from torch import Tensor

    from reseed.data import CorruptionRecord

K, STRATA, DRAWS, DEALINGS = 10, 10, 1000, 200
NAMES = ("difference", "matched_difference", "entropy_per_neighbour")
Values = NDArray[np.float64]
Index = NDArray[np.int64]


def neighbours(study: reseed.Study, reference: Reference, rate: float) -> dict[str, Any]:
    """Return how many corrupted, without noise memorised, training samples are near samples that change."""
    labels, corruption = study.final(), study.corruption
    marked = reference.memorised if corruption is None else np.asarray(corruption.changed)
    changes = (labels != labels[0]).any(0)
    cuts = np.quantile(reference.evaluation, np.linspace(0, 1, STRATA + 1)[1:-1])
    stratum = np.searchsorted(cuts, reference.evaluation)
    entropy = np.asarray(label_entropy(labels))
    found: dict[str, Any] = {
        "rate": rate,
        "marked": int(marked.sum()),
        "base_rate": float(marked.mean()),
        "samples": len(changes),
        "changing": int(changes.sum()),
    }
    for space, index in (("inputs", _by_inputs(study)), ("patterns", _by_patterns(study))):
        share = marked[index].mean((0, 2))
        found[space] = _compared(share, changes, stratum, entropy)
        if corruption is not None:
            found[space] |= _against_dealing(index, marked, changes, stratum, entropy)
            found[space]["wrong_answers"] = _taken_over(index, corruption, labels, study.targets)
    return found


def _inputs(study: reseed.Study, split: str) -> Tensor:
    return study.inputs(split, announce=lambda line: None).inputs


def _by_inputs(study: reseed.Study) -> Index:
    """Return the nearest training samples of each evaluation sample, [1, sample, neighbour]."""
    train, evaluation = (_inputs(study, split).flatten(1).numpy() for split in ("train", "evaluation"))
    near = NearestNeighbors(n_neighbors=K, algorithm="brute", n_jobs=1).fit(train)
    return np.asarray(near.kneighbors(evaluation, return_distance=False))[None]


def _by_patterns(study: reseed.Study) -> Index:
    """Return the training samples whose patterns are nearest, network by network, [run, sample, neighbour]."""
    networks = study.networks(announce=lambda line: None)
    train, evaluation = (sample_sets(networks, _inputs(study, split)) for split in ("train", "evaluation"))
    layer = train.layers[-1]
    pairs = zip(evaluation.on(layer), train.on(layer), strict=True)
    return np.stack([np.asarray(nearest_patterns(asked, others, K).index) for asked, others in pairs])


def _contrast(changes: NDArray[np.bool_], stratum: Index) -> Values:
    """Return weights of samples whose sum with a measure is the matched difference of changing and stable ones."""
    weights = np.zeros(len(changes))
    for each in np.unique(stratum):
        one, other = (stratum == each) & changes, (stratum == each) & ~changes
        if one.any() and other.any():
            weights[one] = 1.0
            weights[other] = -one.sum() / other.sum()
    return weights / max(1.0, weights[weights > 0].sum())


def _centred(values: Values, stratum: Index) -> Values:
    """Return values less the mean of their stratum."""
    means = np.bincount(stratum, values) / np.bincount(stratum)
    return np.asarray(values - means[stratum])


def _compared(share: Values, changes: NDArray[np.bool_], stratum: Index, entropy: Values) -> dict[str, Any]:
    rng = np.random.default_rng(0)
    samples = len(share)
    drawn = []
    for _ in range(DRAWS):
        rows = rng.integers(0, samples, samples)
        drawn.append(_differences(share[rows], changes[rows], stratum[rows], entropy[rows]))
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    values = _differences(share, changes, stratum, entropy)
    return {
        "changing": float(share[changes].mean()),
        "stable": float(share[~changes].mean()),
        "matched_samples": int((_contrast(changes, stratum) > 0).sum()),
        **{
            name: {"value": float(value), "low": float(below), "high": float(above)}
            for name, value, below, above in zip(NAMES, values, low, high, strict=True)
        },
    }


def _differences(share: Values, changes: NDArray[np.bool_], stratum: Index, entropy: Values) -> tuple[float, ...]:
    """Return the difference of shares, the same among equally hard samples, and nats more for each marked neighbour."""
    centred = _centred(share, stratum)
    slope = centred @ _centred(entropy, stratum) / (centred @ centred) / K
    return (
        float(share[changes].mean() - share[~changes].mean()),
        float(_contrast(changes, stratum) @ share),
        float(slope),
    )


def _against_dealing(
    index: Index, marked: NDArray[np.bool_], changes: NDArray[np.bool_], stratum: Index, entropy: Values
) -> dict[str, Any]:
    """Return the middle 95 % of what the numbers would be if the marks were dealt to the training samples anew."""
    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(DEALINGS):
        share = rng.permutation(marked)[index].mean((0, 2))
        drawn.append(_differences(share, changes, stratum, entropy))
    low, high = np.quantile(np.array(drawn), [0.025, 0.975], axis=0)
    return {"dealt_anew": {name: [float(a), float(b)] for name, a, b in zip(NAMES, low, high, strict=True)}}


def _taken_over(index: Index, corruption: CorruptionRecord, labels: Index, targets: Index) -> dict[str, Any]:
    """Return how many wrong answers are the given label of a corrupted neighbour, and how many if it is drawn anew.

    It is drawn as it was: uniformly among the classes that are not the true one.
    """
    marked, given, true = corruption.changed, corruption.given_labels, corruption.true_labels
    rng = np.random.default_rng(2)
    runs, samples = np.nonzero(labels != targets)
    near = index[runs if len(index) > 1 else 0, samples]
    answers = labels[runs, samples][:, None]

    def hits(given: Index) -> float:
        return float((marked[near] & (given[near] == answers)).any(1).mean())

    drawn, classes = [], int(true.max()) + 1
    for _ in range(DEALINGS):
        drawn.append(hits((true + rng.integers(1, classes, len(true))) % classes))
    low, high = np.quantile(drawn, [0.025, 0.975])
    return {"count": len(runs), "share": hits(given), "drawn_anew": [float(low), float(high)]}
