"""What every lens returns: scores of samples and runs, and what a reader needs to understand them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol, final, get_args

import numpy as np
from numpy.typing import NDArray

from reseed._errors import InputError
from reseed.scores._chart import Chart
from reseed.scores._columns import Column, describe

if TYPE_CHECKING:
    import pyarrow as pa

Split = Literal["evaluation", "train"]
_SPLITS: tuple[Split, ...] = get_args(Split)
_NAME = re.compile("[a-z][a-z0-9_]{0,63}")
_OF_EVERY_TABLE = ("sample_id",)


class RunRows(Protocol):
    """Values [run, sample] of which one run is read at a time: an array, or what is stored and not in memory."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Runs and samples."""

    def __getitem__(self, run: int, /) -> Any:
        """Return the values of the run at a place, [sample]."""


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class Scores:
    """What a lens says about a study.

    Attributes:
        lens: Its name: small letters, digits and ``_``.
        ids: The samples' ids.
        columns: What each column, number and series is, by name; see `Column`.
        split: Which samples: ``evaluation`` or ``train``.
        samples: Columns of samples, each [sample]: numpy arrays, or Arrow's where values are texts or lists.
        by_run: Columns of samples where one network can be asked alone, each [run, sample]; see `RunRows`.
        of_runs: Numbers of each run, each [run].
        series: Numbers along training, each [run, step].
        runs: Numbers of the runs that all these speak of.
        steps: Steps of the series.
        summary: Single numbers by name, as JSON can hold them. A mean is called ``NAME_mean``, and its interval, two
            ends at 95 %, stands beside it as ``NAME_ci95``, or ``NAME_ci95_samples`` and ``NAME_ci95_runs`` where only
            other samples or only other runs are covered; both are None where there is no value.
        groups: Names of the summary's numbers under the titles of their groups, in the order in which they are shown;
            those in no group come first.
        notes: What a reader should know, in sentences.
        options: What the lens was asked for, as JSON can hold it: other options are other scores.
        cost: What it took, by name, such as ``wall_s`` and ``forward_passes``.
        charts: What a page shows.

    Raises:
        InputError: Something is not described, of another length than samples and runs, or not a name; or a mean is
            without its interval.

    Examples:
        >>> found = Scores(
        ...     lens="lengths",
        ...     ids=("a", "b"),
        ...     columns={"length": Column("words of the text", "none", "[1, inf]", "words", "lengths")},
        ...     samples={"length": np.array([3, 5])},
        ... )
        >>> found.table.to_pydict()
        {'sample_id': ['a', 'b'], 'length': [3, 5]}
    """

    lens: str
    ids: tuple[str, ...]
    columns: Mapping[str, Column]
    split: Split = "evaluation"
    samples: Mapping[str, Any] = field(default_factory=dict)
    by_run: Mapping[str, RunRows] = field(default_factory=dict)
    of_runs: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    series: Mapping[str, NDArray[Any]] = field(default_factory=dict)
    runs: tuple[int, ...] = ()
    steps: tuple[int, ...] = ()
    summary: Mapping[str, Any] = field(default_factory=dict)
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    cost: Mapping[str, float] = field(default_factory=dict)
    charts: tuple[Chart, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.lens):
            raise InputError(f"lens is {self.lens!r}; give a name of small letters, digits and '_', a letter first.")
        if self.split not in _SPLITS:
            raise InputError(f"split must be one of {', '.join(map(repr, _SPLITS))}, got {self.split!r}.")
        runs, samples, steps = len(self.runs), len(self.ids), len(self.steps)
        if (self.by_run or self.of_runs or self.series) and not runs:
            raise InputError(f"the lens {self.lens!r} has columns of runs; say in runs which ones they are.")
        expected: dict[str, tuple[Mapping[str, Any], tuple[int, ...], str]] = {
            "samples": (self.samples, (samples,), "[sample]"),
            "by_run": (self.by_run, (runs, samples), "[run, sample]"),
            "of_runs": (self.of_runs, (runs,), "[run]"),
            "series": (self.series, (runs, steps), "[run, step]"),
        }
        for kind, (values, shape, axes) in expected.items():
            for name, value in values.items():
                self._check(kind, name, _shape(value), shape, axes)
        for name in self.summary:
            stem = name.removesuffix("_mean")
            if stem != name and not any(known.startswith(f"{stem}_ci95") for known in self.summary):
                raise InputError(
                    f"the summary of the lens {self.lens!r} has {name!r} without an interval; add '{stem}_ci95', two "
                    "ends or None."
                )
        for title, names in self.groups.items():
            if strange := [name for name in names if name not in self.summary]:
                raise InputError(
                    f"the group {title!r} of the lens {self.lens!r} names {strange[0]!r}, which the summary does not "
                    "have; name numbers of the summary."
                )

    def _check(self, kind: str, name: str, found: tuple[int, ...], expected: tuple[int, ...], axes: str) -> None:
        where = f"{kind} of the lens {self.lens!r}"
        if not _NAME.fullmatch(name) and name not in self.columns:
            raise InputError(f"{where} has a column {name!r}; give a name of small letters, digits and '_'.")
        if name in _OF_EVERY_TABLE and kind == "by_run":
            raise InputError(f"{where} has a column {name!r}, which every table has; choose another name.")
        if name not in self.columns:
            raise InputError(f"{where} has a column {name!r} that columns do not describe; add a reseed.scores.Column.")
        if found != expected:
            raise InputError(
                f"{where} has a column {name!r} of the shape {list(found)}; {axes} is {list(expected)} here."
            )

    @property
    def table(self) -> pa.Table:
        """One row a sample: its id, the columns of samples, and the means over runs of those of runs.

        A column of both kinds is the one of samples. What each column is stands in the metadata of its field.
        """
        import pyarrow as pa

        columns: dict[str, Any] = {"sample_id": pa.array(self.ids, pa.string()), **self.samples}
        columns |= {name: mean_over_runs(rows) for name, rows in self.by_run.items() if name not in columns}
        return describe(pa.table(columns), self.described, self.notes)

    @property
    def described(self) -> dict[str, Column]:
        """What each column of `table` is, by name."""
        averaged = {
            name: replace(self.columns[name], about=f"{self.columns[name].about}, averaged over runs")
            for name in self.by_run
        }
        return averaged | {name: self.columns[name] for name in self.samples}


def mean_over_runs(rows: RunRows) -> NDArray[np.float64]:
    """Return the mean over runs of values [run, sample], [sample]; one run is in memory at a time."""
    runs, samples = rows.shape
    total = np.zeros(samples)
    for run in range(runs):
        total += np.asarray(rows[run], np.float64)
    return total / runs if runs else np.full(samples, np.nan)


def _shape(value: Any) -> tuple[int, ...]:
    shape = getattr(value, "shape", None)
    return tuple(shape) if shape is not None else (len(value),)
