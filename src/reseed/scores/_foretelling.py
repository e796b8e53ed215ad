"""What foretells which answers of a study other trainings change: all columns of single runs side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, final

from reseed.scores._chart import Chart, Series
from reseed.scores._columns import NONE, Column, describe
from reseed.scores._foretell import Foretold

if TYPE_CHECKING:
    import pyarrow as pa

_DRAWN = 12
HALF = "half_of_the_runs"
"""What the row of the half of the runs is called."""


@final
@dataclass(frozen=True)
class ForetoldColumn:
    """A column of single runs, and what it foretells.

    Attributes:
        lens: Whose column it is; empty for ``half_of_the_runs``.
        name: What it is called.
        column: What it is; where lower is worse its sign is turned.
        found: How well it ranks the samples that flip.
    """

    lens: str
    name: str
    column: Column
    found: Foretold


@final
@dataclass(frozen=True)
class Foretelling:
    """What foretells which answers of a study other trainings change.

    Attributes:
        rows: One for each column of single runs, the highest AUROC first.
        half: For comparison what many trainings achieve, see `reseed.scores.half_of_the_runs`; None of three runs.
        runs: Complete runs of the study; each foretells the others.
        samples: Evaluation samples.
        flipping: Share of them that the runs other than one answer differently, averaged over that one.
        notes: What a reader should know, in sentences.
    """

    rows: tuple[ForetoldColumn, ...]
    half: ForetoldColumn | None
    runs: int
    samples: int
    flipping: float
    notes: tuple[str, ...]

    @property
    def ranked(self) -> tuple[ForetoldColumn, ...]:
        """All rows with the half of the runs among them, the highest AUROC first."""
        return ranked([*self.rows, *([] if self.half is None else [self.half])])

    @property
    def tree(self) -> dict[str, Any]:
        """Everything as JSON can hold it, but for the chart."""
        return {
            "runs": self.runs,
            "samples": self.samples,
            "flipping": self.flipping,
            "columns": [
                {"lens": row.lens, "column": row.name, **row.column.metadata, **asdict(row.found)} for row in self.rows
            ],
            HALF: None if self.half is None else asdict(self.half.found),
            "notes": list(self.notes),
        }

    @property
    def table(self) -> pa.Table:
        """One row a column as in `rows`, then the half of the runs; what each field is stands in its metadata."""
        import pyarrow as pa

        rows = [*self.rows, *([] if self.half is None else [self.half])]
        columns: dict[str, Any] = {
            "lens": pa.array([row.lens for row in rows], pa.string()),
            "column": pa.array([row.name for row in rows], pa.string()),
            "direction": pa.array([row.column.direction for row in rows], pa.string()),
        }
        for name in _FIGURES:
            estimates = [getattr(row.found, name) for row in rows]
            for ending, field in (("", "value"), ("_low", "low"), ("_high", "high")):
                columns[f"{name}{ending}"] = pa.array([getattr(one, field) for one in estimates], pa.float64())
        columns["runs"] = pa.array([row.found.runs for row in rows], pa.int64())
        return describe(pa.table(columns), _DESCRIBED, self.notes)

    @property
    def chart(self) -> Chart:
        """The AUROC of the best dozen columns as bars with their intervals, the highest first."""
        valued = [row for row in self.ranked if not math.isnan(row.found.auroc.value)]
        rows = valued[:_DRAWN]
        estimates = [row.found.auroc for row in rows]
        best = f"{rows[0].name} ranks them best" if rows else "no column has a value"
        best += f"; {len(rows)} of {len(valued)} columns are shown" if len(rows) < len(valued) else ""
        return Chart(
            kind="bars",
            title="The columns of one run that foretell best",
            sentence=(
                "AUROC with which a column of one run ranks the samples that the other runs answer differently, with "
                f"95 % intervals: 0.5 is chance, 1 is perfect; {best}."
            ),
            x="column of one run",
            y="AUROC",
            series=(
                Series(
                    "AUROC",
                    tuple(row.name if row.lens else "half of the runs" for row in rows),
                    tuple(estimate.value for estimate in estimates),
                    tuple(estimate.low for estimate in estimates),
                    tuple(estimate.high for estimate in estimates),
                ),
            ),
        )


_FIGURES = {
    "auroc": ("AUROC of ranking the samples that flip", "[0, 1]", "probability", "auroc"),
    "lift": ("share that flips in the tenth ranked highest, over the share among all", "[0, 10]", "ratio", "lift"),
    "kendall": ("Kendall's tau-b with the label entropy over the other runs", "[-1, 1]", "correlation", "kendall_tau"),
}
_DESCRIBED = {
    "lens": Column("the lens whose column it is; empty for the half of the runs", NONE, "", "", "foretell"),
    "column": Column("the column of single runs", NONE, "", "", "foretell"),
    "direction": Column("which way it is worse; where lower is, its sign was turned", NONE, "", "", "foretell"),
    "runs": Column("runs that foretold, each the others", NONE, "[1, R]", "runs", "foretell"),
} | {
    f"{name}{ending}": Column(f"{about}{of}", NONE, ends, unit, source)
    for name, (about, ends, unit, source) in _FIGURES.items()
    for ending, of in (
        ("", ""),
        ("_low", ": lower end of its 95 % interval"),
        ("_high", ": upper end of its 95 % interval"),
    )
}


def ranked(rows: Sequence[ForetoldColumn]) -> tuple[ForetoldColumn, ...]:
    """Return rows by descending AUROC, those without one last."""
    return tuple(sorted(rows, key=lambda row: (math.isnan(row.found.auroc.value), -row.found.auroc.value)))
