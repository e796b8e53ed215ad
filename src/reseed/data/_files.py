"""The user's own files, as splits."""

from pathlib import Path
from typing import TYPE_CHECKING

from reseed._errors import DataError
from reseed.data._config import DataConfig
from reseed.data._dataset import shown
from reseed.data._formats import EXTENSIONS, TABLES, extension
from reseed.data._rows import Rows, split_rows, to_splits
from reseed.data._splits import Splits

if TYPE_CHECKING:
    import pyarrow as pa


def load_file(path: Path, config: DataConfig) -> Splits:
    """Reads the user's file, and the second one if there is one.

    Where the evaluation samples come from: the second file, else the split column, else (for `.npz`) the
    arrays `x_eval` and `y_eval`, else a stratified share of the samples.

    Raises:
        DataError: the file cannot be used; the message names it and what to change.
    """
    _check_file(path)
    if config.eval_file is not None and config.split is not None:
        raise DataError(f"split={config.split!r} and eval_file={config.eval_file!r} are both given; choose one.")
    if config.eval_split is not None and config.split is None:
        raise DataError(
            f"eval_split={config.eval_split!r} chooses among the values of a split column; set split for {path.name}."
        )
    if extension(path) == ".npz":
        return _load_arrays(path, config)
    from reseed.data._columns import input_columns, label_column, table_rows, text_like
    from reseed.data._tables import read_table

    table = read_table(path, text_like(config))
    label = label_column(table, config, path.name)
    inputs = input_columns(table, config, label, path.name)
    train = table_rows(table, config, path.name, "train", inputs, label)
    if config.split is not None:
        train, evaluation = _by_split(train, table, config, config.split, path.name)
    elif config.eval_file is not None:
        evaluation = _second_file(Path(config.eval_file).expanduser(), config, inputs, label)
    else:
        train, evaluation = split_rows(path.name, train, config)
    return to_splits(path.name, train, evaluation, config)


def _check_file(path: Path) -> None:
    if not path.exists():
        raise DataError(f"no such file: {path}")
    if path.is_dir():
        raise DataError(f"{path} is a folder; name a file in it.")
    if extension(path) not in EXTENSIONS:
        kind = f"extension {extension(path)!r}" if extension(path) else "no extension"
        raise DataError(
            f"{path.name} has {kind}; files that can be read end in {', '.join(EXTENSIONS)} (.gz may follow "
            "the text formats)."
        )
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty (0 bytes).")


def _load_arrays(path: Path, config: DataConfig) -> Splits:
    from reseed.data._arrays import read_arrays

    for option in ("text", "features", "label", "id", "split", "eval_file"):
        if getattr(config, option) is not None:
            raise DataError(
                f"{option}={getattr(config, option)!r} names a column or file, but {path.name} holds "
                "arrays: x, y and optionally x_eval, y_eval, ids, ids_eval, class_names."
            )
    train, evaluation, class_names = read_arrays(path)
    if evaluation is None:
        train, evaluation = split_rows(path.name, train, config)
    return to_splits(path.name, train, evaluation, config, class_names)


def _second_file(path: Path, config: DataConfig, inputs: tuple[str, ...] | str, label: str) -> Rows:
    from reseed.data._columns import column_called, table_rows, text_like
    from reseed.data._tables import read_table

    _check_file(path)
    if extension(path) not in TABLES:
        raise DataError(f"{path.name}: eval_file must be one of {', '.join(TABLES)}.")
    named = (inputs,) if isinstance(inputs, str) else inputs
    table = read_table(path, (*text_like(config), label, *((inputs,) if isinstance(inputs, str) else ())))
    for name, role in ((label, "label"), *((name, "input") for name in named)):
        column_called(table.column_names, name, role, path.name)
    return table_rows(table, config, path.name, "test", inputs, label)


def _by_split(rows: Rows, table: "pa.Table", config: DataConfig, column: str, where: str) -> tuple[Rows, Rows]:
    from reseed.data._columns import column_called, names

    values = [
        value.strip().lower()
        for value in names(table, column_called(table.column_names, column, "split", where), where)
    ]
    found = sorted(set(values))
    others = [value for value in found if value not in ("train", "training")]
    if len(others) == len(found) or not others:
        raise DataError(
            f"{where}: column {column!r} says {shown(found)}; it must say train for some rows and the name "
            "of an evaluation split, such as test, for others."
        )
    wanted = config.eval_split.lower() if config.eval_split else None
    if wanted is None:
        wanted = others[0] if len(others) == 1 else "test"
    if wanted not in others:
        told = f"no rows of eval_split={config.eval_split!r}" if config.eval_split else "several evaluation splits"
        raise DataError(f"{where}: column {column!r} has {told}; set eval_split to one of {', '.join(others)}.")
    train = rows.where([value not in others for value in values])
    return train, rows.where([value == wanted for value in values], wanted)
