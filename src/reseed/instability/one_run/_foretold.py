"""What each run of a study foretells, and what the other runs then do."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reseed._arguments import setting
from reseed._arrays import float_array
from reseed._errors import StudyError
from reseed.instability._blocks import sample_ranges
from reseed.instability.labels._label_entropy import label_entropy
from reseed.instability.one_run._single_run_signals import BURN_IN, PASSES, arrays_needed, late_from, signals_in_parts
from reseed.studies import Study

_SCORES = ("margin", "confidence", "entropy", "own_probability")
_LEAST_RUNS = 3


def held_out_runs(study: Study, burn_in: float = BURN_IN) -> Iterator[tuple[dict[str, Any], NDArray[np.float64]]]:
    """Yields, for each run of a study, its signals and the label entropy [sample] over the final labels of the others.

    Raises:
        StudyError: fewer than three runs are complete, or one checkpoint or no margins were recorded.
    """
    runs = len(study.manifests)
    if runs < _LEAST_RUNS:
        raise StudyError(
            f"the study {str(study.path)!r} has {runs} complete runs; {_LEAST_RUNS} or more are needed to tell how "
            "well one predicts the others."
        )
    if not has_trajectories(study):
        raise StudyError(
            f"the study {str(study.path)!r} holds no margins at several checkpoints; measure it with "
            f"{setting('every', 'epoch')} and {setting('level', 'scores')}."
        )
    final = study.final("labels")
    for run, signals in enumerate(signals_by_run(study, burn_in)):
        yield signals, np.asarray(label_entropy(np.delete(final, run, 0)))


def has_trajectories(study: Study) -> bool:
    """Tells whether a study recorded what the one-run estimate needs."""
    return {"margin", "confidence"} <= set(study.recorded_names()) and len(study.manifests[0].steps) > 1


def scores_recorded(study: Study) -> list[str]:
    """Returns which arrays that signals are made of a study recorded."""
    recorded = [name for name in _SCORES if name in study.recorded_names()]
    if not study.samples.has_targets and "own_probability" in recorded:
        recorded.remove("own_probability")
    return recorded


def signals_by_run(
    study: Study, burn_in: float = BURN_IN, names: Collection[str] | None = None
) -> Iterator[dict[str, Any]]:
    """Yields the signals of each complete run of a study, see `signals_reader`."""
    return map(signals_reader(study, burn_in, names), range(len(study.manifests)))


def signals_reader(
    study: Study, burn_in: float = BURN_IN, names: Collection[str] | None = None
) -> Callable[[int], dict[str, Any]]:
    """Returns what gives the signals of the complete run at a place.

    It reads what they need, one run and `BLOCK_BYTES` at a time; the study's arrays are opened once, here.
    """
    wanted = {*_SCORES, *PASSES} if names is None else arrays_needed(names)
    recorded = [name for name in scores_recorded(study) if name in wanted]
    views = {name: study.recorded(name) for name in ("labels", *recorded)}
    passes = {
        name: study.dropout(name.removeprefix("dropout_"))
        for name in PASSES
        if name in wanted and study.has_dropout_passes
    }
    checkpoints, samples = views["labels"].shape[1:]
    late = slice(late_from(checkpoints, burn_in), None)
    width = (checkpoints - (late.start or 0)) * sum(view.dtype.itemsize for view in views.values())
    ranges = list(sample_ranges(samples, width))

    def signals(run: int) -> dict[str, Any]:
        read = ({name: view[run, late, some].to_numpy() for name, view in views.items()} for some in ranges)
        return signals_in_parts(_checked(read), names, {name: values[run] for name, values in passes.items()})

    return signals


def _checked(parts: Iterable[dict[str, Any]]) -> Iterator[tuple[Any, dict[str, Any]]]:
    for arrays in parts:
        for name in arrays.keys() - {"labels", "own_probability"}:  # samples without a target among others are known
            float_array(arrays[name], name)
        yield arrays.pop("labels"), arrays
