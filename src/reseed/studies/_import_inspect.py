"""Logs of Inspect: one evaluation, with a sample for each item and epoch."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

from reseed._errors import DataError, MissingExtraError
from reseed._foreign import read_text, reason
from reseed.data import check_file
from reseed.studies._import_logs import Item, Log, LogOptions

EXTENSIONS = (".json", ".eval")
_RIGHT = {"C": True, "I": False, "P": False, "N": False}
_HALF = {"P": "partly right", "N": "not answered"}
_FIELDS = {"id", "epoch", "input", "choices", "target", "scores", "error"}


def read_inspect(path: Path, options: LogOptions) -> Log:
    """Read a log, ``.json`` or, with Inspect's own reader, ``.eval``.

    Samples that failed or were not scored are left out; epochs are runs.

    Raises:
        DataError: It is unreadable or no log, or lacks the scorer that is named.
        MissingExtraError: A file ``.eval`` needs the extra `inspect`.
    """
    check_file(path)
    log = _packed(path) if path.suffix.lower() == ".eval" else _plain(path)
    found = log.get("samples")
    if not isinstance(found, list) or not all(isinstance(sample, dict) and "id" in sample for sample in found):
        raise DataError(f"{path.name} is no log of Inspect with samples; write one with --log-samples.")
    notes = []
    if log.get("status") != "success":
        notes.append(f"{path.name}: the evaluation's status is {log.get('status')!r}, not 'success'.")
    scored = [sample for sample in found if not sample.get("error") and isinstance(sample.get("scores"), dict)]
    scorer = _scorer(scored, path, options)
    kept = [sample for sample in scored if _value(sample, scorer) is not None]
    if len(kept) < len(found):
        notes.append(
            f"{path.name}: {len(found) - len(kept)} of {len(found)} answers failed or have no score, left out."
        )
    counts = Counter(_value(sample, scorer) for sample in kept)
    for value, what in _HALF.items():
        if counts[value]:
            notes.append(f"{path.name}: {counts[value]} answers are {what} ({value}), which counts as wrong.")
    notes.append(f"{path.name}: sample ids from 'id', runs from 'epoch'; what is right from the scorer {scorer!r}.")
    return Log(path.name, tuple(_item(sample, scorer) for sample in kept), scorer, tuple(notes))


def _plain(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(read_text(path), parse_constant=lambda name: None)  # what was not scored is NaN
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path.name} cannot be read as a log of Inspect: {reason(error)}.") from error
    if not isinstance(found, dict) or "eval" not in found:
        raise DataError(f"{path.name} is no log of Inspect; tables are read from JSON lines (.jsonl), not from .json.")
    return found


def _packed(path: Path) -> dict[str, Any]:
    try:
        from inspect_ai.log import read_eval_log
    except ImportError as error:
        raise MissingExtraError(
            f"{path.name} is read with Inspect's own reader: pip install 'reseed[inspect]'; or convert it: "
            "inspect log convert --to json."
        ) from error
    try:
        log = read_eval_log(str(path))
    except Exception as error:  # over bytes that it did not expect, it raises errors of every kind
        raise DataError(f"{path.name} cannot be read as a log of Inspect: {reason(error)}.") from error
    return {"status": log.status, "samples": [sample.model_dump(include=_FIELDS) for sample in log.samples or []]}


def _scorer(samples: list[dict[str, Any]], path: Path, options: LogOptions) -> str:
    names: list[str] = list(dict.fromkeys(name for sample in samples for name in sample["scores"]))
    usable = [name for name in names if any(_value(sample, name) is not None for sample in samples)]
    wanted = options.metric
    if wanted is None and usable:
        return usable[0]
    if wanted is not None and wanted in usable:
        return wanted
    asked = "no scorer" if wanted is None else f"no scorer {wanted!r}"
    raise DataError(
        f"{path.name} has {asked} whose values are right or wrong (C, I, P, N, 0 or 1); of its scorers such are: "
        f"{', '.join(usable) or 'none'}."
    )


def _value(sample: dict[str, Any], scorer: str) -> str | None:
    """Return a score as C, I, P or N; None where there is none that is one of them."""
    score = sample["scores"].get(scorer)
    value = score.get("value") if isinstance(score, dict) else None
    if isinstance(value, str):
        return value if value in _RIGHT else None
    if isinstance(value, bool | int | float) and value in (0, 1):
        return "C" if value else "I"
    return None


def _item(sample: dict[str, Any], scorer: str) -> Item:
    answer, target = sample["scores"][scorer].get("answer"), sample.get("target")
    if isinstance(target, list):
        target = target[0] if len(target) == 1 else None
    asked = [sample.get("input"), sample.get("choices")]
    return Item(
        str(sample["id"]),
        str(sample.get("epoch", 1)),
        None if answer is None else str(answer).strip(),
        _RIGHT[str(_value(sample, scorer))],
        None if target is None else str(target).strip(),
        _text(sample.get("input")),
        hashlib.sha256(json.dumps(_spoken(asked), sort_keys=True, default=str).encode()).hexdigest(),
    )


def _text(asked: Any) -> str:
    """Return what was asked: a text, or of messages the last of the user's."""
    if not isinstance(asked, list):
        return str(asked)
    said = [message for message in asked if isinstance(message, dict) and message.get("role") == "user"]
    content = said[-1].get("content", "") if said else ""
    parts = content if isinstance(content, list) else [content]
    return " ".join(str(part.get("text", "")) if isinstance(part, dict) else str(part) for part in parts)


def _spoken(asked: Any) -> Any:
    """Return what was asked without the ids that messages get anew in each evaluation."""
    if isinstance(asked, dict):
        return {name: _spoken(value) for name, value in asked.items() if name not in ("id", "internal") and value}
    return [_spoken(item) for item in asked] if isinstance(asked, list) else asked
