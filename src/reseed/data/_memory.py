"""Samples that are in memory, as the data of a recipe: frames, arrays, data sets of `datasets`, and reseed's own."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from reseed._choices import IN_MEMORY
from reseed._errors import DataError, InputTypeError
from reseed.data._arrays import array_rows
from reseed.data._config import DataConfig
from reseed.data._dataset import Dataset, shown
from reseed.data._files import table_splits
from reseed.data._holdout import hold_out, part_of
from reseed.data._hub import evaluation_split, hub_splits
from reseed.data._index_columns import without_index
from reseed.data._rows import Rows, split_rows, to_splits
from reseed.data._splits import Splits
from reseed.data._subsets import stratified_limit
from reseed.data._values import is_text

_TAKEN = (
    "a DataFrame (with text= or features=, and label=), a pair (X, y) of arrays, a Dataset or DatasetDict of "
    "`datasets`, a reseed.Dataset or reseed.Splits, a data set's name, or the path of a file"
)
_SETTLED = ("text", "features", "label", "id", "split", "eval_file", "eval_split", "labels")
"""The options that say how samples are read, which those in memory are already."""


def in_memory(data: Any, config: DataConfig | None = None) -> DataConfig:
    """Describes samples that are in memory, so that a recipe can have them as its data.

    What is taken is named by a digest of all of it. A study keeps the samples in its folder, so that it can be
    continued, and its networks be asked, wherever the folder is.

    Args:
        data: a frame of pandas or polars, or a table of Arrow; a mapping of such by split (`train` and `test`); a pair
            `(X, y)`, or `((X, y), (X_eval, y_eval))`, of arrays, tensors, lists of texts, or a frame and its labels; a
            `Dataset` or `DatasetDict` of Hugging Face; a `Dataset`, a pair of them, or `Splits`.
        config: which columns are meant, and how samples are split and held out; its `name` is not used.

    Returns:
        The configuration of what was read: columns and splits are settled in it.

    Raises:
        InputTypeError: it is none of these; the message names the call that takes it, where there is one.
        DataError: the samples cannot be used as asked.

    Example:
        >>> from reseed.data import load
        >>> splits = load(in_memory((np.eye(8, dtype=np.float32), ["a", "b"] * 4)))
        >>> len(splits.train), len(splits.evaluation), splits.train.class_names
        (6, 2, ('a', 'b'))
    """
    config = config or DataConfig()
    for option in ("eval_file", "labels"):
        if getattr(config, option) is not None:
            raise DataError(f"{option}={getattr(config, option)!r} is not for data in memory; leave it out.")
    splits = _splits(data, replace(config, limit=None))
    settled: dict[str, Any] = dict.fromkeys(_SETTLED)
    return replace(config, name=IN_MEMORY + digest_of(splits), held=splits, **settled)


def held(config: DataConfig) -> Splits:
    """The samples that a configuration holds, as many of the training samples as it asks for.

    Raises:
        DataError: it holds none, being read from a file, or asks for them to be read in another way.
    """
    if config.held is None:
        raise DataError(
            f"the data {config.name!r} was in memory when this recipe was made, and the recipe does not hold it; pass "
            "the data itself, or open the study that was made of it, which does."
        )
    _check_no_columns(config, "the samples in memory are read already")
    splits = config.held
    if config.limit is None or config.limit >= len(splits.train):
        return splits
    data = splits.train
    chosen = stratified_limit(data.name, data.labels.numpy(), config.limit, config.split_seed)
    return replace(splits, train=part_of(data, chosen, data.split))


def digest_of(splits: Splits) -> str:
    """The digest that names samples in memory: 16 hexadecimal digits over inputs, labels, ids and names."""
    digest = hashlib.sha256()
    for part in (splits.train, splits.evaluation):
        inputs = part.inputs
        about = [part.name, part.split, part.feature_names, part.divisor, part.input_shape, part.digest]
        digest.update(json.dumps(about).encode())
        if isinstance(inputs, tuple):
            digest.update(json.dumps(inputs).encode())
        else:
            digest.update(np.ascontiguousarray(inputs.detach().cpu().numpy(), "<f4").tobytes())
    return digest.hexdigest()[:16]


def _splits(data: Any, config: DataConfig) -> Splits:
    if isinstance(data, Splits):
        return _settled(data, config)
    if isinstance(data, Dataset):
        return _settled(_halved(data, config), config)
    if _is_hub(data):
        return hub_splits({"train": data}, config, "Dataset")
    if isinstance(data, Mapping) and data and all(map(_is_hub, data.values())):
        return hub_splits(data, config, "DatasetDict")
    if is_table(data):
        return table_splits(_table(data, config), config, type(data).__name__)
    if isinstance(data, Mapping) and data and all(map(is_table, data.values())):
        return _by_name(data, config)
    if isinstance(data, tuple | list) and len(data) == 2:
        return _pair(data, config)
    raise InputTypeError(_refused(data))


def _settled(splits: Splits, config: DataConfig) -> Splits:
    _check_no_columns(config, f"the data set {splits.train.name!r} is read already")
    return splits


def _check_no_columns(config: DataConfig, why: str) -> None:
    for option in _SETTLED:
        if getattr(config, option) is not None:
            raise DataError(f"{option}={getattr(config, option)!r} is for frames and files, but {why}; leave it out.")


def _pair(data: Any, config: DataConfig) -> Splits:
    first, second = data
    if isinstance(first, Dataset) and isinstance(second, Dataset):
        return _settled(Splits(replace(first, split="train"), second), config)
    if all(isinstance(one, tuple) and len(one) == 2 for one in data):
        train, evaluation = (_rows(one, config, split) for one, split in zip(data, ("train", "test"), strict=True))
        return to_splits("arrays", train, evaluation, config)
    if is_table(first):
        return table_splits(*_labelled(first, second, config), type(first).__name__)
    if not (hasattr(first, "__len__") and hasattr(second, "__len__")):
        raise InputTypeError(_refused(first if not hasattr(first, "__len__") else second))
    train, evaluation = split_rows("arrays", _rows(data, config, "train"), config)
    return to_splits("arrays", train, evaluation, config)


def _rows(pair: Any, config: DataConfig, split: str) -> Rows:
    _check_no_columns(config, "X and y are arrays")
    x, y = pair
    return array_rows(x, y, split)


def _labelled(frame: Any, labels: Any, config: DataConfig) -> tuple[Any, DataConfig]:
    """Joins the labels to the frame of which they are."""
    if config.label is not None:
        raise DataError(f"label={config.label!r} names a column, but the labels are given beside the frame; drop one.")
    import pyarrow as pa

    table = _table(frame, config)
    texts = [name for name in table.column_names if is_text(table.schema.field(name).type)]
    rows = array_rows(np.zeros((table.num_rows, 1)), labels, "train")
    name = next(name for name in ("label", "label (y)", "label (y) ") if name not in table.column_names)
    if table.column_names == texts and len(texts) == 1:
        config = replace(config, text=texts[0])
    return table.append_column(name, pa.array(rows.labels, pa.string())), replace(config, label=name)


def _by_name(frames: Mapping[str, Any], config: DataConfig) -> Splits:
    """Reads frames that are given by split."""
    from reseed.data._columns import column_called, columns_note, input_columns, label_column, table_rows

    where = f"the mapping of frames {', '.join(map(str, frames))}"
    if config.split is not None:
        raise DataError(f"split={config.split!r} names a column, but {where} has the splits apart; leave it out.")
    name = evaluation_split(frames, config, where)
    train = _table(frames["train"], config)
    label = label_column(train, config, "train")
    inputs = input_columns(train, config, label, "train")
    rows = table_rows(train, config, "train", "train", inputs, label)
    kind, notes = type(frames["train"]).__name__, columns_note(train, config, inputs, label)
    if name is None:
        return to_splits(kind, *split_rows(kind, rows, config), config, notes=notes)
    second = _table(frames[name], config)
    for column in (label, *((inputs,) if isinstance(inputs, str) else inputs)):
        column_called(second.column_names, column, "as in train", name)
    return to_splits(kind, rows, table_rows(second, config, name, name, inputs, label), config, notes=notes)


def is_table(data: Any) -> bool:
    """Whether something has columns that Arrow can read: frames of pandas and polars, and Arrow's own tables."""
    return hasattr(data, "columns") and (hasattr(data, "__arrow_c_stream__") or hasattr(data, "__dataframe__"))


def _table(frame: Any, config: DataConfig) -> Any:
    import pyarrow as pa

    kind = type(frame).__name__
    names = [str(name) for name in getattr(frame, "column_names", frame.columns)]  # as Arrow's tables call them
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"the {kind} has several columns of one name: {shown(twice)}; rename them.")
    try:
        table = pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise DataError(f"the {kind} has a column of mixed or unknown types: {error}.") from error
    if not table.num_rows:
        raise DataError(f"the {kind} has no rows.")
    wanted = (config.id, config.text, config.label, *(config.features or ()))
    table, _ = without_index(table, {name for name in wanted if name is not None})
    return table


def _halved(data: Dataset, config: DataConfig) -> Splits:
    """Splits one data set class by class."""
    if (data.labels < 0).any():
        raise DataError(f"data set {data.name!r}: a label is -1 (unknown); training needs one for each sample.")
    whole = replace(data, split="train")
    parts = hold_out(Splits(whole, whole), config.eval_fraction, config.split_seed)
    return replace(parts, evaluation=replace(parts.evaluation, split="test"))


def _is_hub(data: Any) -> bool:
    """Whether something is a `datasets.Dataset`; a stream of samples has no length and no order to go by."""
    names = ("with_format", "select_columns", "__len__")
    return not isinstance(data, Mapping) and all(hasattr(data, name) for name in names)


def _refused(data: Any) -> str:
    """What to say of something that is no data: which call takes it, where there is one."""
    kind = type(data).__name__
    told = f"data is of type {kind}"
    if hasattr(data, "fit") and hasattr(data, "get_params"):
        return f"{told}, an estimator; pass the data first, reseed.measure((X, y), estimator), or use reseed.run."
    if hasattr(data, "state_dict") and callable(data):
        return (
            f"{told}, a network; pass the data first, and as the model a function that makes a fresh network: "
            "reseed.measure(data, lambda input_shape, num_classes: ...). What is trained already, reseed.evaluate "
            "and Study.from_predictions take by its predictions."
        )
    if hasattr(data, "__next__") or hasattr(data, "select_columns") or hasattr(data, "dataset"):
        return f"{told}, a stream or a loader, which has no fixed order; pass what it is made of: {_TAKEN}."
    if callable(data):
        return f"{told}, a function; a training of your own, fit(seed), goes to reseed.run. Data is {_TAKEN}."
    if hasattr(data, "tocsr"):
        return f"{told}, a sparse matrix, and needs its labels: pass (X.toarray(), y), or give it to reseed.run."
    if isinstance(data, tuple | list):
        return f"{told} of {len(data)}; as train_test_split gives them, pass ((X_train, y_train), (X_test, y_test))."
    if hasattr(data, "dtype"):
        return f"{told} without labels; pass the pair (X, y)."
    return f"{told}; data is {_TAKEN}."
