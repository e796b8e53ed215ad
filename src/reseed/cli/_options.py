"""The options of each command, as dataclasses whose docstrings are the help texts."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import OmitArgPrefixes, Positional, arg

from reseed._errors import InputError
from reseed.engines import EngineName
from reseed.training import Level, RecordConfig

# Options that may be left out: what they are then is said in words, or decided by the recipe.
_Name = Annotated[str | None, arg(metavar="NAME", help_behavior_hint="")]
_Column = Annotated[str | None, arg(metavar="COLUMN", help_behavior_hint="")]
_Path = Annotated[Path | None, arg(metavar="PATH", help_behavior_hint="")]
# Text, since a Path would make s3:/bucket of s3://bucket.
_Place = Annotated[str | None, arg(metavar="PATH|URL", help_behavior_hint="")]
_Study = Annotated[Positional[str], arg(metavar="PATH|URL")]
_Count = Annotated[int | None, arg(metavar="INT", help_behavior_hint="")]
_Number = Annotated[float | None, arg(metavar="FLOAT", help_behavior_hint="")]


@dataclass(frozen=True)
class ReadingOptions:
    """What every command that reads takes."""

    max_bytes: Annotated[str | None, arg(metavar="SIZE", help_behavior_hint="")] = None
    """The most that reading one file, or one chunk of a recorded array, may take in memory: bytes, or with a unit as in
    8GiB. Raise it for a large file that you trust. Default: 2GiB."""

    @property
    def limit(self) -> int | None:
        """The number of bytes, or None where it is not given.

        Raises:
            InputError: It is no size.
        """
        if self.max_bytes is None:
            return None
        found = re.fullmatch(r"([0-9]{1,18})\s*(?:([KMGT])i?)?B?", self.max_bytes.strip(), re.IGNORECASE)
        if found is None or int(found[1]) < 1:
            raise InputError(f"--max-bytes must be a size such as 500000000, 512MiB or 8GiB, got {self.max_bytes!r}.")
        return int(found[1]) << (10 * " KMGT".index((found[2] or " ").upper()))


@dataclass(frozen=True)
class Reads:
    """A command that reads files."""

    reading: OmitArgPrefixes[ReadingOptions] = field(default_factory=ReadingOptions, kw_only=True)


@dataclass(frozen=True)
class DataOptions:
    """Options for files of one's own, and for how data is split."""

    text: _Column = None
    """Column that holds the text. Default: the only one of text, utterance, sentence."""
    features: Annotated[tuple[str, ...] | None, arg(metavar="COLUMN ...", help_behavior_hint="")] = None
    """Numeric columns to learn from. Default: all that are not label, id or split."""
    label: _Column = None
    """Column that holds the class. Default: the only one of label, target, intent."""
    id: _Column = None
    """Column that identifies a sample. Default: the row number."""
    split: _Column = None
    """Column that says train or test."""
    eval_file: Annotated[str | None, arg(metavar="PATH", help_behavior_hint="")] = None
    """A second file, with the evaluation samples."""
    eval_fraction: _Number = None
    """Share held out for evaluation where the data has no split of its own. Default: 0.2."""
    split_seed: _Count = None
    """Seed of that split, the same for all runs. Default: 0."""
    eval_split: _Name = None
    """Evaluate on another split of a named data set: validation, or oos_test of clinc150."""
    limit: _Count = None
    """Train on this many samples only."""


@dataclass(frozen=True)
class ModelOptions:
    """Options of models; those that a model does not have are ignored by it."""

    hidden: Annotated[tuple[int, ...] | None, arg(metavar="INT ...", help_behavior_hint="")] = None
    """Widths of hidden layers."""
    dropout: _Number = None
    """Dropout probability."""
    init_scale: _Number = None
    """Factor on the initial weights."""
    norm: Annotated[
        Literal["batch", "group", "layer", "none"] | None,
        arg(metavar="{batch,group,layer,none}", help_behavior_hint=""),
    ] = None
    """Normalisation layers of cnn and resnet."""
    width: _Count = None
    """Channels of the first stage of cnn and resnet."""
    depth: _Count = None
    """Layers of resnet: 8, 14, 20, ..."""
    vocabulary: _Count = None
    """Terms kept by text-tfidf."""
    encoder: _Name = None
    """Hub name or folder of a transformers encoder; implies --model text-encoder."""
    fine_tune: bool = False
    """Train the encoder end to end, instead of a head on its frozen features."""
    max_length: _Count = None
    """Tokens of a text that the encoder reads."""


@dataclass(frozen=True)
class TrainingOptions:
    """Options of the training; what is not given comes from --recipe, else from the model's defaults."""

    epochs: _Count = None
    """Passes over the training set."""
    steps: _Count = None
    """Optimisation steps, in place of epochs."""
    batch_size: _Count = None
    """Samples in a batch."""
    optimizer: Annotated[
        Literal["sgd", "sgdw", "adam", "adamw"] | None, arg(metavar="{sgd,sgdw,adam,adamw}", help_behavior_hint="")
    ] = None
    """Optimiser."""
    lr: _Number = None
    """Peak learning rate."""
    momentum: _Number = None
    """Momentum of sgd."""
    weight_decay: _Number = None
    """Weight decay."""
    clip_norm: _Number = None
    """Clip the gradient's norm."""
    schedule: Annotated[
        Literal["constant", "cosine", "linear"] | None,
        arg(metavar="{constant,cosine,linear}", help_behavior_hint=""),
    ] = None
    """Learning-rate schedule."""
    warmup: _Number = None
    """Share of the steps over which the rate first rises."""
    augment: Annotated[
        Literal["none", "crop", "crop-flip"] | None, arg(metavar="{none,crop,crop-flip}", help_behavior_hint="")
    ] = None
    """Augmentation of images."""
    average: Annotated[Literal["none", "swa", "ema"] | None, arg(metavar="{none,swa,ema}", help_behavior_hint="")] = (
        None
    )
    """Evaluate the last weights, their mean along the training (swa), or an exponential mean (ema)."""
    average_start: _Number = None
    """Share of the steps after which averaging begins, with the weights that are there then. Default: 0.6."""
    average_decay: _Number = None
    """Share of the old average that each step keeps, for ema. Default: 0.99."""
    precision: Annotated[
        Literal["float32", "bfloat16"] | None, arg(metavar="{float32,bfloat16}", help_behavior_hint="")
    ] = None
    """Arithmetic of layers in training: single precision, or bfloat16 with single-precision weights."""


_FIELDS_OF_OTHER_NAMES = {
    "optimizer": "optimizer.name",
    "schedule": "schedule.name",
    "warmup": "schedule.warmup",
    "average": "average.name",
    "average_start": "average.start",
    "average_decay": "average.decay",
}
_AT_THE_TOP = ("epochs", "steps", "batch_size", "augment", "precision")


@dataclass(frozen=True)
class ExecutionOptions:
    """Where and how runs execute."""

    engine: EngineName = "auto"
    """Where runs execute: one after another (serial), in worker processes, several as one program (stacked), or on a
    Ray cluster. auto trains several as one program where the model allows it, in processes where that is faster."""
    jobs: _Count = None
    """Worker processes, or programs at once on a cluster. Default: one for each core."""
    address: Annotated[str | None, arg(metavar="auto|HOST[:PORT]", help_behavior_hint="")] = None
    """A Ray cluster that is there, for --engine cluster. Default: a Ray on this machine alone."""
    group: _Count = None
    """Runs in one program, for all engines but serial. Default: what memory allows, at most 64."""
    device: str = "cpu"
    """cpu, cuda, mps or auto."""
    threads: _Count = None
    """Threads of arithmetic. Default: one; all cores for --engine stacked."""
    deterministic: bool = False
    """On a GPU, use deterministic kernels only; slower, and equal seeds then give equal runs."""
    no_probe: bool = False
    """Do not check before the first run that equal seeds agree and different seeds differ."""


@dataclass(frozen=True)
class RecipeOptions(Reads):
    """What commands that train take: the recipe, and where and how runs execute."""

    dataset: Annotated[Positional[str | None], arg(metavar="DATASET", help_behavior_hint="")] = None
    """digits, mnist, cifar10, clinc150, massive, massive-domain, hf:NAME, or a CSV, TSV, JSON-lines, Parquet or npz
    file. Default: what --recipe says, else digits."""
    model: _Name = None
    """mlp, cnn, resnet, text-tfidf, text-encoder or MODULE:FUNCTION. Default: what suits the data."""
    recipe: _Path = None
    """TOML file with some or all fields of the recipe."""
    trust_code: bool = False
    """Import the code that --recipe names as its model (MODULE:FUNCTION). Give it where you trust whoever wrote the
    file; code that --model names needs no leave."""
    data: OmitArgPrefixes[DataOptions] = field(default_factory=DataOptions)
    network: OmitArgPrefixes[ModelOptions] = field(default_factory=ModelOptions)
    training: OmitArgPrefixes[TrainingOptions] = field(default_factory=TrainingOptions)
    execution: OmitArgPrefixes[ExecutionOptions] = field(default_factory=ExecutionOptions)


def changed_fields(data: DataOptions, network: ModelOptions, training: TrainingOptions) -> dict[str, object]:
    """Return the recipe fields that the command line sets, by dotted name."""
    named = {f"data.{name}": value for name, value in vars(data).items()}
    named |= {f"model.{name}": value for name, value in vars(network).items()}
    named["model.fine_tune"] = network.fine_tune or None  # a flag can only turn it on
    for name, value in vars(training).items():
        default = name if name in _AT_THE_TOP else f"optimizer.{name}"
        named[_FIELDS_OF_OTHER_NAMES.get(name, default)] = value
    return {name: value for name, value in named.items() if value is not None}


def words(text: str) -> list[str]:
    """Return the words between commas."""
    return _between(",", text)


def methods(text: str) -> list[str]:
    """Return the methods between commas, but not between those of a value of several numbers."""
    return _between(r",(?!\s*[\d.])", text)


def _between(separator: str, text: str) -> list[str]:
    return [word.strip() for word in re.split(separator, text) if word.strip()]


@dataclass(frozen=True)
class Measure(RecipeOptions):
    """Train one recipe with many seeds and say which predictions change.

    Options that are not given come from --recipe, else from the model's own defaults. Finished runs are kept
    whatever happens: the same command continues, and more --runs extend the study.

    Examples:
      reseed measure digits
      reseed measure massive --model text-tfidf --runs 10
      reseed measure data.csv --text utterance --label intent --out my-study
      reseed measure digits --runs 1
      reseed measure digits --until 0.005 --runs 200
      reseed measure massive --encoder sentence-transformers/all-MiniLM-L6-v2
      reseed measure mnist --model my_models:small_net --epochs 2 --vary init
      reseed measure digits --attribute
      reseed measure digits --mitigation tgtss+swa
      reseed measure digits --bootstrap
      reseed measure digits --nested 5 --runs 4
      reseed measure mnist --engine cluster --address auto --out s3://my-bucket/mnist
    """

    runs: _Count = None
    """Trainings in all, with --attribute in each study, with --bootstrap resamples, with --nested on each training
    sample, with --until the most there may be. With 1, instability is estimated from that run. Default: 50; 10 with
    --attribute, 200 with --bootstrap, 4 with --nested."""
    until: _Number = None
    """Begin with 10 runs and add more until the 95 % interval of mean label entropy over runs is this narrow: its
    half-width in nats."""
    attribute: bool = False
    """Measure which source of randomness the changes come from: a study in which all of --vary differ, one for each
    alone, and one for each with it alone held fixed."""
    bootstrap: bool = False
    """Measure what another training sample does: models of bootstrap resamples against the model of all data. Records
    probabilities at the final step, whatever --every and --level say."""
    nested: _Count = None
    """Take seed and training sample apart: train on this many bootstrap resamples, with --runs seeds on each. Records
    as --bootstrap does."""
    epsilon: _Number = None
    """With --nested: mix this share of the uniform distribution into predictions before divergences, which else are
    infinite where a run rules a class out."""
    out: _Place = None
    """The study's folder, or a URL (s3://, gs://, az://). Default: reseed-studies/ and a name made of data, model
    and recipe."""
    mitigation: Annotated[str | None, arg(metavar="NAME[:OPTION=VALUE][+NAME...]", help_behavior_hint="")] = None
    """Methods that keep predictions in place, such as swa, tgtss:exponent=0.5 or tgtss+swa."""
    seed: int = 0
    """Base seed from which all seeds derive."""
    vary: Annotated[str | None, arg(metavar="STREAM,...", help_behavior_hint="")] = None
    """What differs between runs: init, order, dropout, augment, data (a bootstrap of the training set). Default:
    init,order,dropout,augment; with --bootstrap data alone."""

    every: str = "epoch"
    """Record predictions every epoch, at the final step only (final), or every so many steps (a number)."""
    burn_in: int = 0
    """Leave out checkpoints up to and including this step."""
    level: Level = "scores"
    """Record labels; or scores as well (confidence, margin, ...); or full probabilities."""
    record_train: bool = False
    """Record predictions on the training split as well."""
    dropout_passes: int = 0
    """At the end of each run also predict so many times with its dropout on, as a signal of one run; 20 is usual."""
    monitor: bool = False
    """Record every step's loss, gradient norm and mean entropy of the batch as well."""

    json: bool = False
    """Print summary.json instead of tables."""
    print_config: bool = False
    """Print the whole recipe as TOML, and train nothing."""

    def recorded(self) -> RecordConfig:
        """Return what is recorded, and when."""
        return RecordConfig(self.every, self.burn_in, self.level, self.record_train, self.dropout_passes, self.monitor)

    def streams(self) -> list[str] | None:
        """Return the names in --vary, or None where it is not given."""
        return None if self.vary is None else words(self.vary)


@dataclass(frozen=True)
class Import(Reads):
    """Make a study of predictions that you already hold.

    One .npy file of shape [run, sample] or [run, sample, class]; or one table, long (columns run, sample_id, and
    label or p_CLASS columns or both) or wide (one column of labels for each run); or several files, one a run.
    Columns are found without regard to case; what each was taken for is printed. The same command continues an import
    that was interrupted.

    Examples:
      reseed import predictions.npy --targets gold.npy --out my-study
      reseed import long.parquet --out my-study
      reseed import seed0.csv seed1.csv seed2.csv --id id --label prediction --out my-study
      reseed import wide.csv --id id --target gold --run-columns seed0 seed1 seed2 --out my-study
    """

    files: Positional[tuple[Path, ...]]
    """.npy, .csv, .tsv, .jsonl or .parquet files."""
    out: Annotated[str, arg(metavar="PATH|URL")]
    """The new study's folder, or a URL."""
    targets: _Path = None
    """.npy file of gold labels, for .npy predictions."""
    classes: Annotated[tuple[str, ...] | None, arg(metavar="NAME ...", help_behavior_hint="")] = None
    """Names of the classes, in the order of the columns."""
    level: Level = "scores"
    """What is kept of probabilities."""
    run: str = "run"
    """Column of a long table that says which run a row belongs to."""
    id: str = "sample_id"
    """Column that identifies the sample."""
    label: str = "label"
    """Column that holds the predicted class."""
    target: str = "target"
    """Column that holds the gold label."""
    text: str = "text"
    """Column that holds what the report shows of a sample."""
    probability_prefix: str = "p_"
    """Prefix of probability columns; the class name follows it."""
    run_columns: Annotated[tuple[str, ...], arg(metavar="COLUMN ...", help_behavior_hint="")] = ()
    """Columns of a wide table that hold one run each. Default: all that are nothing else."""
    unknown_target: Annotated[str, arg(metavar="auto|none|LABEL")] = "auto"
    """The gold label that says "not known": auto takes -1 and -100 for that, beside gold labels of zero and above, if
    no run answers so; none takes every gold label for a class."""
    json: bool = False
    """Print summary.json instead of tables."""


@dataclass(frozen=True)
class Inspect(Reads):
    """Print what a study says; nothing is trained or written.

    Examples:
      reseed inspect my-study
      reseed inspect my-study --top 50
      reseed inspect my-study --sample 1203
      reseed inspect my-study --profile
      reseed inspect my-study --one-run
      reseed inspect my-study --by cluster
      reseed inspect my-study --by language --metadata samples.csv
      reseed inspect s3://my-bucket/mnist
    """

    study: _Study
    """The study's folder or URL."""
    top: int = 10
    """How many of the most unstable samples to print."""
    sample: _Name = None
    """Print everything known of the sample with this id, as JSON."""
    by: _Name = None
    """Print in which groups of samples predictions change: class, length, confidence, cluster, or a column of
    --metadata."""
    metadata: Annotated[str | None, arg(metavar="FILE", help_behavior_hint="")] = None
    """A table with a row a sample (.csv, .tsv, .jsonl, .parquet), for --by."""
    id: _Name = None
    """The column of --metadata that holds sample ids. Default: id, sample_id or sample."""
    profile: bool = False
    """Print further measures of the study: predictive multiplicity, and training dynamics where several checkpoints
    were recorded. Those of each sample are what reseed export writes."""
    one_run: bool = False
    """Print how well each run by itself foretells what the others do: every signal and their combination, leaving one
    run out at a time. Needs three runs or more with scores at several checkpoints."""
    weights: _Path = None
    """Weights of the combination, as reseed calibrate writes them, for --one-run. Default: those that come with
    reseed."""
    json: bool = False
    """Print JSON instead of tables."""


@dataclass(frozen=True)
class Report(Reads):
    """Write summary.json, samples.parquet and report.html of a study anew.

    Examples:
      reseed report my-study
      reseed report my-study --out elsewhere
    """

    study: _Study
    """The study's folder or URL."""
    out: Annotated[str | None, arg(metavar="PATH", help_behavior_hint="")] = None
    """The folder to write to. Default: the study's own, and its URL."""


@dataclass(frozen=True)
class Export(Reads):
    """Write a study's table of samples, or everything it recorded, for other tools.

    Examples:
      reseed export reseed-studies/digits-mlp-1a2b3c4d profile.parquet
      reseed export my-study profile.csv
      reseed export my-study predictions.zarr
      reseed export my-study profile.hf
    """

    study: _Study
    """The study: a folder or a URL."""
    out: Annotated[Positional[Path], arg(metavar="OUT")]
    """What to write: a name that ends in .parquet, .csv or .jsonl (one row a sample), .zarr (all recorded predictions,
    for xarray), or .hf (the rows as a Hugging Face data set)."""
    keep_formulas: bool = False
    """In .csv, write texts that begin with =, +, - or @ as they are. Otherwise they get an apostrophe before them, lest
    a spreadsheet runs them as formulas."""


@dataclass(frozen=True)
class Calibrate(Reads):
    """Learn the weights of the one-run estimate from studies of several runs, and write them as JSON.

    Examples:
      reseed calibrate study-a study-b --out weights.json
    """

    studies: Annotated[Positional[tuple[str, ...]], arg(metavar="STUDY")]
    """Folders or URLs of studies with margins at several checkpoints."""
    out: Annotated[Path, arg(metavar="PATH")]
    """The file to write."""
    burn_in: float = 0.5
    """Share of each run's checkpoints, from the first one, that is left out."""


@dataclass(frozen=True)
class Compare(Reads):
    """Compare studies of the same evaluation data with the first of them, the control; nothing is trained.

    Prints, for each study at equal numbers of runs and with 95 % intervals: by how much label entropy is lower than the
    control's, accuracy and its difference, negative flips, calibration, what training and inference cost, and what to
    use. Writes comparison.json, comparison.parquet (a row for each method and sample) and comparison.html.

    Examples:
      reseed compare control-study swa-study tgtss-study --null second-control-study
      reseed compare a b --names control,mine --out comparison
    """

    studies: Annotated[Positional[tuple[str, ...]], arg(metavar="STUDY")]
    """Folders or URLs of studies, the control first."""
    null: Annotated[str | None, arg(metavar="STUDY", help_behavior_hint="")] = None
    """A second control: the control's recipe with other seeds. What it seems to change is chance."""
    names: Annotated[str | None, arg(metavar="NAME,...", help_behavior_hint="")] = None
    """What to call the studies. Default: the methods of their recipes, else their folders."""
    interval: Literal["two-way", "jackknife", "samples"] = "two-way"
    """What 95 % intervals cover: other runs and other samples, other runs on these samples
    (jackknife), or other samples."""
    out: _Path = None
    """The folder to write to. Default: reseed-studies/ and a name made of the data and the studies."""
    json: bool = False
    """Print comparison.json instead of tables."""


@dataclass(frozen=True)
class Mitigate(RecipeOptions):
    """Train a recipe with each of several methods and say which of them keep predictions in place, and at what cost.

    Trains the control, a second control with other seeds (what it seems to change is chance), and one study for each
    method, all in one folder. Finished runs are kept whatever happens: the same command continues, more --runs extend
    every study, and other --methods join those that are there.

    Examples:
      reseed mitigate digits
      reseed mitigate massive --model text-tfidf --methods control,swa,tgtss --runs 10
      reseed mitigate digits --methods swa,tgtss:exponent=0.5+swa
      reseed mitigate --list
    """

    methods: Annotated[str, arg(metavar="METHOD,...")] = "default"
    """What to compare: NAME[:OPTION=VALUE][+NAME...], several with commas between them (a value of several numbers has
    commas as well; in other values write %2C); default stands for methods of one or two trainings and one network at
    inference."""
    list: bool = False
    """Print every method with what it is and what it costs, and train nothing."""
    interval: Literal["two-way", "jackknife", "samples"] = "two-way"
    """What 95 % intervals cover: other runs and other samples, other runs on these samples
    (jackknife), or other samples."""
    runs: int = 30
    """Trainings in each study."""
    out: _Path = None
    """The folder of all studies. Default: reseed-studies/ and a name made of data, model and recipe."""
    seed: int = 0
    """Base seed of all studies but the second control, which has the next one."""
    vary: Annotated[str, arg(metavar="STREAM,...")] = "init,order,dropout,augment"
    """What differs between runs: init, order, dropout, augment, data (a bootstrap of the training set)."""
    every: str = "final"
    """Record predictions at the final step only (final), every epoch, or every so many steps (a number)."""
    level: Level = "scores"
    """Record labels; or scores as well (confidence, margin, ...); or full probabilities."""
    json: bool = False
    """Print comparison.json instead of tables."""


@dataclass(frozen=True)
class Tune(RecipeOptions):
    """Search for a recipe whose predictions change less when it is trained again, without a loss of accuracy.

    Tries combinations of schedules, initial scales, averages of weights, label smoothing and teachers with few runs
    each on validation samples, goes on with the best third, and confirms the winner with other seeds on the evaluation
    split. Where all that are tried diverge, lose accuracy or are no more stable, it tries others while the budget
    lasts. Finished runs are kept whatever happens: the same command continues. Writes tune.json, the confirmation's
    comparison.json, comparison.parquet and comparison.html, and tuned.toml if the winner holds up.

    Examples:
      reseed tune massive --model text-tfidf --budget 40 --out tuning    # the effect: tuning/comparison.html
      reseed tune digits --budget 150 --max-cost 1.1
      reseed measure --recipe tuning/tuned.toml
    """

    budget: float = 40.0
    """Trainings in all, in trainings of the control; one that costs twice as much counts twice. Half of them or more
    are the confirmation's."""
    max_cost: float = 2.0
    """The most that training the tuned recipe may cost, relative to the control."""
    out: _Path = None
    """The folder of all studies. Default: reseed-studies/ and a name made of data, model and recipe."""
    seed: int = 0
    """Base seed of the search and of the candidates' order; the confirmation has the next two."""
    json: bool = False
    """Print tune.json instead of tables."""
