"""Methods that keep predictions in place, each trained and set beside a control and its null."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Unpack

from reseed._arguments import argument
from reseed._errors import InputError, StudyError
from reseed._notebook import show_link
from reseed.instability import Comparison, compare_studies
from reseed.mitigations import described, parse_mitigations
from reseed.studies import Study, check_runs, local_folder, read_header, to_stderr, train_study
from reseed.training import DEFAULT_VARY, Recipe, RecordConfig, SeedPlan, check_vary, mitigated
from reseed.workflows._child_reports import write_reports
from reseed.workflows._compare import (
    COMPARISON,
    COMPARISON_FILES,
    METHOD,
    Interval,
    method_folder,
    method_name,
    write_comparison,
)
from reseed.workflows._design import (
    check_design_folder,
    damaged_numbers,
    design_folder,
    draws_of,
    read_numbers,
    share_files,
)
from reseed.workflows._recipe import TrainingArguments, chosen_recipe

DEFAULT_METHODS = (
    "label-smoothing",
    "swa",
    "ema",
    "cosine-decay",
    "sam",
    "ema+init-scale",
    "ema+init-scale+label-smoothing",
    "tgtss:source=in_batch+ema",
)
"""What `mitigate` compares when it is not told: methods of one or two trainings, and one network at inference."""

_CONTROL, _NULL, _LESSONS = "control", "second-control", "lessons"
_KNOWN = (_CONTROL, _NULL, _LESSONS, *COMPARISON_FILES)


def mitigate(
    data: object = "digits",
    model: object = None,
    *,
    recipe: Recipe | None = None,
    methods: Sequence[str] = DEFAULT_METHODS,
    runs: int = 30,
    out: str | Path | None = None,
    interval: Interval = "two-way",
    vary: Iterable[str] = DEFAULT_VARY,
    seed: int = 0,
    record: RecordConfig | None = None,
    announce: Callable[[str], None] | None = None,
    **options: Unpack[TrainingArguments],
) -> Comparison:
    """Train a recipe with each of several methods and compare what they do to stability, accuracy and cost.

    Trains the control, a second control with other seeds (the null: what it seems to change is chance), and one study
    for each method. Each is a folder below ``out`` that `inspect` opens. Finished runs are kept whatever happens: the
    same call continues, more ``runs`` extend every study, and other ``methods`` join those that are there and have as
    many runs. A method that cannot be compared is left out, and the comparison's notes say so. Writes
    ``comparison.json``, ``comparison.parquet`` and ``comparison.html``, which leads to the report of each study.

    Args:
        data: What is learned, as `measure` takes it: a name, a file, or what is in memory.
        model: A model's name, or a function that makes a network; default: what suits the data. Not used when
            ``recipe`` is given.
        recipe: The control's recipe, see `recipe_for`; default: that of ``data`` and ``model``.
        methods: Texts such as ``swa`` or ``tgtss:exponent=0.5+swa``, see `reseed.mitigations.parse_mitigations`;
            ``default`` stands for the default list, and ``control`` may be named.
        runs: Trainings in each study, two or more; three or more for intervals that cover other runs.
        out: The folder of all studies; default: ``reseed-studies/`` and a name made of data, model and recipe.
        interval: What intervals cover: ``two-way`` (other runs and other samples), ``jackknife`` (other runs on these
            samples) or ``samples``.
        vary: The seed streams that differ between runs: ``init``, ``order``, ``dropout``, ``augment``, ``data``.
        seed: Base seed of all studies but the second control, which has the next one.
        record: What is recorded, and when; default: scores at the final step, as they are and after temperature
            scaling, which takes one more training for each study.
        announce: Takes a line before long work begins; default: standard error.
        **options: Changes of the recipe, such as ``text``, ``label`` or ``epochs``, see `RecipeArguments`; and where
            and how runs execute: ``engine``, ``jobs``, ``address``, ``group``, ``device``, ``threads``,
            ``deterministic`` and ``probe``, as `measure` takes them.

    Returns:
        The comparison, its studies included.

    Raises:
        InputError: An argument, the recipe or the data is unusable, or a method is unknown.
        DeterminismError: The probe failed.
        StudyError: The folder holds something else.
        StorageError: The folder cannot be written.
        TrainingError: Some runs did not finish, or fewer than two of a study left usable predictions; those that
            did are kept.

    Examples:
        >>> import tempfile
        >>> options = {"runs": 3, "engine": "serial", "announce": lambda line: None}
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     found = mitigate("digits", epochs=1, hidden=[4], methods=["swa"], out=folder, **options)
        ...     [row.name for row in found.rows]
        ['control', 'second control', 'swa']
    """
    recipe, execution = chosen_recipe(data, model, recipe, options)
    announce = announce or to_stderr
    record = record or RecordConfig(every="final", temperature=True)
    streams = check_vary(vary)
    check_runs(runs)
    wanted = _recipes(recipe, methods)
    root = local_folder(design_folder(recipe, "mitigate") if out is None else out)
    check_design_folder(root, "comparison of methods", _KNOWN, METHOD)
    plans = {_CONTROL: (recipe, seed), _NULL: (recipe, seed + 1)}
    plans |= {method_folder(name): (changed, seed) for name, changed in wanted.items()}
    announce(f"{len(plans)} studies of {runs} runs")
    draws = draws_of(root)
    studies: dict[str, Study] = {}
    for number, (name, (changed, base)) in enumerate(plans.items(), start=1):
        announce(f"study {number} of {len(plans)}: {_name(name)}")
        share_files(root / _CONTROL, root / name)
        studies[name] = train_study(
            changed,
            root / name,
            runs=runs,
            plan=SeedPlan(base, streams, draws=draws),
            record=record,
            lessons_folder=root.absolute() / _LESSONS,
            announce=announce,
            **execution,
        )
    found = _compared(root, studies, runs, interval, announce)
    show_link(write_mitigation(found, root))
    return found


def write_mitigation(found: Comparison, root: Path) -> Path:
    """Write a comparison of methods into its folder, and the reports of its studies; return the page's path.

    Raises:
        StorageError: They cannot be written.
    """
    notes = write_reports(row.study for row in found.rows)
    return write_comparison(replace(found, notes=(*found.notes, *notes)), root)


def open_mitigation(root: Path) -> Comparison:
    """Return the comparison of methods in a folder, from the studies that are kept; nothing is trained.

    Raises:
        StudyError: It cannot be read, or its control is not there.
        TrainingError: Fewer than two runs of a study are complete.
    """
    numbers = read_numbers(root, COMPARISON)
    if read_header(root / _CONTROL) is None:
        raise StudyError(
            f"{str(root)!r} holds a comparison of studies that lie elsewhere; reseed compare, with the same studies, "
            "writes it anew, and reseed inspect looks into each of them."
        )
    with damaged_numbers(root, COMPARISON):
        interval, runs = numbers["ci_method"], int(numbers["runs"])
    studies = {name: Study.open(root / name) for name in (_CONTROL, _NULL)}
    return _compared(root, studies, runs, interval, lambda line: None)


def _compared(
    root: Path, studies: dict[str, Study], runs: int, interval: Interval, announce: Callable[[str], None]
) -> Comparison:
    """Compare studies, and those of methods that lie beside them, by their folders."""
    null = studies.pop(_NULL)
    kept, left_out = _comparable(studies | _earlier(root, studies), runs)
    for reason in left_out:
        announce(f"left out: {reason}")
    found = compare_studies({_name(folder): study for folder, study in kept.items()}, null=null, interval=interval)
    return replace(found, notes=(*found.notes, *(f"Left out: {reason}." for reason in left_out)))


def _recipes(recipe: Recipe, methods: Sequence[str]) -> dict[str, Recipe]:
    """Return the recipe of each method by the method's own text; those that say the same are one."""
    found: dict[str, Recipe] = {}
    if isinstance(methods, str):
        raise InputError(f"{argument('methods')} must be several texts, got {methods!r}; pass [{methods!r}].")
    for text in (part for given in methods for part in (DEFAULT_METHODS if given == "default" else (given,))):
        parsed = parse_mitigations(text)
        changed = mitigated(recipe, parsed)
        if changed == recipe:
            if parsed:
                raise InputError(f"method {text!r} changes nothing, so it is the control itself; raise its strength.")
            continue
        name = described(tuple(sorted(parsed, key=lambda method: (method.place, method.name))))
        if changed not in found.values():
            found[name] = changed
    if not found:
        raise InputError(f"{argument('methods')} name nothing but the control; name at least one method, such as swa.")
    return found


def _name(folder: str) -> str:
    return method_name(folder) if folder.startswith(METHOD) else folder.replace("-", " ")


def _earlier(root: Path, asked: Collection[str]) -> dict[str, Study]:
    """Return the studies of methods that earlier calls trained."""
    folders = [folder for folder in sorted(root.glob(f"{METHOD}*")) if (folder / "study.json").exists()]
    return {folder.name: Study.open(folder) for folder in folders if folder.name not in asked}


def _comparable(studies: Mapping[str, Study], runs: int) -> tuple[dict[str, Study], list[str]]:
    """Return the control and the methods that have runs enough, and why others are left out."""
    kept, left_out = {}, []
    for name, study in studies.items():
        usable = len(study.manifests)
        finished = usable + len(study.diverged)
        if name == _CONTROL or (finished >= runs and usable > 1):
            kept[name] = study
        elif finished < runs:
            left_out.append(f"{_name(name)}, which has {finished} of {runs} runs; name it to go on")
        else:
            left_out.append(f"{_name(name)}, of whose {finished} runs {usable} did not diverge")
    return kept, left_out
