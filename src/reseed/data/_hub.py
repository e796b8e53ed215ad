"""Data sets from the Hugging Face hub, through `datasets`; no code from the hub is ever run."""

import sys
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np

from reseed._arguments import argument
from reseed._errors import DataError, MissingExtraError
from reseed._near import did_you_mean
from reseed.data._config import DataConfig
from reseed.data._dataset import UNKNOWN_LABEL
from reseed.data._images import DIVISOR, from_pictures
from reseed.data._rows import Index, Inputs, Rows, split_rows, to_splits
from reseed.data._splits import Splits

HubData: TypeAlias = Mapping[str, Any]
"""The splits of a data set by name, each a `datasets.Dataset`."""

_EVAL_SPLITS = ("test", "validation", "valid", "dev", "eval")


def fetch(path: str, config: str | None = None) -> HubData:
    """Downloads a data set, or takes it from the hub's cache, and says so on standard error first.

    Args:
        path: `OWNER/NAME` on the hub.
        config: which of its configurations; None for the only or default one.

    Raises:
        MissingExtraError: `datasets` is not installed.
        DataError: the hub has no such data set, cannot be reached, or would have to run code.
    """
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError(
            f"{path!r} comes from the Hugging Face hub, which needs `datasets`: pip install 'reseed[text]'. "
            "Data sets in the folder that RESEED_DATA names, and your own files, need nothing more."
        ) from error
    told = f"{path} ({config})" if config else path
    print(f"reseed: fetching {told} from the Hugging Face hub (downloaded once, then cached)", file=sys.stderr)
    try:
        found = datasets.load_dataset(path, name=config)
    except Exception as error:  # `datasets` raises of its own, of the hub's and of the network's kinds
        raise DataError(
            f"hf:{path}{f'@{config}' if config else ''} cannot be loaded: {error}. Check the name and the "
            "network; known data sets can also be read from the folder that RESEED_DATA names."
        ) from error
    return dict(found)


def hub_rows(
    found: HubData,
    split: str,
    *,
    label: str,
    text: str | None = None,
    image: str | None = None,
    features: tuple[str, ...] | None = None,
    id: str | None = None,
) -> Rows:
    """Samples of one split, with one kind of input.

    Args:
        found: what `fetch` gives.
        split: name of the split.
        label: column with the classes; `ClassLabel` numbers become names, -1 becomes "unknown".
        text: column with the texts.
        image: column with the images, decoded when they are taken.
        features: numeric columns.
        id: column with the ids; None for the row numbers.

    Raises:
        DataError: the split or a column is missing, or a value is.
    """
    from reseed.data._columns import column_called, table_rows

    if split not in found:
        raise DataError(f"the hub has no split {split!r} of this data set; it has {', '.join(found)}.")
    data = found[split]
    named = {"label": label, "text": text, "id": id}
    for name, role in (*((name, argument(role)) for role, name in named.items()), (image, "image")):
        if name is not None:
            column_called(data.column_names, name, role, f"split {split!r}")
    for name in features or ():
        column_called(data.column_names, name, argument("features"), f"split {split!r}")
    columns = dict.fromkeys((label, text, id, *(features or ())))
    table = data.select_columns([name for name in columns if name is not None]).with_format("arrow")[:]
    rows = table_rows(table, DataConfig("hub", id=id), f"split {split!r}", split, text or features, label)
    if image is not None:
        rows = Rows(split, rows.ids, rows.labels, lambda index: _pictures(data, image, index), divisor=DIVISOR)
    names = getattr(data.features[label], "names", None)
    if names is None:
        return rows
    return rows.relabel(lambda number: None if int(number) == UNKNOWN_LABEL else str(names[int(number)]))


def load_hub(name: str, config: DataConfig) -> Splits:
    """Loads `OWNER/NAME` or `OWNER/NAME@CONFIG`.

    The columns are those of `config` or, where they are not given, guessed as in a file; a single image
    column is the input where no text or feature column is asked for. Evaluation is `config.eval_split`, else
    the first that exists of test, validation, valid, dev and eval, else a stratified share of the training
    samples.

    Raises:
        DataError: the data set cannot be loaded or used as asked.
        MissingExtraError: `datasets` is not installed.
    """
    path, _, configuration = name.partition("@")
    if not path:
        raise DataError("hf: needs a name behind it: hf:OWNER/NAME or hf:OWNER/NAME@CONFIG.")
    for option in ("split", "eval_file"):
        if getattr(config, option) is not None:
            raise DataError(f"{option} is for your own files; choose a split of hf:{name} with eval_split.")
    return hub_splits(fetch(path, configuration or None), config, f"hf:{name}")


def evaluation_split(found: Mapping[str, Any], config: DataConfig, where: str) -> str | None:
    """The split to evaluate on, which is never the training split; None where there is no other.

    Raises:
        DataError: there is no training split, or not the evaluation split that is asked for.
    """
    if "train" not in found:
        raise DataError(f"{where} has no split 'train'; it has {', '.join(map(str, found))}.")
    eval_split = config.eval_split or next((split for split in _EVAL_SPLITS if split in found), None)
    if eval_split is not None and (eval_split not in found or eval_split == "train"):
        others = ", ".join(split for split in found if split != "train") or "none besides train"
        hint = did_you_mean(eval_split, [split for split in found if split != "train"])
        raise DataError(f"{where} has no evaluation split {eval_split!r}.{hint} It has {others}.")
    return eval_split


def hub_splits(found: HubData, config: DataConfig, where: str) -> Splits:
    """The samples of a data set as `datasets` has it; see `load_hub`.

    Raises:
        DataError: it cannot be used as asked.
    """
    from reseed.data._columns import columns_note, input_columns, label_column

    eval_split = evaluation_split(found, config, where)
    train = found["train"]
    head = train.with_format("arrow")[:1]  # the columns and their types
    label = label_column(head, config, where)
    image = None if config.text or config.features else _image_column(train, where)
    columns: dict[str, Any] = {"image": image}
    notes: tuple[str, ...] = ()
    if image is None:
        inputs = input_columns(head, config, label, where)
        notes = columns_note(head, config, inputs, label)
        columns = {"text": inputs} if isinstance(inputs, str) else {"features": inputs}
    rows = hub_rows(found, "train", label=label, id=config.id, **columns)
    if eval_split is None:
        train_rows, evaluation = split_rows(where, rows, config)
    else:
        train_rows, evaluation = rows, hub_rows(found, eval_split, label=label, id=config.id, **columns)
    return to_splits(where, train_rows, evaluation, config, notes=notes)


def _image_column(data: Any, where: str) -> str | None:
    found = [name for name, feature in data.features.items() if type(feature).__name__ == "Image"]
    if len(found) > 1:
        raise DataError(f"{where} has several image columns: {', '.join(found)}; reseed reads data sets with one.")
    return found[0] if found else None


def _pictures(data: Any, image: str, index: Index) -> Inputs:
    return from_pictures(_picture(data, image, int(position)) for position in np.asarray(index))


def _picture(data: Any, image: str, position: int) -> Any:
    try:
        return data[position][image]
    except Exception as error:  # what `datasets` decodes with raises errors of every kind over damaged files
        raise DataError(f"the image in row {position} (from 0) cannot be decoded: {error}") from error
