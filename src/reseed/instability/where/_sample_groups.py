"""The groups that each sample of a study is in, as columns beside its measures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from reseed._arguments import setting
from reseed._errors import InputError
from reseed._near import did_you_mean
from reseed._parts import Parts
from reseed.data import pixels, shows_numbers
from reseed.instability.labels._mode import mode_label
from reseed.instability.where._groupings import (
    Grouping,
    feature_clusters,
    name_groups,
    number_groups,
    table_clusters,
)
from reseed.instability.where._text_clusters import text_clusters
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa

GROUPINGS = ("class", "length", "confidence", "cluster")
SAME_RUNS = "The groups come from the predictions of the same runs; part of the difference is made by that."


@dataclass(frozen=True, eq=False)
class SampleGroups:
    """Every grouping that a study allows.

    Attributes:
        groupings: By name: ``class``, ``length``, ``confidence``, ``cluster``, those that there are, each with what a
            reader should know about it.
        notes: Why a grouping is not there.
    """

    groupings: Mapping[str, tuple[Grouping, tuple[str, ...]]]
    notes: tuple[str, ...]

    def columns(self, study: Study) -> dict[str, pa.Array]:
        """Return the columns of samples that the study allows, each [sample].

        ``length`` (words of the text) and ``length_bin``, ``confidence_bin``, ``cluster`` (a number from 0) and
        ``cluster_name``. A sample in no group has null.

        Args:
            study: The study whose samples these are.
        """
        import pyarrow as pa

        columns: dict[str, pa.Array] = {}
        if "length" in self.groupings:
            columns["length"] = pa.array(_words(study), pa.int64())
        for by, name in (("length", "length_bin"), ("confidence", "confidence_bin"), ("cluster", "cluster_name")):
            if (found := self.groupings.get(by)) is None:
                continue
            grouping, _ = found
            if by == "cluster":
                columns["cluster"] = pa.array(grouping.place, pa.int64(), mask=grouping.place < 0)
            names = [None if place < 0 else grouping.names[place] for place in grouping.place.tolist()]
            columns[name] = pa.array(names, pa.string())
        return columns

    def append_to(self, table: pa.Table, study: Study) -> pa.Table:
        """Return a table with a row a sample, and `columns` behind its own."""
        for name, values in self.columns(study).items():
            table = table.append_column(name, values)
        return table


def sample_groups(study: Study, *, seed: int = 0) -> SampleGroups:
    """Return every grouping of a study's samples that is not the user's own.

    Clusters are of the texts, images or numbers that the study holds; nothing outside it is looked at.

    Args:
        study: A study with a complete run.
        seed: Where k-means starts.
    """
    wanted, parts = dict.fromkeys(available_groupings(study)), Parts()
    if "cluster" not in wanted:
        parts.add(
            "Samples are not grouped by cluster: the study holds neither texts nor images nor numbers of its inputs; "
            "give texts when it is recorded or imported. Studies that reseed trains hold up to 16,777,216 numbers."
        )
    made = {
        by: parts.make(f"Samples are not grouped by {by}", partial(grouping_of, study, by, seed), None) for by in wanted
    }
    return SampleGroups({by: found for by, found in made.items() if found is not None}, tuple(parts.notes))


def available_groupings(study: Study) -> tuple[str, ...]:
    """Return the groupings that a study can make."""
    found = ["class"]
    if has_texts(study):
        found.append("length")
    if "confidence" in study.recorded_names():
        found.append("confidence")
    if has_texts(study) or study.samples.images is not None or study.samples.features is not None:
        found.append("cluster")
    return tuple(found)


def has_texts(study: Study) -> bool:
    """Tell whether the samples are texts; of samples made of numbers a study holds the first few only."""
    texts = study.samples.texts
    return texts is not None and not all(map(shows_numbers, texts))


def grouping_of(study: Study, by: str, seed: int = 0) -> tuple[Grouping, tuple[str, ...]]:
    """Return one grouping of a study's samples, and what a reader should know about it.

    Args:
        study: A study with a complete run.
        by: ``class``, ``length``, ``confidence`` or ``cluster``.
        seed: Where k-means starts.

    Raises:
        InputError: The grouping is unknown, or the study lacks what it needs.
    """
    samples, names = study.samples, study.header.class_names
    if by == "class" and samples.has_targets:
        named = [names[target] if target >= 0 else None for target in samples.targets.tolist()]
        return name_groups(named, "gold label"), ()
    if by == "class":
        answers = [names[label] for label in mode_label(study.final("labels")).tolist()]
        return name_groups(answers, "most frequent answer"), (SAME_RUNS,)
    if by == "length" and has_texts(study):
        return number_groups(np.array(_words(study), dtype=np.float64), "number of words", few=5), ()
    if by == "confidence" and "confidence" in study.recorded_names():
        mean = study.final("confidence").astype(np.float64).mean(0)
        return number_groups(mean, "mean confidence over runs", few=0), (SAME_RUNS,)
    if by == "cluster" and has_texts(study):
        return text_clusters(samples.texts or (), seed=seed), ()
    if by == "cluster" and samples.images is not None:
        return feature_clusters(pixels(samples.images), samples.ids, seed=seed), ()
    if by == "cluster" and samples.features is not None:
        return table_clusters(samples.features, samples.feature_names, seed=seed), ()
    if by in GROUPINGS:
        needs = {
            "length": "texts",
            "confidence": f"recorded confidence ({setting('level', 'scores')})",
            "cluster": "texts, images or numbers of its inputs",
        }
        raise InputError(f"{setting('by', by)} needs {needs[by]}, which this study lacks; choose {_choices(study)}.")
    raise InputError(
        f"{setting('by', by)} is unknown.{did_you_mean(by, available_groupings(study))} Choose {_choices(study)}, "
        "or a column of `metadata`."
    )


def _choices(study: Study) -> str:
    return ", ".join(available_groupings(study))


def _words(study: Study) -> list[int]:
    return [len(text.split()) for text in study.samples.texts or ()]
