"""From a name to splits."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from reseed._errors import DataError
from reseed._near import did_you_mean
from reseed.data._config import DataConfig
from reseed.data._files import expanded, load_file
from reseed.data._formats import EXTENSIONS
from reseed.data._holdout import hold_out
from reseed.data._hub import load_hub
from reseed.data._memory import held, in_memory
from reseed.data._named import DATA_NAMES, load_named
from reseed.data._splits import Splits
from reseed.data.corruption._annotations import annotated, check_annotations
from reseed.data.corruption._apply import corrupted

_HUB = "hf:"


def data_config(source: object, **options: Any) -> DataConfig:
    """Describes data, however it is given.

    Args:
        source: a data set's name, the path of a file, a `DataConfig`, or samples that are in memory, see `in_memory`.
        **options: other fields of the `DataConfig`.

    Raises:
        InputTypeError: it is none of these; the message names the call that takes it, where there is one.
        DataError: an option is out of its range, or the samples cannot be used as asked.

    Example:
        >>> data_config("digits", limit=100).limit
        100
    """
    if isinstance(source, DataConfig):
        return replace(source, **options)
    if isinstance(source, str | Path):
        return DataConfig(str(source), **options)
    return in_memory(source, DataConfig(**options))


def load(source: object, **options: Any) -> Splits:
    """Loads the training and the evaluation samples that a configuration asks for.

    The same configuration gives the same samples, ids and order every time; no global random state is used.
    Known names other than `digits` come from the folder that the environment variable RESEED_DATA names or,
    where it is not set, from the Hugging Face hub. A file is read as text, numbers or arrays only: nothing
    is unpickled or executed.

    Args:
        source: the data part of a recipe, a data set's name, the path of a file, or samples that are in memory, see
            `in_memory`.
        **options: other fields of the `DataConfig`, such as `text` and `label`.

    Returns:
        The two splits. Ids are unique across both unless the user's own ids are not.

    Raises:
        InputTypeError: it is nothing that data can be; the message names the call that takes it, where there is one.
        DataError: the name is not known, or the data cannot be used as asked; the message says what to
            change.
        MissingExtraError: the hub is needed and the extra `text` is not installed.

    Example:
        >>> splits = load("digits", limit=100)
        >>> len(splits.train), len(splits.evaluation), splits.evaluation.sample_ids[:3]
        (100, 360, ('21', '24', '28'))
    """
    source = data_config(source, **options)
    if source.labels is not None:
        check_annotations()  # before anything is fetched
    splits = _load(source)
    if source.holdout is not None:
        splits = hold_out(splits, source.holdout, source.split_seed)
    if source.labels is not None:
        splits = annotated(splits, source.labels)
    return splits if source.corruption is None else corrupted(splits, source.corruption)


def _load(source: DataConfig) -> Splits:
    name = source.name
    if source.is_in_memory:
        return held(source)
    if name in DATA_NAMES:
        return load_named(name, source)
    if name.startswith(_HUB):
        return load_hub(name.removeprefix(_HUB), source)
    path = expanded(name)
    if _is_path(name) or _exists(path):
        return load_file(path, source)
    raise DataError(
        f"unknown data set {name!r}.{did_you_mean(name, DATA_NAMES)} Known names: {', '.join(DATA_NAMES)}. The path of "
        f"a file ({', '.join(EXTENSIONS)}) or hf:OWNER/NAME works too."
    )


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than a name may be
        return False


def _is_path(name: str) -> bool:
    return any(mark in name for mark in ("/", "\\", "~")) or bool(Path(name).suffix)
