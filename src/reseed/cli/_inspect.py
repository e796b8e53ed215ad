"""`reseed inspect`."""

from __future__ import annotations

import shlex
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import OmitArgPrefixes, arg

import reseed
from reseed._errors import InputError, StudyError
from reseed._plain import plain
from reseed.cli._options import Command, File, Maybe, Name, ReadingOptions, StudyPlace, check_one_question
from reseed.cli._output import console, print_json, show

if TYPE_CHECKING:
    from reseed import Measurement
    from reseed.workflows import OpenedDesign


_STUDIES = 20  # of a folder of several that are named
_TOP_OF_ONE_RUN = 100  # samples whose precision --one-run prints


@dataclass(frozen=True)
class Inspect(Command):
    """Print what a study says; nothing is trained or written.

    Of a folder of several studies, as measure --attribute, --nested and --bootstrap, randomize, tune and mitigate make
    them: which it is, its numbers, and the commands that look into each study.

    Examples:
      reseed inspect my-study
      reseed inspect my-study --top 50
      reseed inspect my-study --sample 1203
      reseed inspect my-study --profile
      reseed inspect my-study --one-run
      reseed inspect my-study --foretell
      reseed inspect my-study --medoid
      reseed inspect my-study --scores weight_noise
      reseed inspect my-study --by cluster
      reseed inspect my-study --by language --metadata samples.csv
      reseed inspect my-study --by is_corrupted
      reseed inspect s3://my-bucket/mnist
      reseed inspect tuning
    """

    study: StudyPlace
    """The study's folder or URL, or a folder of several studies."""
    top: int = 10
    """How many of the most unstable samples to print."""
    json: bool = False
    """Print JSON instead of tables."""
    sample: Name = None
    """Print everything known of the sample with this id, as JSON."""
    by: Name = None
    """Print in which groups of samples predictions change: class, length, confidence, cluster, or a column of
    --metadata; is_corrupted: of the training samples, by whether they were corrupted on purpose."""
    metadata: Annotated[Maybe[str], arg(metavar="FILE", help_behavior_hint="")] = None
    """A table with a row a sample (.csv, .tsv, .jsonl, .parquet), for --by."""
    id: Name = None
    """The column of --metadata that holds sample ids. Default: id, sample_id or sample."""
    profile: bool = False
    """Print further measures of the study: predictive multiplicity, and training dynamics where several checkpoints
    were recorded. Those of each sample are what reseed export writes."""
    one_run: bool = False
    """Print how well each run by itself foretells what the others do: every signal and their combination, leaving one
    run out at a time. Needs three runs or more with scores at several checkpoints."""
    foretell: bool = False
    """Print which columns of single runs rank the samples that the other runs answer differently: signals of the
    training, training dynamics, and what other lenses keep with the study. Needs three runs or more, with scores."""
    medoid: bool = False
    """Print which run to ship: the one whose answers agree most with those of all others, beside the most accurate one,
    judged on samples that did not choose it."""
    scores: Annotated[Maybe[str], arg(metavar="LENS", help_behavior_hint="")] = None
    """Print the scores that this lens keeps with the study: its numbers with their intervals, what runs have each, and
    its notes; with --json its columns, options and cost as well."""
    weights: File = None
    """Weights of the combination, as reseed calibrate writes them, for --one-run. Default: those that come with
    reseed."""
    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions)

    def execute(self) -> None:
        """Print what is asked for."""
        if self.top < 0:
            raise InputError(f"--top must be 0 or more, got {self.top}.")
        if self.by is None and (self.metadata is not None or self.id is not None):
            raise InputError("--metadata and --id say what to group by; name the column with --by.")
        questions = {
            "--by": self.by is not None,
            "--sample": self.sample is not None,
            "--profile": self.profile,
            "--one-run": self.one_run,
            "--foretell": self.foretell,
            "--medoid": self.medoid,
            "--scores": self.scores is not None,
        }
        check_one_question(questions)
        if self.weights is not None and not self.one_run:
            raise InputError("--weights are those of --one-run; pass it as well.")
        if asked := [name for name, is_asked in questions.items() if is_asked]:
            _check_study(self.study, asked[0])
        if self.scores is not None:
            _scores(self, self.scores)
        elif self.one_run:
            _one_run(self)
        elif self.foretell:
            _foretell(self)
        elif self.medoid:
            _medoid(self)
        elif self.by is not None:
            _where(self, self.by)
        elif self.profile:
            _profile(self)
        elif self.sample is not None:
            print_json(_row(reseed.inspect(self.study), self.sample))
        else:
            _whole(self)


def _whole(options: Inspect) -> None:
    """Print what a study says, or what a folder of several studies holds."""
    opened = reseed.workflows.open_study_or_design(options.study)
    if isinstance(opened, reseed.workflows.OpenedDesign):
        _design(opened, as_json=options.json)
        return
    show(reseed.inspect(opened), as_json=options.json, top=options.top, is_written=False)
    if options.json:
        return
    if (suspects := reseed.workflows.suspects_beside(opened)) is not None:
        print(f"suspicious labels, as reseed memorize ranks them: {suspects}")
    if (beside := reseed.workflows.design_of_study(opened)) is not None:
        print(f"{beside.design.name} lies beside it: {opened.path / beside.design.file}")


def _check_study(place: str, asked: str) -> None:
    """Accept what is no folder of several studies.

    Raises:
        InputError: It is one; the message names a study below it.
    """
    for design in reseed.workflows.DESIGNS:
        root = Path(place)
        below = reseed.workflows.studies_below(root) if (root / design.file).is_file() else ()
        if below and not (root / "study.json").exists():
            raise InputError(
                f"{asked} asks one study, and {place!r} holds {design.name} of {len(below)}; name one of them, such as "
                f"{str(below[0])!r}."
            )


def _design(found: OpenedDesign, *, as_json: bool) -> None:
    """Print which design a folder holds, its numbers, and how to look into the studies below it."""
    if as_json:
        print_json(found.result.summary)
        return
    below = found.studies
    print(plain(f"{found.path} holds {found.design.name} ({found.design.command}): {len(below)} studies"))
    print(found.result.report(console().width), end="")
    print(f"numbers: {found.path / found.design.file}")
    page = found.path / found.design.page
    print(f"report:  {page}" if page.is_file() else f"report:  {_command('report', found.path)} writes it")
    print("its studies:")
    for path in below[:_STUDIES]:
        print(f"  {_command('inspect', path)}")
    if len(below) > _STUDIES:
        print(f"  and {len(below) - _STUDIES} more")


def _command(name: str, path: Path) -> str:
    return plain(f"reseed {name} {shlex.quote(str(path))}")


def _where(options: Inspect, by: str) -> None:
    found = reseed.where_unstable(reseed.Study.open(options.study), by, metadata=options.metadata, id_column=options.id)
    if options.json:
        print_json(found.summary)
        return
    reseed.report.print_where(found, console(), top=min(options.top, found.table.num_rows))


def _one_run(options: Inspect) -> None:
    model = None if options.weights is None else reseed.instability.SingleRunModel.read(options.weights)
    study = reseed.Study.open(options.study)
    rows = reseed.instability.single_run_table(study, model, top=_TOP_OF_ONE_RUN)
    if options.json:
        print_json({"top": min(_TOP_OF_ONE_RUN, len(study.samples)), "signals": [asdict(row) for row in rows]})
        return
    reseed.report.print_one_run_table(rows, console(), top=min(_TOP_OF_ONE_RUN, len(study.samples)))


def _foretell(options: Inspect) -> None:
    found = reseed.foretell(options.study)
    if options.json:
        print_json(found.tree)
        return
    reseed.report.print_foretelling(found, console())


def _medoid(options: Inspect) -> None:
    found = reseed.medoid(options.study)
    if options.json:
        print_json(asdict(found))
        return
    reseed.report.print_medoid(found, console())


def _scores(options: Inspect, lens: str) -> None:
    kept = reseed.scores.scores_of(reseed.Study.open(options.study), lens)
    if options.json:
        print_json({"lens": lens} | {scores.split: reseed.report.scores_tree(scores) for scores in kept})
        return
    for scores in kept:
        reseed.report.print_scores(scores, console())


def _profile(options: Inspect) -> None:
    found = reseed.workflows.profile_summary(options.study)
    if options.json:
        print_json(found)
        return
    reseed.report.print_numbers(found, console(), title="Further measures")


def _row(found: Measurement, sample: str) -> dict[str, Any]:
    ids = found.study.samples.ids
    if sample not in ids:
        raise StudyError(f"the study has no sample {sample!r}; its ids look like {', '.join(ids[:3])}.")
    row: dict[str, Any] = found.samples.slice(ids.index(sample), 1).to_pylist()[0]
    names = found.study.header.class_names
    if "answers" in row:
        row["answers"] = [{"name": names[answer["label"]], **answer} for answer in row["answers"]]
    return row
