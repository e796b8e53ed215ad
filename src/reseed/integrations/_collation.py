"""How a model within a `transformers.Trainer` is asked: what of each row it is given, and how rows become a batch."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from reseed._errors import InputError
from reseed.integrations._predictor import Ask, FirstThatWorks, answers_of, on_device
from reseed.integrations._untouched import bare, untouched

_LABEL_KEYS = ("labels", "label", "label_ids")  # what collations of transformers take for targets
_OTHER_HEADS = ("regression", "multi_label_classification")

Collate = Callable[[list[Any]], Any]


def asking(
    model: nn.Module, args: Any, collate: Collate, predict: Callable[[Any, Any], Any] | None, label: str | None
) -> Ask:
    """Return how a model is asked about rows.

    Without the targets, as answers must not depend on them. Where that fails, with the targets for the collation, which
    may make a tensor of them; and where that fails too, with class 0 as each target, for a model that always computes
    its loss.

    Args:
        model: What is trained.
        args: The trainer's arguments.
        collate: Makes a batch of rows.
        predict: From the model and a batch to logits; None to call the model with the batch.
        label: The column of the targets.

    Raises:
        InputError: The model's head has no classes to choose one from.
    """
    problem = getattr(getattr(bare(model), "config", None), "problem_type", None)
    if problem in _OTHER_HEADS and predict is None:
        raise InputError(
            f"the model's problem_type is {problem!r}, whose answers are not one class for each sample; pass predict, "
            "a function from the model and a batch to logits [sample, class], if they can become one."
        )
    batches, ask = _Batches(model, args, collate, label), predict or _call
    ways: dict[str, Ask] = {
        "without the targets": lambda model, rows: ask(model, batches.unlabelled(rows)),
        "with targets for the collation": lambda model, rows: ask(model, batches.split(rows)[0]),
    }
    if predict is None:
        ways["with class 0 for each target"] = lambda model, rows: _independent(model, *batches.split(rows))
    return FirstThatWorks(ways)


class _Batches:
    """Makes batches as the trainer does: without the columns that it removes, on its device."""

    def __init__(self, model: nn.Module, args: Any, collate: Collate, label: str | None) -> None:
        parameters = _parameters(model)
        kinds = {parameter.kind for parameter in parameters.values()}
        self._labels = {*_LABEL_KEYS, *(args.label_names or ()), *([] if label is None else [label])}
        self._takes_any = inspect.Parameter.VAR_KEYWORD in kinds
        self._taken = {*parameters, *self._labels}
        self._keeps_all = not args.remove_unused_columns or kinds == {inspect.Parameter.VAR_KEYWORD}
        self._collate, self._device = collate, args.device

    def unlabelled(self, rows: list[Any]) -> dict[str, Any]:
        """Return the batch of rows whose targets were taken away before."""
        return self._batch([_without(row, self._labels) for row in rows])

    def split(self, rows: list[Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the batch of rows, and the targets that were in it."""
        batch = self._batch(rows)
        targets = {name: value for name, value in batch.items() if name in self._labels}
        return _without(batch, self._labels), targets

    def _batch(self, rows: list[Any]) -> dict[str, Any]:
        batch = self._collate([row if self._keeps_all else _only(row, self._taken) for row in map(_copy, rows)])
        if not isinstance(batch, Mapping):
            raise InputError(f"collate must make a mapping of rows, the model's arguments, got {type(batch).__name__}.")
        found: dict[str, Any] = on_device(dict(batch), self._device)
        return found if self._takes_any else _only(found, self._taken)


def _independent(model: nn.Module, inputs: dict[str, Any], targets: dict[str, Any]) -> torch.Tensor:
    """Return the answers of a model that cannot do without targets, when it is given class 0 everywhere.

    Raises:
        InputError: They are others when it is given class 1.
    """
    answers = []
    for label in (0, 1):
        given = {name: torch.full_like(value, label) for name, value in targets.items()}
        with untouched():  # both times from the same state of the generators
            answers.append(answers_of(model(**inputs, **given)))
    first: torch.Tensor = answers[0]
    second: torch.Tensor = answers[1]
    if not torch.allclose(first.float(), second.float(), rtol=1e-3, atol=1e-3, equal_nan=True):
        raise InputError(
            f"{type(model).__name__} answers otherwise when the targets in its batch are other ones; pass predict, a "
            "function from the model and a batch to logits that do not depend on them."
        )
    return first


def _call(model: nn.Module, batch: dict[str, Any]) -> Any:
    return model(**batch)


def _parameters(model: nn.Module) -> Mapping[str, inspect.Parameter]:
    """Return what a model is called with; one that adapters wrap says it of the model within."""
    inner: Any = bare(model)
    inner = inner.get_base_model() if hasattr(inner, "get_base_model") else inner
    return inspect.signature(inner.forward).parameters


def _copy(row: Any) -> Any:
    return dict(row) if isinstance(row, Mapping) else row  # collations take things out of rows


def _only(row: Any, names: set[str]) -> Any:
    return {name: row[name] for name in row if name in names} if isinstance(row, Mapping) else row


def _without(row: Any, names: set[str]) -> Any:
    return {name: row[name] for name in row if name not in names} if isinstance(row, Mapping) else row
