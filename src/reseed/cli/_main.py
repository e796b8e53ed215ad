"""The command line: thin commands over the public functions."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import asdict
from importlib.metadata import version
from inspect import getdoc
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import tyro

from reseed._errors import InputError, ReseedError, StudyError
from reseed._limits import max_bytes
from reseed._plain import plain
from reseed.cli._options import (
    Calibrate,
    Compare,
    ExecutionOptions,
    Export,
    Import,
    Inspect,
    Measure,
    Mitigate,
    RecipeOptions,
    Report,
    Tune,
    changed_fields,
    methods,
    words,
)
from reseed.cli._signals import TerminatedError, termination_raised
from reseed.cli._tuning import print_tuning
from reseed.instability import Comparison, SingleRunModel, calibrate, single_run_table, where_unstable
from reseed.mitigations import MITIGATIONS, AbstractMitigation, card
from reseed.report import (
    print_bootstrap,
    print_comparison,
    print_nested,
    print_numbers,
    print_one_run_table,
    print_sources,
    print_stability,
    print_where,
)
from reseed.studies import ColumnNames, Study, import_predictions, is_out_of_memory
from reseed.training import Recipe, RecordConfig
from reseed.workflows._attribute import ATTRIBUTION, Attribution, attribute
from reseed.workflows._bootstrap import BOOTSTRAP, BootstrapMeasurement, measure_bootstrap
from reseed.workflows._compare import COMPARISON, PAGE, compare, comparison_folder, write_comparison
from reseed.workflows._export import export
from reseed.workflows._measure import REPORT, Measurement, inspect, measure, recipe_for
from reseed.workflows._mitigate import mitigate
from reseed.workflows._nested import NESTED, NestedMeasurement, measure_nested
from reseed.workflows._profile import profile_summary
from reseed.workflows._tune import TUNED, TUNING, tune

if TYPE_CHECKING:
    from rich.console import Console

_TRACEBACK = "RESEED_TRACEBACK"  # in the environment: let errors that nobody foresaw through, with their traceback
_TOP_OF_ONE_RUN = 100  # samples whose precision --one-run prints
_OVERVIEW = """\
Which of your model's answers would change if you trained it again, and how do you make them stop?

usage: reseed COMMAND [OPTIONS]

  measure    train one recipe with many seeds and say which predictions change, and why
  import     make a study of predictions that you already hold
  inspect    print what a study says, and in which groups of samples
  report     write a study's summary, table of samples and HTML report anew
  export     write a study for other tools: Parquet, CSV, JSON lines, zarr, Hugging Face
  mitigate   train a recipe with several methods and say which keep predictions in place, and at what cost
  tune       search for a recipe that keeps predictions in place, and confirm it
  compare    set existing studies beside a control
  calibrate  learn from studies how to estimate instability from one run

examples:
  reseed measure digits
  reseed measure data.csv --text utterance --label intent
  reseed inspect reseed-studies/digits-mlp-1a2b3c4d

reseed COMMAND --help tells more; reseed --version prints the version.
Exit codes: 0 done; 1 something failed; 2 usage or bad input; 130 interrupted, 143 terminated.
RESEED_TRACEBACK=1 in the environment shows where a failure that nobody foresaw comes from.
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit.

    Args:
        arguments: The words after ``reseed``; default: those of this process.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):  # a character that the terminal lacks must not end the program
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    sys.exit(_run(words))


def _run(words: list[str]) -> int:
    try:
        with termination_raised():
            _check_words(words)
            status = _command(words)
        if sys.stdout is not None:
            sys.stdout.flush()  # here, where what goes wrong is still told well
        return status
    except InputError as error:
        return _complain(f"error: {error}", 2)
    except ReseedError as error:
        return _complain(f"failed: {error}", 1)
    except TerminatedError:
        return _complain("terminated: finished runs are kept; the same command continues.", 128 + signal.SIGTERM)
    except KeyboardInterrupt:
        return _complain("interrupted: finished runs are kept; the same command continues.", 130)
    except BrokenPipeError:  # the reader of our output went away, as `head` does
        _drop_output()
        return 1
    except OSError as error:  # a disk that is full, a file that may not be read
        _drop_output()
        return _complain(f"failed: {error}", 1)
    except Exception as error:
        if is_out_of_memory(error):
            return _complain(
                "failed: this takes more memory than there is. Finished runs are kept; do it with less data, or a "
                "smaller --group or --batch-size, or on a larger machine.",
                1,
            )
        if os.environ.get(_TRACEBACK):
            raise
        return _complain(
            f"failed: {type(error).__name__}: {' '.join(str(error).split())[:300]}\n"
            "Nobody foresaw this, so it is a fault of reseed. Report it to its maintainers, with what the same command "
            f"prints with {_TRACEBACK}=1 in the environment.",
            1,
        )


def _check_words(words: list[str]) -> None:
    """Accept words that may be the names of files; a shell passes no others on.

    Raises:
        InputError: One holds a NUL.
    """
    for word in words:
        if "\0" in word:
            raise InputError(f"the argument {word!r} holds a NUL character, which no name of a file or column can.")


def _complain(message: str, status: int) -> int:
    print("\n".join(plain(line) for line in message.split("\n")), file=sys.stderr)
    return status


def _drop_output() -> None:
    """Send what is left in standard output's buffer nowhere, so that the interpreter's own flush succeeds."""
    if isinstance(sys.stdout, TextIOWrapper):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _command(words: list[str]) -> int:
    if not words or words[0] in ("-h", "--help"):
        print(_OVERVIEW, end="")
        return 0 if words else 2
    if words[0] == "--version":
        print(f"reseed {version('reseed')}")
        return 0
    if words[0] not in _COMMANDS:
        raise InputError(f"unknown command {words[0]!r}; choose among {', '.join(_COMMANDS)}.")
    kind, command = _COMMANDS[words[0]]
    options = tyro.cli(
        kind,
        prog=f"reseed {words[0]}",
        description=getdoc(kind),  # as it is written, with its examples
        args=words[1:],
        config=(tyro.conf.FlagCreatePairsOff,),
    )
    limit = options.reading.limit
    with nullcontext() if limit is None else max_bytes(limit):
        command(options)
    return 0


def _measure(options: Measure) -> None:
    recipe = _recipe(options, options.mitigation or ())
    if options.print_config:
        print(recipe.to_toml(), end="")
        return
    arguments: dict[str, Any] = {
        "recipe": recipe,
        "out": options.out,
        "seed": options.seed,
        **_execution(options.execution),
    }
    if options.runs is not None:
        arguments["bootstraps" if options.bootstrap else "runs"] = options.runs
    streams = options.streams()
    if streams is not None:
        arguments["vary"] = streams
    _check_one_question(options)
    record = options.recorded()
    if options.nested is not None:
        found = measure_nested(**arguments, training_sets=options.nested, epsilon=options.epsilon)
        _show_nested(found, as_json=options.json)
    elif options.bootstrap:
        _show_bootstrap(measure_bootstrap(**arguments), as_json=options.json)
    elif options.attribute:
        _show_sources(attribute(**arguments, record=record), as_json=options.json)
    else:
        _show(measure(**arguments, record=record, until=options.until), as_json=options.json)


def _check_one_question(options: Measure) -> None:
    asked = {
        "--until": options.until is not None,
        "--attribute": options.attribute,
        "--bootstrap": options.bootstrap,
        "--nested": options.nested is not None,
    }
    names = [name for name, is_asked in asked.items() if is_asked]
    if len(names) > 1:
        raise InputError(f"{' and '.join(names)} ask for different things; pass one of them.")
    ignored = {
        "--monitor": options.monitor,
        "--record-train": options.record_train,
        "--dropout-passes": options.dropout_passes > 0,
    }
    if (options.bootstrap or options.nested is not None) and any(ignored.values()):
        named = next(name for name, is_given in ignored.items() if is_given)
        raise InputError(f"{named}: --bootstrap and --nested record final probabilities only; leave it out.")
    if options.epsilon is not None and options.nested is None:
        raise InputError("--epsilon is for the divergences of --nested; pass it with that.")


def _show_bootstrap(found: BootstrapMeasurement, *, as_json: bool) -> None:
    if as_json:
        _print_json(found.summary)
        return
    header = found.study.header
    title = f"{header.dataset}, {header.model}"
    print_bootstrap(found.instability, found.seeds, _console(), title=title, notes=found.notes)
    print(f"numbers: {found.path / BOOTSTRAP}")


def _show_nested(found: NestedMeasurement, *, as_json: bool) -> None:
    if as_json:
        _print_json(found.summary)
        return
    header = found.studies[0].header
    print_nested(found.estimates, _console(), title=f"{header.dataset}, {header.model}", notes=found.notes)
    print(f"numbers: {found.path / NESTED}")


def _recipe(options: RecipeOptions, mitigations: str | Sequence[AbstractMitigation]) -> Recipe:
    model = options.model or ("text-encoder" if options.network.encoder is not None else None)
    changes = changed_fields(options.data, options.network, options.training)
    return recipe_for(
        options.dataset,
        model,
        file=options.recipe,
        changes=changes,
        mitigations=mitigations,
        trust_code=options.trust_code,
    )


def _execution(options: ExecutionOptions) -> dict[str, Any]:
    """Return where and how runs execute, as the functions call it."""
    given = dict(vars(options))
    given["probe"] = not given.pop("no_probe")
    return given


def _show_sources(found: Attribution, *, as_json: bool) -> None:
    if as_json:
        _print_json(found.summary)
        return
    header = next(iter(found.studies.values())).header
    print_sources(found.effects, _console(), title=f"{header.dataset}, {header.model}", notes=found.notes)
    print(f"numbers: {found.path / ATTRIBUTION}")


def _compare(options: Compare) -> None:
    names = None if options.names is None else words(options.names)
    found = compare(options.studies, null=options.null, names=names, interval=options.interval)
    folder = options.out or comparison_folder(found)
    write_comparison(found, folder)
    _show_comparison(found, folder, as_json=options.json)


def _mitigate(options: Mitigate) -> None:
    if options.list:
        _list_methods()
        return
    found = mitigate(
        recipe=_recipe(options, ()),
        methods=methods(options.methods),
        interval=options.interval,
        runs=options.runs,
        out=options.out,
        vary=words(options.vary),
        seed=options.seed,
        record=RecordConfig(options.every, level=options.level),
        **_execution(options.execution),
    )
    _show_comparison(found, found.control.study.path.parent, as_json=options.json)


def _tune(options: Tune) -> None:
    found = tune(
        recipe=_recipe(options, ()),
        budget=options.budget,
        max_cost=options.max_cost,
        out=options.out,
        seed=options.seed,
        **_execution(options.execution),
    )
    if options.json:
        _print_json(found.summary)
        return
    print_tuning(found, _console())
    written = {"numbers": TUNING}
    if found.comparison is not None:
        written["report"] = PAGE
    if found.holds:
        written["recipe"] = TUNED
    for what, name in written.items():
        print(f"{what + ':':<8} {found.path / name}")


def _list_methods() -> None:
    for name, method in MITIGATIONS.items():
        summary, cost = card(method)
        print(f"{name}\n    {summary}\n    Cost: {cost}")


def _show_comparison(found: Comparison, folder: Path, *, as_json: bool) -> None:
    if as_json:
        _print_json(found.summary)
        return
    print_comparison(found, _console())
    print(f"numbers: {folder / COMPARISON}")
    print(f"report:  {folder / PAGE}")


def _import(options: Import) -> None:
    columns = ColumnNames(
        options.run,
        options.id,
        options.label,
        options.target,
        options.text,
        options.probability_prefix,
        options.run_columns,
    )
    study = import_predictions(
        options.files,
        options.out,
        columns=columns,
        targets=options.targets,
        class_names=options.classes,
        unknown_target=None if options.unknown_target == "none" else options.unknown_target,
        level=options.level,
    )
    found = inspect(study)
    found.write()
    _show(found, as_json=options.json)


def _inspect(options: Inspect) -> None:
    if options.top < 0:
        raise InputError(f"--top must be 0 or more, got {options.top}.")
    if options.by is None and (options.metadata is not None or options.id is not None):
        raise InputError("--metadata and --id say what to group by; name the column with --by.")
    if options.one_run and (options.by is not None or options.sample is not None or options.profile):
        raise InputError("--one-run asks for something else than --by, --sample and --profile; pass one of them.")
    if options.weights is not None and not options.one_run:
        raise InputError("--weights are those of --one-run; pass it as well.")
    if options.one_run:
        _one_run(options)
        return
    if options.by is not None:
        if options.sample is not None:
            raise InputError("--by and --sample ask for different things; pass one of them.")
        _where(options, options.by)
        return
    if options.profile:
        _profile(options)
        return
    found = inspect(options.study)
    if options.sample is not None:
        _print_json(_row(found, options.sample))
    else:
        _show(found, as_json=options.json, top=options.top, is_written=False)


def _where(options: Inspect, by: str) -> None:
    found = where_unstable(Study.open(options.study), by, metadata=options.metadata, id_column=options.id)
    if options.json:
        _print_json(found.summary)
        return
    print_where(found, _console(), top=min(options.top, found.table.num_rows))


def _one_run(options: Inspect) -> None:
    model = None if options.weights is None else SingleRunModel.read(options.weights)
    study = Study.open(options.study)
    rows = single_run_table(study, model, top=_TOP_OF_ONE_RUN)
    if options.json:
        _print_json({"top": min(_TOP_OF_ONE_RUN, len(study.samples)), "signals": [asdict(row) for row in rows]})
        return
    print_one_run_table(rows, _console(), top=min(_TOP_OF_ONE_RUN, len(study.samples)))


def _profile(options: Inspect) -> None:
    found = profile_summary(options.study)
    if options.json:
        _print_json(found)
        return
    print_numbers(found, _console(), title="Further measures")


def _report(options: Report) -> None:
    found = inspect(options.study)
    print(found.write(options.out))
    _note(found, sys.stderr)


def _export(options: Export) -> None:
    print(export(options.study, options.out, keep_formulas=options.keep_formulas))


def _calibrate(options: Calibrate) -> None:
    model = calibrate([Study.open(study) for study in options.studies], burn_in=options.burn_in)
    model.write(options.out)
    print(options.out)


def _row(found: Measurement, sample: str) -> dict[str, Any]:
    ids = found.study.samples.ids
    if sample not in ids:
        raise StudyError(f"the study has no sample {sample!r}; its ids look like {', '.join(ids[:3])}.")
    row: dict[str, Any] = found.samples.slice(ids.index(sample), 1).to_pylist()[0]
    names = found.study.header.class_names
    if "answers" in row:
        row["answers"] = [{"name": names[answer["label"]], **answer} for answer in row["answers"]]
    return row


def _show(found: Measurement, *, as_json: bool, top: int = 10, is_written: bool = True) -> None:
    if as_json:
        _print_json(found.summary)
    else:
        print_stability(found.study, found.stability, _console(), top=min(top, len(found.study.samples)))
    if is_written and not as_json:
        print(f"study:  {found.study.url or found.study.path}")
        print(f"report: {found.study.path / REPORT}")
    if is_written:
        _note(found, sys.stderr if as_json else sys.stdout)


def _note(found: Measurement, stream: TextIO) -> None:
    """Say what is missing from what was written."""
    for note in found.notes:
        print(f"note: {plain(note)}", file=stream)


def _console() -> Console:
    """Return where tables go; imported here, since nobody else needs it."""
    from rich.console import Console

    return Console()


def _print_json(value: dict[str, Any]) -> None:
    """Print JSON; numbers that are not finite become null, and what a terminal might obey is escaped."""
    strict = json.loads(json.dumps(value), parse_constant=lambda _: None)
    is_unicode = (getattr(sys.stdout, "encoding", None) or "").lower().startswith("utf")
    text = json.dumps(strict, indent=2, ensure_ascii=not is_unicode)
    print("".join(item if item.isprintable() or item == "\n" else json.dumps(item)[1:-1] for item in text))


_COMMANDS: dict[str, tuple[Any, Callable[[Any], None]]] = {
    "measure": (Measure, _measure),
    "import": (Import, _import),
    "inspect": (Inspect, _inspect),
    "report": (Report, _report),
    "export": (Export, _export),
    "mitigate": (Mitigate, _mitigate),
    "tune": (Tune, _tune),
    "compare": (Compare, _compare),
    "calibrate": (Calibrate, _calibrate),
}
