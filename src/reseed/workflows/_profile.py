"""The stability profile of a study: what all lenses say of each sample, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reseed._arguments import setting
from reseed._errors import InputError, StudyError
from reseed._parts import Parts
from reseed.scores import Scores, Split
from reseed.studies import Study
from reseed.workflows._corruption import corruption_scores
from reseed.workflows._lenses import given_scores, kept_lens_scores, lens_scores

if TYPE_CHECKING:
    import pyarrow as pa


def profile(study: str | Path | Study, *, split: Split = "evaluation") -> pa.Table:
    """Return one table with a row for each sample and a column for each score that any lens has of it.

    The columns of ``samples.parquet`` come first, then those of `multiplicity` (ranges and capacity only where full
    probabilities were recorded), then, where several checkpoints were recorded and targets are known, those of
    `training_dynamics`, averaged over runs. The trajectory's margin is the recorded one, of probabilities. Behind them
    stands what other lenses keep with the study, see `reseed.scores`; columns of single runs as their means.

    What each column is, its unit, range and direction, is in the metadata of its field; see `reseed.scores.Column`.
    What a reader should know, such as which columns are missing and why, is in the metadata of the table, under
    ``notes``.

    Of a study of one run, what needs two is absent, see `reseed.instability.evaluate`.

    Args:
        study: A study, its folder or its URL.
        split: ``evaluation``; or ``train``: what lenses keep of the samples that the runs were trained on, a row for
            each sample that any of them speaks of; where samples were corrupted on purpose, a row for each of them,
            with ``is_corrupted``, ``label_true`` and ``label_given`` first.

    Raises:
        InputError: There is no such split.
        StudyError: There is no usable study, or no lens keeps anything of the training samples, none of which
            were corrupted.
        TrainingError: Fewer than two runs are complete, and not one with margins at several checkpoints.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     table = profile(Study.from_predictions([[0, 1, 1], [0, 1, 0]], folder + "/study"))
        ...     table["jitter"].to_pylist(), table["ambiguous"].to_pylist()
        ([0.0, 0.0, 1.0], [False, False, True])
    """
    opened = study if isinstance(study, Study) else Study.open(study)
    parts = Parts()
    if split == "train":
        found = [*corruption_scores(opened, parts), *kept_lens_scores(opened, parts, "train")]
        if not found:
            told = " ".join([_no_training_samples(opened), *parts.notes])
            raise StudyError(f"with the study {str(opened.path)!r} {told}")
        return _joined([_of_all(scores, found) for scores in found], parts.notes)
    if split != "evaluation":
        raise InputError(f"split must be 'evaluation' or 'train', got {split!r}.")
    return _joined([scores.table for scores in lens_scores(opened, parts)], parts.notes)


def _no_training_samples(study: Study) -> str:
    asks = "`reseed memorize` of the study"
    if study.recorded_names("train"):
        remedy = f"{asks} makes some"
    else:
        remedy = f"record them with {setting('train', True)}, of which {asks} makes some"
    return f"no lens keeps scores of its training samples; {remedy}."


def profile_summary(study: str | Path | Study) -> dict[str, Any]:
    """Return the single numbers that all lenses have of a study, see `profile`.

    Means have 95 % intervals beside them: those of multiplicity over other samples at the same runs, with whose number
    they grow; those of training dynamics over other runs on the same samples. Numbers of lenses that keep their scores
    are called by lens and name, with a point between them.

    Raises:
        StudyError: There is no usable study.
        TrainingError: Fewer than two runs are complete, and not one with margins at several checkpoints.
    """
    opened = study if isinstance(study, Study) else Study.open(study)
    parts, found = Parts(), dict[str, Any]()
    for scores in given_scores(opened, parts):
        found |= scores.summary
    found = {name: value for name, value in found.items() if value is not None or "_ci95" not in name}
    for scores in kept_lens_scores(opened, parts):
        found |= {f"{scores.lens}.{name}": value for name, value in scores.summary.items()}
    return found


def _joined(tables: Sequence[pa.Table], notes: Sequence[str]) -> pa.Table:
    """Return the columns of tables with the same rows in one, and all their notes."""
    table = tables[0]
    told = [*_notes(table)]
    for other in tables[1:]:
        told += _notes(other)
        for place, field in enumerate(other.schema):
            if field.name != "sample_id":
                table = table.append_column(field, other.column(place))
    said = "\n".join(dict.fromkeys([*told, *notes]))
    return table.replace_schema_metadata({b"notes": said.encode()} if said else None)


def _notes(table: pa.Table) -> list[str]:
    told = (table.schema.metadata or {}).get(b"notes", b"").decode()
    return told.split("\n") if told else []


def _of_all(scores: Scores, others: Sequence[Scores]) -> pa.Table:
    """Return the table of scores with a row for each sample that any of several speaks of, null where it does not."""
    import pyarrow as pa

    places = {sample: place for place, sample in enumerate(scores.ids)}
    everyone = list(dict.fromkeys(sample for other in others for sample in other.ids))
    table = scores.table.take(pa.array([places.get(sample) for sample in everyone], pa.int64()))
    ids = table.schema.field("sample_id")
    return table.set_column(table.schema.get_field_index("sample_id"), ids, pa.array(everyone, pa.string()))
