"""`reseed import`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, arg

import reseed
from reseed._choices import Level
from reseed.cli._options import ColumnOptions, Command, EvaluationOptions, File, Maybe, Open, ReadingOptions
from reseed.cli._output import open_page, show


@dataclass(frozen=True)
class Import(Command):
    """Make a study of predictions that you already hold.

    One .npy file of shape [run, sample] or [run, sample, class]; or one table, long (columns run, sample_id, and
    label or p_CLASS columns or both) or wide (one column of labels for each run); or several files, one a run. Or
    evaluations of language models, whose repeats or epochs are runs: samples_*.jsonl of lm-evaluation-harness, logs of
    Inspect (.json; .eval with the extra inspect). Columns are found without regard to case; what each was taken for is
    printed. The same command continues an import that was interrupted.

    Examples:
      reseed import predictions.npy --targets gold.npy --out my-study
      reseed import long.parquet --out my-study
      reseed import seed0.csv seed1.csv seed2.csv --id id --label prediction --out my-study
      reseed import samples_arc_*.jsonl --out my-study
      reseed import wide.csv --id id --target gold --run-columns seed0 seed1 seed2 --out my-study
    """

    files: Positional[tuple[Path, ...]]
    """.npy, .csv, .tsv, .jsonl, .parquet, .json or .eval files."""
    out: Annotated[str, arg(metavar="PATH|URL")]
    """The new study's folder, or a URL."""
    json: bool = False
    """Print summary.json instead of tables."""
    open: Open = False
    targets: File = None
    """.npy file of gold labels, for .npy predictions."""
    classes: Annotated[Maybe[tuple[str, ...]], arg(metavar="NAME ...", help_behavior_hint="")] = None
    """Names of the classes, in the order of the columns."""
    unknown_target: Annotated[str, arg(metavar="auto|none|LABEL")] = "auto"
    """The gold label that says "not known": auto takes -1 and -100 for that, beside gold labels of zero and above, if
    no run answers so; none takes every gold label for a class."""
    level: Level = "scores"
    """What is kept of probabilities."""
    columns: Annotated[OmitArgPrefixes[ColumnOptions], arg(name="column")] = field(default_factory=ColumnOptions)
    evaluation: OmitArgPrefixes[EvaluationOptions] = field(default_factory=EvaluationOptions)
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Make the study, and print what it says."""
        study = reseed.import_predictions(
            self.files,
            self.out,
            columns=self.columns.names(),
            log=self.evaluation.taken(),
            targets=self.targets,
            class_names=self.classes,
            unknown_target=None if self.unknown_target == "none" else self.unknown_target,
            level=self.level,
        )
        found = reseed.inspect(study)
        page = found.write()
        show(found, as_json=self.json)
        if self.open:
            open_page(page)
