"""Studies side by side: methods beside a control, and the files that say so."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote

from reseed._arguments import argument
from reseed._choices import MARGIN
from reseed._errors import InputError
from reseed.instability import Comparison, compare_studies
from reseed.mitigations import described
from reseed.report import make_comparison_page
from reseed.studies import Study, json_writer, local_folder, replace_files, table_writer, text_writer
from reseed.workflows._recipe import STUDIES

if TYPE_CHECKING:
    import pyarrow as pa

COMPARISON, PAGE = "comparison.json", "comparison.html"
_TABLE = "comparison.parquet"
COMPARISON_FILES = (COMPARISON, _TABLE, PAGE)
Interval = Literal["jackknife", "samples", "two-way"]
METHOD = "method-"
"""How the folders of methods' studies begin."""


def compare(
    studies: Sequence[str | Path | Study],
    *,
    null: str | Path | Study | None = None,
    names: Sequence[str] | None = None,
    interval: Interval = "two-way",
    margin: float = MARGIN,
    fresh: Sequence[str | Path | Study] = (),
    fresh_null: str | Path | Study | None = None,
    out: str | Path | None = None,
) -> Comparison:
    """Compare studies of the same evaluation data with the first of them, the control; nothing is trained.

    Args:
        studies: Folders, URLs or opened studies, the control first.
        null: A second control: a study of the control's recipe with other seeds.
        names: What to call the studies, one for each; default: their recipes' methods, else their folders.
        interval: What intervals cover: ``two-way`` (other runs and other samples), ``jackknife`` (other runs on these
            samples) or ``samples``.
        margin: How many percentage points of accuracy a recommended method may lose; the lower end of the interval of
            the difference must be above ``-margin``.
        fresh: One study for each of ``studies``, in their order, of the same recipe with runs that trained on other
            data each, as `mitigate` makes them with ``fresh_data``; a method is then recommended only if it helps in
            both comparisons. Default: none.
        fresh_null: Their second control.
        out: The folder for ``comparison.json``, ``comparison.parquet`` and ``comparison.html``; default: nothing is
            written.

    Returns:
        The comparison; see `reseed.instability.compare_studies`.

    Raises:
        InputError: There are fewer than two studies, names or studies under fresh data are not one for each, the margin
            is no number of zero or more, or the studies cannot be compared.
        StudyError: A folder holds no usable study.
        TrainingError: Fewer than two runs of a study are complete.
        StorageError: The files cannot be written, or a URL not be reached.
    """
    opened = [_opened(study) for study in studies]
    if len(opened) + (null is not None) < 2:
        raise InputError(f"{argument('studies')} names {len(opened)} study; name the control and at least one other.")
    called = _names(opened) if names is None else _checked(names, len(opened))
    if fresh and len(fresh) != len(opened):
        raise InputError(
            f"{argument('fresh')} names {len(fresh)} studies for the {len(opened)} of {argument('studies')}; pass one "
            "for each, in the same order."
        )
    found = compare_studies(
        dict(zip(called, opened, strict=True)),
        null=None if null is None else _opened(null),
        interval=interval,
        margin=margin,
        fresh=dict(zip(called, map(_opened, fresh), strict=True)) if fresh else None,
        fresh_null=None if fresh_null is None else _opened(fresh_null),
    )
    if out is not None:
        write_comparison(found, out)
    return found


def write_comparison(found: Comparison, folder: str | Path) -> Path:
    """Write ``comparison.json``, ``comparison.parquet`` and ``comparison.html``, and return the page's path.

    All are made before the first is put in place. Sections of the page that cannot be made are left out, and the page
    says so.

    Args:
        found: The comparison.
        folder: Where to.

    Raises:
        InputError: The folder is a URL.
        StorageError: They cannot be written.
    """
    root = local_folder(folder)
    replace_files({root / name: write for name, write in comparison_files(found, root).items()})
    return root / PAGE


def comparison_files(found: Comparison, folder: Path) -> dict[str, Callable[[Path], None]]:
    """Return what fills each file of a comparison in a folder, by its name, the page last."""
    page = text_writer(make_comparison_page(found, folder).html)
    return {COMPARISON: json_writer(found.summary), _TABLE: table_writer(_all_samples(found)), PAGE: page}


def comparison_folder(found: Comparison) -> Path:
    """Return the folder that a comparison gets when the user names none."""
    rows = [f"{row.name}={row.study.url or row.study.path.resolve()}" for row in found.all_rows]
    digest = hashlib.sha256("\n".join(rows).encode()).hexdigest()[:8]
    name = re.sub(r"[^\w.-]", "-", Path(found.control.study.header.dataset).stem)
    return STUDIES / f"{name}-comparison-{digest}"


def method_folder(name: str) -> str:
    """Return a method's folder: its text, in which commas stand for the colons that some file systems refuse.

    Commas and slashes, of several numbers or an anchor's path, are escaped.
    """
    escaped = name.replace("%", "%25").replace(",", "%2C").replace("/", "%2F")
    return METHOD + escaped.replace(":", ",")


def method_name(folder: str) -> str:
    """Return the text of the method whose folder this is."""
    return unquote(folder.removeprefix(METHOD).replace(",", ":"))


def _all_samples(found: Comparison) -> pa.Table:
    """Return the rows of all samples, those under fresh data last; a column says which are which."""
    import pyarrow as pa

    tables = {"same": found.samples} if found.fresh is None else {"same": found.samples, "fresh": found.fresh.samples}
    return pa.concat_tables(
        table.append_column("training_data", pa.array([name] * table.num_rows)) for name, table in tables.items()
    )


def _opened(study: str | Path | Study) -> Study:
    return study if isinstance(study, Study) else Study.open(study)


def _names(studies: list[Study]) -> list[str]:
    """Return the methods of each study's recipe, else its folder's name; folders tell apart what is called alike."""
    names = [_described(study) for study in studies]
    return [
        name if names.count(name) == 1 else f"{name} ({study.path.name})"
        for name, study in zip(names, studies, strict=True)
    ]


def _described(study: Study) -> str:
    if study.path.name.startswith(METHOD):
        return method_name(study.path.name)
    methods = () if study.recipe is None else study.recipe.mitigations
    return described(methods) if methods else study.path.name


def _checked(names: Sequence[str], count: int) -> list[str]:
    if len(names) != count:
        raise InputError(
            f"{argument('names')} holds {len(names)} names for {count} studies; pass one for each, the control's first."
        )
    if len(set(names)) != len(names):
        raise InputError(f"{argument('names')} are not unique: {', '.join(names)}; call each study otherwise.")
    return list(names)
