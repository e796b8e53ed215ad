"""What a `transformers.Trainer`, its model and its tokenizer know of the evaluation data."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import nn

from reseed._errors import InputError
from reseed.integrations._untouched import bare

_TEXTS = ("text", "utterance", "sentence")


def evaluation_rows(trainer: Any) -> Any:
    """Return the evaluation set of a trainer.

    Raises:
        InputError: There is no trainer, or it has none or several.
    """
    if trainer is None:
        raise InputError(
            "data is needed: pass the rows to record, or trainer=, the trainer that the callback is added to, for its "
            "evaluation set."
        )
    rows = getattr(trainer, "eval_dataset", None)
    if rows is None or isinstance(rows, Mapping):
        found = "no evaluation set" if rows is None else f"several evaluation sets, {', '.join(map(str, rows))}"
        raise InputError(f"the trainer has {found}; pass data=, the rows to record.")
    return rows


def names_of_classes(model: nn.Module, targets: Sequence[Any]) -> list[str] | None:
    """Return the names that a model has for its classes, if targets are numbers of classes and the names say something.

    Args:
        model: What is trained.
        targets: Gold labels, as they are in the rows.
    """
    named = getattr(getattr(bare(model), "config", None), "id2label", None) or {}
    names = [str(named[number]) for number in range(len(named)) if number in named]
    are_numbers = all(isinstance(target, int) and target < len(names) for target in targets)
    says_nothing = all(re.fullmatch("LABEL_[0-9]+", name) for name in names)
    if not are_numbers or says_nothing or len(names) < len(named) or len(set(names)) < max(2, len(names)):
        return None
    return names


def texts_of_rows(rows: Any, processing: Any) -> list[str] | None:
    """Return the text of each row, read from it or made of its tokens; None where neither is there.

    Args:
        rows: The evaluation data.
        processing: The trainer's tokenizer, or whatever it has in its place.
    """
    first = rows[0]
    if not isinstance(first, Mapping):
        return None
    stored = getattr(rows, "column_names", None)  # a data set of `datasets` may hide columns from its rows
    plain = rows.with_format(None) if isinstance(stored, list) and hasattr(rows, "with_format") else rows
    column = next((name for name in _TEXTS if isinstance(plain[0].get(name), str)), None)
    if column is not None:
        return [str(plain[row][column]) for row in range(len(plain))]
    if "input_ids" not in first or not hasattr(processing, "decode"):
        return None
    return [processing.decode(rows[row]["input_ids"], skip_special_tokens=True) for row in range(len(rows))]
