"""The stability profile of a study: all per-sample scores side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reseed.instability import evaluate
from reseed.studies import Study

if TYPE_CHECKING:
    import pyarrow as pa


def profile(study: str | Path | Study) -> pa.Table:
    """Return one table with a row for each evaluation sample and a column for each score that the study allows.

    The columns of ``samples.parquet`` come first.

    Args:
        study: A study, its folder or its URL.

    Raises:
        StudyError: There is no usable study.
        TrainingError: Fewer than two runs are complete.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = profile(Study.from_predictions([[0, 1, 1], [0, 1, 0]], folder + "/study"))
        ...     table["jitter"].to_pylist()
        [0.0, 0.0, 1.0]
    """
    opened = study if isinstance(study, Study) else Study.open(study)
    return evaluate(opened).samples
