"""The lens on a study, by groups of samples: where in the data does the instability live?"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float, Integer

from reseed._shown import AbstractResult
from reseed.instability.evaluation._evaluate import check_runs
from reseed.instability.labels._label_entropy import label_entropy
from reseed.instability.where._corrupted import IS_CORRUPTED, corrupted_groups
from reseed.instability.where._group_estimates import group_estimates
from reseed.instability.where._groupings import Grouping
from reseed.instability.where._metadata import metadata_groups, read_metadata
from reseed.instability.where._sample_groups import GROUPINGS, SampleGroups, grouping_of
from reseed.statistics import ClusteringTest, clustering_test
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, eq=False, repr=False)
class WhereUnstable(AbstractResult):
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

    def __repr__(self) -> str:
        return f"WhereUnstable(by {self.by}: {self.table.num_rows} groups, p = {self.test.p_value:.3g})"

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
    groups: SampleGroups | None = None,
    permutations: int = 999,
    seed: int = 0,
) -> WhereUnstable:
    """Tell in which groups of samples the predictions change, and whether that is more than chance.

    Args:
        study: A study with two or more complete runs.
        by: ``class`` (gold label, else the most frequent answer), ``length`` (words), ``confidence`` (mean over
            runs), ``cluster`` (of the texts, images or numbers that the study holds), or a column of ``metadata``. A
            column of that name comes first. ``is_corrupted`` groups the training samples, some of which were corrupted
            on purpose, by whether they were.
        metadata: A table with a row a sample, or a file of one: ``.csv``, ``.tsv``, ``.jsonl``, ``.parquet``.
            Numbers with more than ten distinct values are binned into five quantiles.
        id_column: The column of ``metadata`` that holds sample ids; default: ``id``, ``sample_id`` or ``sample``.
        groups: What `sample_groups` gave for this study, to be used instead of made again.
        permutations: Random dealings of the test; see `clustering_test`.
        seed: Where the dealings and k-means start.

    Returns:
        The groups and the test. Where no prediction changes, the test is NaN and a note says so.

    Raises:
        InputError: The grouping is unknown or the study lacks what it needs, or the metadata does not fit.
        StudyError: The training samples are grouped, and what runs answer to them was not recorded.
        TrainingError: Fewer than two runs are complete.
    """
    check_runs(study)
    labels = study.final("labels")
    table, name = (None, "") if metadata is None else read_metadata(metadata, by, id_column)
    if table is not None and (by not in (*GROUPINGS, IS_CORRUPTED) or by in table.column_names):
        grouping, notes = metadata_groups(table, name, by, study.samples.ids, id_column)
    elif by == IS_CORRUPTED:
        labels, grouping, notes = corrupted_groups(study)
    elif groups is not None and by in groups.groupings:
        grouping, notes = groups.groupings[by]
    else:
        grouping, notes = grouping_of(study, by, seed)
    inside = grouping.place >= 0
    labels = labels[:, inside]
    entropy = label_entropy(labels)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a note says it
        test = clustering_test(entropy, grouping.place[inside], permutations=permutations, seed=seed)
    if not entropy.any():
        notes = (*notes, "No prediction changes, so there is nothing to locate.")
    elif len(test.group) < 2:
        notes = (*notes, "All samples are in one group, so there is nothing to compare.")
    return WhereUnstable(by, grouping.about, test, _table(labels, entropy, grouping, test), notes)


def _table(
    labels: Integer[np.ndarray, "run sample"],
    entropy: Float[np.ndarray, " sample"],
    grouping: Grouping,
    test: ClusteringTest,
) -> pa.Table:
    import pyarrow as pa

    place = np.searchsorted(test.group, grouping.place[grouping.place >= 0])
    found = group_estimates(labels, entropy, place, len(test.group))
    unstable = np.bincount(place, (labels != labels[0]).any(0), len(test.group))
    columns = {
        "group": pa.array(grouping.names, pa.string()).take(pa.array(test.group, pa.int64())),
        "samples": found.count,
        "label_entropy": found.mean,
        "low": found.low,
        "high": found.high,
        "unstable_fraction": unstable / np.maximum(found.count, 1),
        "excess": np.asarray(test.excess),
        "corrected_p_value": np.asarray(test.corrected_p_value),
    }
    order = np.lexsort((-columns["excess"], columns["corrected_p_value"]))
    return pa.table(columns).take(pa.array(order))
