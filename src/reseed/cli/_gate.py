"""`reseed gate`."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

import reseed
from reseed._plain import plain
from reseed.cli._options import ColumnOptions, Command, EvaluationOptions, File, Maybe, Number, ReadingOptions
from reseed.cli._output import console, print_json

if TYPE_CHECKING:
    from collections.abc import Callable

_RUNS = arg(metavar="RUN ...", help_behavior_hint="")
_FAILED = 3


@dataclass(frozen=True)
class Gate(Command):
    """Judge whether a model may take another's place: is it the change, or the seed?

    OLD and NEW are studies, files of predictions (.csv, .tsv, .jsonl, .parquet, .npy), evaluations of language
    models (lm-evaluation-harness, Inspect), or folders of such files, one a run. Samples are aligned by their ids. The
    first line is the outcome: same as reseeding, changed, worse, unreliable baseline, or not enough data. Exit code: 0
    the change may pass, 3 it may not, 2 bad input. It may not where accuracy is lower by more than chance, a limit is
    not kept, or there is too little data to say.

    Examples:
      reseed gate old.csv new.csv --max-churn 0.02 --max-negative-flips 0.01
      reseed gate old-study new.parquet --max-churn 0.01 --beyond-reseeding
      reseed gate my-study my-study --old-runs 0 1 2 3 --new-runs 4
      reseed gate old.csv new.csv --junit gate.xml --markdown gate.md --changed changed.csv --html gate.html
    """

    old: Annotated[Positional[str], arg(metavar="OLD")]
    """The model in use."""
    new: Annotated[Positional[str], arg(metavar="NEW")]
    """Its replacement."""
    max_churn: Number = None
    """Share of answers that may differ, such as 0.02."""
    max_negative_flips: Number = None
    """Share of samples that may have been right and be wrong, such as 0.01."""
    beyond_reseeding: bool = False
    """Both limits are on what is beyond that which reseeding alone changes; one side needs three runs."""
    json: bool = False
    """Print JSON instead of tables."""
    top: int = 10
    """How many of the samples that changed to print."""
    old_runs: Annotated[tuple[int, ...], _RUNS] = ()
    """Of a study, the runs of OLD. Default: all."""
    new_runs: Annotated[tuple[int, ...], _RUNS] = ()
    """Of a study, the runs of NEW. Default: all."""
    targets: File = None
    """.npy file of gold labels, for both sides where they are files."""
    classes: Annotated[Maybe[tuple[str, ...]], arg(metavar="NAME ...", help_behavior_hint="")] = None
    """Names of the classes, in the order of the columns or positions."""
    unknown_target: Annotated[str, arg(metavar="auto|none|LABEL")] = "auto"
    """The gold label that says "not known", see reseed import."""
    allow_identical: bool = False
    """Accept that OLD and NEW are equal to the last bit, as after a change that should change nothing."""
    changed: File = None
    """Write who changed to this CSV file: sample id, text, gold label, old and new answer."""
    junit: File = None
    """Write JUnit XML to this file."""
    markdown: File = None
    """Write Markdown to this file, for the summary of a CI job."""
    html: File = None
    """Write a page to this file: the outcome, numbers, charts, and who changed."""
    columns: Annotated[OmitArgPrefixes[ColumnOptions], arg(name="column")] = field(default_factory=ColumnOptions)
    evaluation: OmitArgPrefixes[EvaluationOptions] = field(default_factory=EvaluationOptions)
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> int:
        """Judge, print and write what was found; returns 3 where the change may not pass."""
        found = reseed.gate(
            self.old,
            self.new,
            max_churn=self.max_churn,
            max_negative_flips=self.max_negative_flips,
            beyond_reseeding=self.beyond_reseeding,
            old_runs=self.old_runs or None,
            new_runs=self.new_runs or None,
            columns=self.columns.names(),
            log=self.evaluation.taken(),
            targets=self.targets,
            class_names=self.classes,
            unknown_target=None if self.unknown_target == "none" else self.unknown_target,
            allow_identical=self.allow_identical,
        )
        self._write(found)
        if self.json:
            print_json(found.summary)
        else:
            reseed.report.print_gate(found, console(), top=self.top)
            for note in found.notes:
                print(f"note: {plain(note)}")
        return 0 if found.passed else _FAILED

    def _write(self, found: reseed.Gate) -> None:
        """Write the files that are asked for, all of them or none."""
        files: dict[Path, Callable[[Path], None]] = {}
        writer = reseed.studies.text_writer
        if self.changed is not None:
            files[self.changed] = reseed.workflows.changed_csv(found)
        if self.junit is not None:
            files[self.junit] = writer(reseed.report.gate_junit(found))
        if self.markdown is not None:
            files[self.markdown] = writer(reseed.report.gate_markdown(found))
        if self.html is not None:
            page = reseed.report.make_design_page(reseed.report.gate_page(found, self._command()))
            files[self.html] = writer(page.html)
        reseed.studies.replace_files(files)

    def _command(self) -> str:
        """Return the words that judge the same again, those of files to write left out."""
        words = ["reseed", "gate", self.old, self.new]
        for name in ("max_churn", "max_negative_flips"):
            if (limit := getattr(self, name)) is not None:
                words += [f"--{name.replace('_', '-')}", f"{limit:g}"]
        words += ["--beyond-reseeding"] * self.beyond_reseeding
        for name in ("old_runs", "new_runs"):
            if runs := getattr(self, name):
                words += [f"--{name.replace('_', '-')}", *map(str, runs)]
        return shlex.join(words)
