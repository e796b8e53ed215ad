"""Recording a training by `transformers.Trainer`; needs the extra `trainer`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, final

import torch
from torch import nn

from reseed._errors import InputError, MissingExtraError
from reseed.integrations._driven import DrivenRecorder
from reseed.training import Level

try:
    from transformers import DataCollatorWithPadding, TrainerCallback, default_data_collator
except ImportError as error:  # pragma: no cover
    raise MissingExtraError(
        "reseed.integrations.huggingface needs the package transformers; "
        "install it with: pip install 'reseed[trainer]'."
    ) from error

_LABEL_KEYS = ("labels", "label")


@final
class InstabilityCallback(TrainerCallback):
    """Records one training by a `transformers.Trainer` as one run of a study.

    It makes a pass of its own over ``data``, in order, in evaluation mode and without gradients, batch by batch, and
    leaves no trace in the training: modes and random generators are restored. A training that was cut off and goes on
    with ``resume_from_checkpoint`` goes on recording; one that begins anew records anew. Steps are optimisation steps,
    however many batches each accumulates. The main process records; models whose weights are sharded over processes
    cannot be recorded. With ``load_best_model_at_end`` and ``every="final"`` the best weights are recorded.

    Args:
        out: The study's folder; the first run makes it.
        run: This run's number, from 0 to ``runs - 1``.
        runs: How many runs there will be. Of a single one instability is estimated.
        data: The split to record, tokenized: rows that are mappings, with the targets under ``labels`` or ``label``.
        every: ``epoch``, ``final``, or a number of steps. The last step is always recorded.
        level: What is kept: ``labels``, ``scores`` or ``full``.
        name: What the report calls the data.
        sample_ids: Stable ids, [sample]; default: the row number.
        class_names: Names of the classes; default: those of the data's ``ClassLabel``, else the distinct targets.
        texts: What the report shows of each sample, [sample].
        model_name: What the report calls the model.
        batch_size: Samples predicted at once.
        collate: Makes a batch of rows; default: as the trainer does it, padding where there is a tokenizer.

    Raises:
        InputError: An argument is unusable.
    """

    def __init__(
        self,
        out: str | Path,
        *,
        run: int,
        runs: int,
        data: Any,
        every: str | int = "epoch",
        level: Level = "scores",
        name: str = "evaluation",
        sample_ids: Sequence[Any] | None = None,
        class_names: Sequence[Any] | None = None,
        texts: Sequence[str] | None = None,
        model_name: str = "transformers",
        batch_size: int = 64,
        collate: Callable[[list[Any]], Any] | None = None,
    ) -> None:
        key = _label_key(data)
        if class_names is None:
            class_names = getattr(getattr(data, "features", {}).get(key), "names", None)
        self._collate = collate
        self._run = DrivenRecorder(
            out,
            run=run,
            runs=runs,
            data=(_Rows(data), _column(data, key)),
            sample_ids=sample_ids,
            class_names=class_names,
            texts=texts,
            every=every,
            level=level,
            dataset=name,
            model=model_name,
            batch_size=batch_size,
        )

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin the run, or go on with it."""
        if state.is_world_process_zero:
            self._run.begin(state.global_step, seed=args.seed)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Record where a number of steps is complete, and after the last one."""
        is_last = state.global_step >= state.max_steps and not self._run.only_final
        if is_last or self._run.is_due(state.global_step):
            self._record(state, **kwargs)

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Record after each epoch."""
        if self._run.each_epoch:
            self._record(state, **kwargs)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Record the last step, and make the run exist."""
        self._record(state, **kwargs)
        self._run.finish()

    def _record(self, state: Any, model: nn.Module, processing_class: Any = None, **_: Any) -> None:
        collate = self._collate or (
            default_data_collator if processing_class is None else DataCollatorWithPadding(processing_class)
        )
        device, taken = next(model.parameters()).device, _taken(model)

        def predict(rows: list[Any]) -> Any:
            features = [{name: row[name] for name in row if name in taken} for row in rows]
            batch = {
                name: value.to(device) if isinstance(value, torch.Tensor) else value
                for name, value in collate(features).items()
            }
            return model(**batch)

        self._run.record(predict, state.global_step, model)


class _Rows:
    """Rows of a data set in slices: lists of items, where data sets of `datasets` would give columns."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data)

    def __getitem__(self, chosen: slice) -> list[Any]:
        return [self._data[row] for row in range(*chosen.indices(len(self)))]


def _taken(model: nn.Module) -> set[str]:
    """Return what the model takes of a row; not the targets, as the loss is not needed."""
    return set(inspect.signature(model.forward).parameters) - {*_LABEL_KEYS, "label_ids"}


def _label_key(data: Any) -> str:
    first: Any = data[0] if hasattr(data, "__len__") and len(data) else None
    found = [key for key in _LABEL_KEYS if hasattr(first, "keys") and key in first]
    if not found:
        raise InputError(
            "data must be rows that are mappings with the targets under 'labels' or 'label', "
            f"got {type(data).__name__} with the first row {str(first)[:60]!r}."
        )
    return found[0]


def _column(data: Any, key: str) -> list[Any]:
    values = data[key] if hasattr(data, "column_names") else [data[row][key] for row in range(len(data))]
    return [value.item() if hasattr(value, "item") else value for value in values]
