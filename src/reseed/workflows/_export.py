"""What a study says about each sample, and what it recorded, in forms that other tools open."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import numpy as np

from reseed._arguments import argument
from reseed._errors import InputError, MissingExtraError
from reseed._parts import Parts
from reseed.instability import RECORDED
from reseed.scores import Scores, Split
from reseed.studies import Study, local_folder, replace_file, replace_json, replace_table, storing
from reseed.workflows._export_model import export_model
from reseed.workflows._formulas import without_formulas
from reseed.workflows._lenses import kept_lens_scores
from reseed.workflows._model_files import MODEL_FORMATS
from reseed.workflows._profile import profile

if TYPE_CHECKING:
    import pyarrow as pa


def export(
    study: str | Path | Study,
    out: str | Path,
    *,
    keep_formulas: bool = False,
    split: Split = "evaluation",
    run: int | str | None = None,
    trust_code: bool = False,
    announce: Callable[[str], None] | None = None,
) -> Path:
    """Write a study, or a network of it, for other tools; what is written follows from the name of ``out``.

    - ``.parquet``, ``.csv``, ``.jsonl``: the profile, one row a sample; see `profile`. In CSV the distribution of
      answers is left out, since it is a list, and texts that a spreadsheet would run as formulas, because they begin
      with ``=``, ``+``, ``-``, ``@`` (in full width too), a tab or the end of a line, get an apostrophe before them.
      What each column is (description, direction, range, unit, source; see `reseed.scores.Column`) is in the
      metadata of Parquet's fields, for the others in a file beside it whose name ends in ``.columns.json``.
    - ``.zarr``: everything that was recorded, as one xarray data set [run, checkpoint, sample (, class)] that
      ``xarray.open_zarr`` opens; what each array is, is in its attributes; of a study that monitored its steps also
      ``step_loss``, ``step_gradient_norm`` and ``step_entropy`` [run, step], see `Study.monitored`; and what lenses
      keep of single runs, see `reseed.scores`.
    - a name that ends in ``.hf``: the profile as a Hugging Face data set that ``datasets.load_from_disk`` opens (extra
      ``text``).
    - ``.safetensors``, ``.pt2``, ``.onnx``: a trained network, or all of them as one, that runs without reseed; see
      `Study.networks` for where it comes from. The first holds tensors by name, the second is a program for
      ``torch.export.load``, the third an ONNX model with ``inputs`` and ``logits`` (extra ``onnx``); the last two take
      any number of samples. Beside it a card is written, whose name ends in ``.json``: the order of the classes, how
      inputs are made of raw samples, what the output is, accuracy, layers and versions. Programs and ONNX models are
      asked about some evaluation samples, and nothing is kept where they answer otherwise than the network.

    Args:
        study: A study, its folder or its URL.
        out: A file or, for ``.zarr`` and ``.hf``, a folder. A file that is there is replaced, a folder is not.
        keep_formulas: Whether texts in CSV stay as they are, for readers that are no spreadsheets.
        split: For a table: which samples, see `profile`.
        run: For a network: the number of a complete run; ``medoid``, the run that agrees most with all others, see
            `medoid`; or ``ensemble``, all complete runs, whose output is the log of the mean of
            their probabilities. Default: the medoid, with fewer than three runs the first one.
        trust_code: For a network: whether to import the code that the study's recipe names as its model.
        announce: For a network: takes lines before long work begins; default: standard error.

    Returns:
        What was written.

    Raises:
        InputError: The name ends in something else, or in something else than ``.csv`` with ``keep_formulas``, or is a
            URL, or the folder is there; or there is no such run or split, or ``run`` is given for something else than
            a network, or ``split`` for something else than a table.
        MissingExtraError: A Hugging Face data set needs the extra `text`, an ONNX model the extra `onnx`.
        ModelError: The format cannot take the network, and the message names the layer where it is known; or the recipe
            names code, which is not trusted.
        StorageError: It cannot be written.
        StudyError: There is no usable study, or for a network one whose runs reseed did not train.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     study = Study.from_predictions([[0, 1, 1], [0, 1, 0]], folder + "/study")
        ...     export(study, folder + "/profile.csv").read_text().splitlines()[1][:12]
        '"0",-1,,0,0,'
    """
    path = local_folder(out)
    formats = (*_TABLES, _ARRAYS, *MODEL_FORMATS)
    if path.suffix not in formats:
        raise InputError(f"{argument('out')} is {str(out)!r}; choose a name that ends in one of {', '.join(formats)}.")
    if run is not None and path.suffix not in MODEL_FORMATS:
        known = ", ".join(MODEL_FORMATS)
        raise InputError(
            f"{argument('run')} says which network to write; for {str(out)!r} leave it out, or choose one of {known}."
        )
    if keep_formulas and path.suffix != ".csv":
        raise InputError(f"keep_formulas is for .csv, where texts are changed; leave it out for {str(out)!r}.")
    if split != "evaluation" and path.suffix not in _TABLES:
        raise InputError(f"{argument('split')} is for tables of samples; for {str(out)!r} leave it out.")
    opened = study if isinstance(study, Study) else Study.open(study)
    if path.suffix in MODEL_FORMATS:
        export_model(opened, path, run=run, trust_code=trust_code, announce=announce)
    elif path.suffix == _ARRAYS:
        _zarr(opened, path)
    else:
        write = partial(_csv, keep_formulas=True) if keep_formulas else _TABLES[path.suffix]
        write(profile(opened, split=split), path)
    return path


def _parquet(table: pa.Table, path: Path) -> None:
    replace_table(path, table)


def _csv(profiled: pa.Table, path: Path, *, keep_formulas: bool = False) -> None:
    from pyarrow import csv

    table = _flat(profiled)
    cells = table if keep_formulas else without_formulas(table)
    replace_file(path, lambda partial: csv.write_csv(cells, partial))
    _describe(path, table)


def _json_lines(table: pa.Table, path: Path) -> None:
    frame = table.to_pandas()
    replace_file(path, lambda partial: frame.to_json(partial, orient="records", lines=True, force_ascii=False))
    _describe(path, table)


def _describe(path: Path, table: pa.Table) -> None:
    """Say beside a file what its columns are."""
    known = {
        field.name: {key.decode(): value.decode() for key, value in field.metadata.items()}
        for field in table.schema
        if field.metadata
    }
    replace_json(path.with_name(f"{path.name}.columns.json"), known)


def _zarr(study: Study, path: Path) -> None:
    from zarr.storage import LocalStore

    recordings = study.recordings()
    for name, array in recordings.items():
        if (found := RECORDED.get(str(name))) is not None:
            array.attrs |= {"long_name": found.about, "units": found.unit} | found.metadata
    if study.header.record.monitor:
        signals = study.monitored()
        recordings = recordings.merge(signals.rename({name: f"step_{name}" for name in signals}))

    lenses = list(kept_lens_scores(study, Parts()))

    def write(partial: Path) -> None:
        store = LocalStore(partial)  # zarr would take some names for chains of protocols
        for run, number in enumerate(recordings["run"].to_numpy().tolist()):  # one at a time: memory holds one
            part = recordings.isel(run=[run]).assign(_of_lenses(lenses, number))
            if run == 0:
                part.to_zarr(store, zarr_format=2, consolidated=True)  # 3 has no stable form of strings
            else:
                part.drop_vars("target").to_zarr(store, append_dim="run", consolidated=True)

    _new_folder(path, write)


def _of_lenses(lenses: Sequence[Scores], run: int) -> dict[str, Any]:
    """Return what lenses say of a run by name, each [run, sample], [run] or [run, step]; NaN where they skip it."""
    found: dict[str, Any] = {}
    for scores in lenses:
        place = scores.runs.index(run) if run in scores.runs else None
        axes = {"by_run": ("sample",), "of_runs": (), "series": (f"{scores.lens}_step",)}
        for kind, more in axes.items():
            for name, values in getattr(scores, kind).items():
                row = np.full(values.shape[1:], np.nan) if place is None else np.asarray(values[place], np.float64)
                about = {"long_name": scores.columns[name].about, "units": scores.columns[name].unit}
                found[name] = (("run", *more), row[None], about | scores.columns[name].metadata)
        if scores.steps:
            found[f"{scores.lens}_step"] = list(scores.steps)
    return found


def _hugging_face(table: pa.Table, path: Path) -> None:
    try:
        from datasets import Dataset
    except ImportError as error:
        raise MissingExtraError(
            f"{path.name!r} would be a Hugging Face data set, which needs the extra 'text': pip install 'reseed[text]'."
        ) from error
    _new_folder(path, lambda partial: Dataset(table).save_to_disk(partial))


def _flat(table: pa.Table) -> pa.Table:
    import pyarrow.types as kinds

    return table.select([field.name for field in table.schema if not kinds.is_nested(field.type)])


def _new_folder(path: Path, write: Callable[[Path], object]) -> None:
    """Have a folder written beside its place, then renamed into it."""
    if path.exists():
        raise InputError(
            f"{argument('out')} is {str(path)!r}, which is there already; choose another name, or delete it first."
        )
    partial = path.with_name(f".{uuid4().hex[:8]}")  # without the name, in which some writers see more than a name
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            write(partial)
            partial.rename(path)
        finally:
            shutil.rmtree(partial, ignore_errors=True)


_TABLES: dict[str, Callable[[pa.Table, Path], None]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _json_lines,
    ".hf": _hugging_face,
}
_ARRAYS = ".zarr"
