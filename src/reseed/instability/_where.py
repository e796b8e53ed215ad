"""The lens on a study, by groups of samples: where in the data does the instability live?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed.data import load, shows_numbers
from reseed.instability._clustered import ClusteringTest, clustering_test
from reseed.instability._estimate import Method, estimate
from reseed.instability._evaluate import check_runs
from reseed.instability._groupings import (
    Grouping,
    feature_clusters,
    name_groups,
    number_groups,
    text_clusters,
)
from reseed.instability._label_entropy import label_entropy
from reseed.instability._metadata import metadata_groups, read_metadata
from reseed.instability._mode import mode_label
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa

GROUPINGS = ("class", "length", "confidence", "cluster")


@dataclass(frozen=True, eq=False)
class WhereUnstable:
    """How local instability differs between groups of samples.

    Attributes:
        by: What groups the samples.
        about: How the groups were made, in words.
        test: Whether label entropy differs between the groups more than chance would have it.
        table: One row a group, the one that stands out most first: ``group``, ``samples``, ``label_entropy`` (mean,
            nats) with the 95 % interval ``low`` and ``high``, ``unstable_fraction``, ``excess`` (nats above the mean
            of all samples) and ``corrected_p_value``.
        notes: What a reader should know before believing the numbers.
    """

    by: str
    about: str
    test: ClusteringTest
    table: pa.Table
    notes: tuple[str, ...]

    @property
    def summary(self) -> dict[str, Any]:
        """Everything as JSON-ready values."""
        return {
            "by": self.by,
            "about": self.about,
            "variance_share": self.test.statistic,
            "p_value": self.test.p_value,
            "null_mean": self.test.null_mean,
            "null_quantile95": self.test.null_quantile,
            "permutations": self.test.permutations,
            "groups": self.table.to_pylist(),
            "notes": list(self.notes),
        }


def where_unstable(
    study: Study,
    by: str = "class",
    *,
    metadata: str | Path | pa.Table | None = None,
    id_column: str | None = None,
    permutations: int = 999,
    seed: int = 0,
) -> WhereUnstable:
    """Tell in which groups of samples the predictions change, and whether that is more than chance.

    Args:
        study: A study with two or more complete runs.
        by: ``class`` (gold label, else the most frequent answer), ``length`` (words), ``confidence`` (mean over
            runs), ``cluster`` (of texts, or of inputs that the study's recipe can load again), or a column of
            ``metadata``. A column of that name comes first.
        metadata: A table with a row a sample, or a file of one: ``.csv``, ``.tsv``, ``.jsonl``, ``.parquet``.
            Numbers with more than ten distinct values are binned into five quantiles.
        id_column: The column of ``metadata`` that holds sample ids; default: ``id``, ``sample_id`` or ``sample``.
        permutations: Random dealings of the test; see `clustering_test`.
        seed: Where the dealings and k-means start.

    Returns:
        The groups and the test. Where no prediction changes, the test is NaN and a note says so.

    Raises:
        InputError: The grouping is unknown or the study lacks what it needs, or the metadata does not fit.
        TrainingError: Fewer than two runs are complete.
    """
    check_runs(study)
    labels = study.final("labels")
    table, name = (None, "") if metadata is None else read_metadata(metadata, id_column)
    if table is not None and (by not in GROUPINGS or by in table.column_names):
        grouping, notes = metadata_groups(table, name, by, study.samples.ids, id_column)
    else:
        grouping, notes = _grouping(study, by, labels, seed)
    inside = grouping.place >= 0
    entropy = label_entropy(labels)[inside]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a note says it
        test = clustering_test(entropy, grouping.place[inside], permutations=permutations, seed=seed)
    if not entropy.any():
        notes = (*notes, "No prediction changes, so there is nothing to locate.")
    elif len(test.group) < 2:
        notes = (*notes, "All samples are in one group, so there is nothing to compare.")
    return WhereUnstable(by, grouping.about, test, _table(labels, grouping, test), notes)


def available_groupings(study: Study) -> tuple[str, ...]:
    """Return the groupings that a study can make by itself, without loading its data again."""
    found = ["class"]
    if has_texts(study):
        found.append("length")
    if "confidence" in study.recorded_names():
        found.append("confidence")
    if has_texts(study):
        found.append("cluster")
    return tuple(found)


def has_texts(study: Study) -> bool:
    """Tell whether the samples are texts; of samples made of numbers a study holds the first few only."""
    texts = study.samples.texts
    return texts is not None and not all(map(shows_numbers, texts))


def _grouping(study: Study, by: str, labels: NDArray[np.int64], seed: int) -> tuple[Grouping, tuple[str, ...]]:
    samples, names = study.samples, study.header.class_names
    same_runs = "The groups come from the predictions of the same runs; part of the difference is made by that."
    if by == "class" and samples.has_targets:
        named = [names[target] if target >= 0 else None for target in samples.targets.tolist()]
        return name_groups(named, "gold label"), ()
    if by == "class":
        return name_groups([names[label] for label in mode_label(labels).tolist()], "most frequent answer"), (
            same_runs,
        )
    if by == "length" and has_texts(study):
        words = np.array([len(text.split()) for text in samples.texts or ()], dtype=np.float64)
        return number_groups(words, "number of words", few=5), ()
    if by == "confidence" and "confidence" in study.recorded_names():
        mean = study.final("confidence").astype(np.float64).mean(0)
        return number_groups(mean, "mean confidence over runs", few=0), (same_runs,)
    if by == "cluster" and has_texts(study):
        return text_clusters(samples.texts or (), seed=seed), ()
    if by == "cluster" and study.recipe is not None:
        return _loaded_clusters(study, seed), ()
    if by in GROUPINGS:
        needs = {
            "length": "texts",
            "confidence": "recorded confidence (--level scores)",
            "cluster": "texts or a recipe",
        }
        raise InputError(f"by={by!r} needs {needs[by]}, which this study lacks; choose {_choices(study)}.")
    raise InputError(f"by={by!r} is unknown; choose {_choices(study)}, or a column of `metadata`.")


def _choices(study: Study) -> str:
    return ", ".join(available_groupings(study))


def _loaded_clusters(study: Study, seed: int) -> Grouping:
    """Load the inputs again as the recipe says, and cluster them."""
    recipe = study.recipe
    assert recipe is not None  # noqa: S101 (the caller looked)
    evaluation = load(recipe.data).evaluation
    if evaluation.digest != study.header.data:
        raise InputError(
            f"the data {recipe.data.name!r} has changed since the study was made, so its inputs cannot be clustered; "
            f"choose {_choices(study)}."
        )
    inputs: Any = evaluation.inputs
    features = inputs.flatten(1).double().numpy()
    if not evaluation.is_image:  # columns of a table have units of their own
        spread = features.std(0)
        features = (features - features.mean(0)) / np.where(spread > 0, spread, 1.0)
    return feature_clusters(features, study.samples.ids, seed=seed)


def _table(labels: NDArray[np.int64], grouping: Grouping, test: ClusteringTest) -> pa.Table:
    import pyarrow as pa

    method: Method = "two-way" if len(labels) > 2 else "samples"
    is_unstable = (labels != labels[0]).any(0)
    rows = []
    for index, group in enumerate(test.group.tolist()):
        members = grouping.place == group
        count = int(members.sum())
        low = high = float("nan")
        if count > 1:  # one sample says nothing about others
            found = estimate(labels[:, members], "label_entropy", method)
            low, high = found.low, found.high
        rows.append(
            {
                "group": grouping.names[group],
                "samples": count,
                "label_entropy": float(test.mean[index]),
                "low": low,
                "high": high,
                "unstable_fraction": float(is_unstable[members].mean()),
                "excess": float(test.excess[index]),
                "corrected_p_value": float(test.corrected_p_value[index]),
            }
        )
    rows.sort(key=lambda row: (row["corrected_p_value"], -row["excess"]))
    kinds = {"group": pa.string(), "samples": pa.int64()}
    names = list(rows[0]) if rows else []
    return pa.table({name: pa.array([row[name] for row in rows], kinds.get(name, pa.float64())) for name in names})
