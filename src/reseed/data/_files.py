"""The user's own files, as splits."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from reseed._arguments import argument
from reseed._errors import DataError
from reseed.data._column_names import plain_name
from reseed.data._config import DataConfig
from reseed.data._dataset import shown
from reseed.data._formats import EXTENSIONS, TABLES, extension
from reseed.data._index_columns import without_index
from reseed.data._opened import check_file, understood
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
    check_file(path)
    _check_kind(path)
    if config.eval_file is not None and config.split is not None:
        raise DataError(
            f"{argument('split')}={config.split!r} and {argument('eval_file')}={config.eval_file!r} are both given; "
            "choose one."
        )
    if config.eval_split is not None and config.split is None:
        raise DataError(
            f"{argument('eval_split')}={config.eval_split!r} chooses among the values of a split column; set "
            f"{argument('split')} for {path.name}."
        )
    with understood(path, extension(path)[1:]):
        return _load_arrays(path, config) if extension(path) == ".npz" else _load_table(path, config)


def _load_table(path: Path, config: DataConfig) -> Splits:
    from reseed.data._columns import text_like

    table, notes = _read(path, config, text_like(config))
    return table_splits(table, config, path.name, notes)


def table_splits(table: "pa.Table", config: DataConfig, where: str, notes: tuple[str, ...] = ()) -> Splits:
    """The samples of a table.

    Where the evaluation samples come from: the second file, else the split column, else a stratified share.

    Args:
        table: rows are samples.
        config: which columns are meant, and how samples are split.
        where: what messages and results call the table.
        notes: what was taken for granted of the table so far.

    Raises:
        DataError: it cannot be used as asked.
    """
    from reseed.data._columns import columns_note, input_columns, label_column, table_rows

    label = label_column(table, config, where)
    inputs = input_columns(table, config, label, where)
    notes = (*notes, *columns_note(table, config, inputs, label))
    train = table_rows(table, config, where, "train", inputs, label)
    if config.split is not None:
        train, evaluation = _by_split(train, table, config, config.split, where)
    elif config.eval_file is not None:
        second = expanded(config.eval_file)
        check_file(second)
        _check_kind(second)
        with understood(second, extension(second)[1:]):
            evaluation, more = _second_file(second, config, inputs, label)
        notes = tuple(dict.fromkeys((*notes, *more)))
    else:
        train, evaluation = split_rows(where, train, config)
    return to_splits(where, train, evaluation, config, notes=notes)


def expanded(name: str) -> Path:
    """A path as the user writes it, with the home folder in place of a tilde.

    Raises:
        DataError: it is the home of a user that this machine does not know.
    """
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise DataError(f"{name!r} is the home folder of nobody on this machine; write the path out.") from error


def _read(path: Path, config: DataConfig, as_text: tuple[str, ...]) -> tuple["pa.Table", tuple[str, ...]]:
    """A table without the row index of pandas, unless it is asked for, and what was taken for granted of the file."""
    from reseed.data._tables import read_table, table_notes

    table = read_table(path, as_text)
    wanted = {plain_name(name) for name in (*as_text, *(config.features or ()))}
    keep = {name for name in table.column_names if plain_name(name) in wanted}
    table, left_out = without_index(table, keep)
    told = f"{path.name}: left out as the row index that pandas writes along: {', '.join(left_out)}."
    return table, (*table_notes(table), *((told,) if left_out else ()))


def _check_kind(path: Path) -> None:
    if extension(path) not in EXTENSIONS:
        kind = f"extension {extension(path)!r}" if extension(path) else "no extension"
        raise DataError(
            f"{path.name} has {kind}; files that can be read end in {', '.join(EXTENSIONS)} (.gz may follow "
            "the text formats)."
        )


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


def _second_file(
    path: Path, config: DataConfig, inputs: tuple[str, ...] | str, label: str
) -> tuple[Rows, tuple[str, ...]]:
    from reseed.data._columns import column_called, table_rows, text_like

    if extension(path) not in TABLES:
        raise DataError(f"{path.name}: eval_file must be one of {', '.join(TABLES)}.")
    text = (inputs,) if isinstance(inputs, str) else ()
    features = None if isinstance(inputs, str) else inputs
    table, notes = _read(path, replace(config, features=features), (*text_like(config), label, *text))
    called = column_called(table.column_names, label, argument("label"), path.name)
    named = tuple(column_called(table.column_names, name, "input", path.name) for name in features or text)
    rows = table_rows(table, config, path.name, "test", named if features else named[0], called)
    return replace(rows, feature_names=features), notes


def _by_split(rows: Rows, table: "pa.Table", config: DataConfig, column: str, where: str) -> tuple[Rows, Rows]:
    from reseed.data._columns import column_called, names

    values = [
        value.strip().lower()
        for value in names(table, column_called(table.column_names, column, argument("split"), where), where)
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
