"""What one network, or two, say of samples: columns of all lenses, margins, combinations learnt elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from _paired import Asked
from numpy.typing import NDArray
from scipy.special import log_softmax, softmax
from scipy.stats import norm, rankdata

from reseed._parts import Parts
from reseed.instability import single_run_score
from reseed.instability.one_run._foretold import signals_reader
from reseed.instability.one_run._single_run import default_model
from reseed.scores import LOWER, Scores
from reseed.studies import Study
from reseed.workflows._foretell import _all_columns

Values = NDArray[np.float64]
LENS = "robustness"
MARGIN = "softmax_margin"
SCORE = ("log_late_flip_rate", "mean_margin")  # the signals of the one-run score


@dataclass(frozen=True, eq=False)
class Subject:
    """A study as it is looked at: some of its samples, and what each network says of them.

    Attributes:
        name: The case.
        data: The data set.
        labels: Final labels [run, sample].
        looks: Looks at one network by lens and name, [run, sample], larger is worse.
        logits: Of the final networks, [run, sample, class].
    """

    name: str
    data: str
    labels: NDArray[np.int64]
    looks: Mapping[tuple[str, str], Values]
    logits: Values

    @cached_property
    def asked(self) -> Asked:
        """What is foretold."""
        return Asked(self.labels)

    @property
    def margin(self) -> Values:
        """The baseline, [run, sample]."""
        return self.looks["baseline", MARGIN]

    @property
    def columns(self) -> dict[str, Values]:
        """The looks of the robustness lens."""
        return {name: values for (lens, name), values in self.looks.items() if lens == LENS}

    def with_looks(self, added: Mapping[tuple[str, str], Values]) -> Subject:
        """Return the same with further looks."""
        return replace(self, looks={**self.looks, **added})


def subject_of(name: str, data: str, study: Study, scores: Scores) -> Subject:
    """Return a study with the samples that the robustness lens was asked about."""
    rows = [np.asarray(rows[run]) for rows in scores.by_run.values() for run in range(len(scores.runs))]
    some = np.flatnonzero(~np.isnan(rows).all(0))
    labels = study.final("labels")[:, some].astype(np.int64)
    inputs = study.inputs().inputs[some]
    logits = study.networks().predict(inputs).double().numpy()
    looks: dict[tuple[str, str], Values] = {
        ("baseline", MARGIN): -_margin(softmax(logits, -1)),
        ("baseline", "logit_margin"): -_margin(logits),
    }
    for key, (about, column) in _all_columns(study, Parts()).items():
        values = np.stack([np.asarray(column.rows[run], np.float64)[some] for run in range(len(labels))])
        looks[key] = -values if about.direction == LOWER else values
    read = signals_reader(study, names=SCORE)
    signals = [read(run) for run in range(len(labels))]
    uncut = replace(default_model(), cut=0.0)
    looks["one_run", "one_run_score_without_cut"] = np.stack([single_run_score(each, uncut) for each in signals])[
        :, some
    ]
    return Subject(name, data, labels, looks, logits)


def second_network(subject: Subject) -> dict[str, Values]:
    """Return looks at two networks, [pair, sample]: a second training of the same recipe."""
    probabilities = softmax(subject.logits, -1)
    logs = log_softmax(subject.logits, -1)
    pairs = subject.asked.pairs
    mixed = [(probabilities[one] + probabilities[two]) / 2 for one, two in pairs]
    divergence = [
        0.5 * sum((probabilities[run] * (logs[run] - np.log(np.maximum(mean, 1e-300)))).sum(-1) for run in pair)
        for pair, mean in zip(pairs, mixed, strict=True)
    ]
    return {
        "margin_of_both": np.stack([-_margin(mean) for mean in mixed]),
        "divergence": np.stack(divergence),
        "disagreement": np.stack([subject.labels[one] != subject.labels[two] for one, two in pairs]).astype(float),
    }


def _margin(outputs: Values) -> Values:
    first_two = np.partition(outputs, -2, -1)[..., -2:]
    return np.asarray(first_two[..., 1] - first_two[..., 0])


def scored(values: Values) -> Values:
    """Return the normal scores of ranks within each run, [run, sample]: units that all data sets share."""
    ranks = rankdata(values, axis=-1)
    return np.asarray(norm.ppf((ranks - 0.5) / values.shape[-1]))


def averaged(subject: Subject, name: str) -> Values:
    """Return the mean of the normal scores of the margin and of a column; nothing is learnt."""
    return (scored(subject.margin) + scored(subject.columns[name])) / 2


def learnt(subject: Subject, subjects: Sequence[Subject], columns: Sequence[str], *, with_score: bool) -> Values | None:
    """Return a logistic combination with weights of other data sets only; None where none of them has the columns.

    Args:
        subject: What it is for.
        subjects: All there are; those of the same data set are not learnt from.
        columns: Columns of the robustness lens, as normal scores within each run.
        with_score: Whether to combine them with the signals of the one-run score, or with the softmax margin.
    """
    from sklearn.linear_model import LogisticRegression

    if not set(columns) <= set(subject.columns):
        return None
    lessons = [each for each in subjects if each.data != subject.data and set(columns) <= set(each.columns)]
    if len({each.data for each in lessons}) < 2:
        return None
    tables, flips, weights = [], [], []
    for each in lessons:
        for run, table in enumerate(_tables(each, columns, with_score=with_score)):
            tables.append(table)
            flips.append(each.asked.flips(frozenset({run})))
            weights.append(np.full(len(table), 1 / (len(table) * len(each.labels))))
    table = np.concatenate(tables)
    center, scale = table.mean(0), np.maximum(table.std(0), 1e-12)
    weight = np.concatenate(weights) / np.mean(np.concatenate(weights))
    fitted = LogisticRegression(max_iter=1000)
    fitted.fit((table - center) / scale, np.concatenate(flips), sample_weight=weight)
    own = _tables(subject, columns, with_score=with_score)
    return np.stack([fitted.decision_function((each - center) / scale) for each in own])


def _tables(subject: Subject, columns: Sequence[str], *, with_score: bool) -> Iterator[Values]:
    """Yield what is combined of each run, [sample, signal]."""
    base = [subject.looks["one_run", name] for name in SCORE] if with_score else [scored(subject.margin)]
    parts = [*base, *(scored(subject.columns[name]) for name in columns)]
    for run in range(len(subject.labels)):
        yield np.stack([part[run] for part in parts], -1)
