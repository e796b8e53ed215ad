"""Methods that keep predictions in place, each trained and set beside a control and its null."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Unpack

from reseed._arguments import argument
from reseed._choices import MARGIN
from reseed._errors import InputError, StudyError
from reseed._notebook import show_link
from reseed._numbers import check_margin
from reseed.instability import Comparison, compare_studies
from reseed.mitigations import described, parse_mitigations
from reseed.studies import Study, check_runs, local_folder, read_header, to_stderr, train_study
from reseed.training import DEFAULT_VARY, Recipe, RecordConfig, mitigated
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
from reseed.workflows._fresh_data import FRESH, check_fresh_data, plans_for
from reseed.workflows._recipe import TrainingArguments, chosen_recipe

DEFAULT_METHODS = (
    "label-smoothing",
    "swa",
    "ema",
    "cosine-decay",
    "sam",
    "ema+init-scale",
    "ema+init-scale+label-smoothing",
    "fixed-init",
    "ema+fixed-init+label-smoothing",
    "tgtss:source=in_batch+ema",
)
"""What `mitigate` compares when it is not told: methods of one or two trainings, and one network at inference."""

_CONTROL, _NULL, _LESSONS = "control", "second-control", "lessons"
_KNOWN = (_CONTROL, _NULL, _LESSONS, FRESH, *COMPARISON_FILES)


def mitigate(
    data: object = "digits",
    model: object = None,
    *,
    recipe: Recipe | None = None,
    methods: Sequence[str] = DEFAULT_METHODS,
    runs: int = 30,
    out: str | Path | None = None,
    interval: Interval = "two-way",
    margin: float = MARGIN,
    vary: Iterable[str] = DEFAULT_VARY,
    fresh_data: float | None = None,
    seed: int = 0,
    record: RecordConfig | None = None,
    announce: Callable[[str], None] | None = None,
    **options: Unpack[TrainingArguments],
) -> Comparison:
    """Train a recipe with each of several methods and compare what they do to stability, accuracy and cost.

    Trains the control, a second control with other seeds (the null: what it seems to change is chance), and one study
    for each method. Each is a folder below ``out`` that `inspect` opens. Finished runs are kept whatever happens: the
    same call continues, more ``runs`` extend every study, and other ``methods`` join those that are there and have as
    many runs. A method that cannot be compared is left out, and the comparison's notes say so.

    With ``fresh_data`` every study is trained a second time, each run on another random share of the training set, in
    the folder ``fresh-data`` below ``out``: what happens when a network is retrained after its data changed. The
    comparison then has both, and recommends what helps in both. Teachers that all runs share are taught once, on the
    whole training set, for both: they know samples that a run does not see, as an old model does that teaches new ones.

    Writes
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
        margin: How many percentage points of accuracy a recommended method may lose; the lower end of the interval of
            the difference must be above ``-margin``.
        vary: The seed streams that differ between runs: ``init``, ``order``, ``dropout``, ``augment``, ``data``. With
            ``data`` among others there are two designs as with ``fresh_data``: the first without ``data``, the second
            with a bootstrap resample of the training set for each run. With ``data`` alone there is that one only.
        fresh_data: The share of the training set that each run of the second design trains on, such as 0.9; default:
            there is no second design, but one that is in the folder, with as many runs, is compared.
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
    plan, fresh_plan = plans_for(vary, fresh_data)
    check_margin(margin)
    check_runs(runs)
    wanted = _recipes(recipe, methods)
    root = local_folder(design_folder(recipe, "mitigate") if out is None else out)
    check_design_folder(root, "comparison of methods", _KNOWN, METHOD)
    check_fresh_data(root / FRESH, fresh_plan)
    trained = {_CONTROL: (recipe, seed), _NULL: (recipe, seed + 1)}
    trained |= {method_folder(name): (changed, seed) for name, changed in wanted.items()}
    designs = {root: plan} if fresh_plan is None else {root: plan, root / FRESH: fresh_plan}
    total, draws = len(designs) * len(trained), draws_of(root)
    announce(f"{total} studies of {runs} runs")
    studies: dict[Path, Study] = {}
    for number, ((folder, varied), (name, (changed, base))) in enumerate(product(designs.items(), trained.items()), 1):
        announce(f"study {number} of {total}: {_name(name)}{', fresh data' if folder != root else ''}")
        share_files(root / _CONTROL, folder / name)
        studies[folder / name] = train_study(
            changed,
            folder / name,
            runs=runs,
            plan=replace(varied, base=base, draws=draws),
            record=record,
            lessons_folder=root.absolute() / _LESSONS,
            announce=announce,
            **execution,
        )
    found = _compared(root, studies, runs, interval, margin, announce)
    show_link(write_mitigation(found, root))
    return found


def write_mitigation(found: Comparison, root: Path) -> Path:
    """Write a comparison of methods into its folder, and the reports of its studies; return the page's path.

    Raises:
        StorageError: They cannot be written.
    """
    notes = write_reports(row.study for row in found.all_rows)
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
        interval, runs, margin = numbers["ci_method"], int(numbers["runs"]), numbers.get("margin", MARGIN)
    return _compared(root, {}, runs, interval, margin, lambda line: None)


def _compared(
    root: Path,
    trained: Mapping[Path, Study],
    runs: int,
    interval: Interval,
    margin: float,
    announce: Callable[[str], None],
) -> Comparison:
    """Compare the studies in a folder, and those under fresh data where there are any, by their methods.

    Those that were just ``trained``, by their folders, come first.
    """
    kept, left_out = _comparable(_opened(root, trained), runs)
    beside, missing = _under_fresh_data(root / FRESH, trained, runs)
    left_out += missing
    for reason in left_out:
        announce(f"left out: {reason}")
    null, fresh_null = kept.pop(_NULL), beside.pop(_NULL, None)
    found = compare_studies(
        {_name(folder): study for folder, study in kept.items()},
        null=null,
        interval=interval,
        margin=margin,
        fresh={_name(folder): study for folder, study in beside.items() if folder in kept} if beside else None,
        fresh_null=fresh_null,
    )
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


def _opened(root: Path, trained: Mapping[Path, Study]) -> dict[str, Study]:
    """Return both controls, the methods that were just trained, and those that earlier calls trained."""
    now = [folder.name for folder in trained if folder.parent == root]
    earlier = [folder.name for folder in sorted(root.glob(f"{METHOD}*")) if (folder / "study.json").exists()]
    folders = {name: root / name for name in (_CONTROL, _NULL, *now, *earlier)}
    return {name: trained[folder] if folder in trained else Study.open(folder) for name, folder in folders.items()}


def _under_fresh_data(root: Path, trained: Mapping[Path, Study], runs: int) -> tuple[dict[str, Study], list[str]]:
    """Return the studies under fresh data as `_comparable` does; none where a control has not as many runs."""
    if not (root / _CONTROL / "study.json").exists():
        return {}, []
    if not (root / _NULL / "study.json").exists():
        return {}, [f"fresh data, which lacks a {_name(_NULL)}; ask for it again to go on"]
    studies = _opened(root, trained)
    for name in (_CONTROL, _NULL):
        finished = len(studies[name].manifests) + len(studies[name].diverged)
        if finished < runs:
            return {}, [f"fresh data, whose {_name(name)} has {finished} of {runs} runs; ask for it again to go on"]
    kept, left_out = _comparable(studies, runs)
    return kept, [f"under fresh data, {reason}" for reason in left_out]


def _comparable(studies: Mapping[str, Study], runs: int) -> tuple[dict[str, Study], list[str]]:
    """Return both controls and the methods that have runs enough, and why others are left out."""
    kept, left_out = {}, []
    for name, study in studies.items():
        usable = len(study.manifests)
        finished = usable + len(study.diverged)
        if name in (_CONTROL, _NULL) or (finished >= runs and usable > 1):
            kept[name] = study
        elif finished < runs:
            left_out.append(f"{_name(name)}, which has {finished} of {runs} runs; name it to go on")
        else:
            left_out.append(f"{_name(name)}, of whose {finished} runs {usable} did not diverge")
    return kept, left_out
