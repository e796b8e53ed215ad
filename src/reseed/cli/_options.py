"""What commands have in common: a command is a dataclass whose docstrings are its help, with a method that executes it.

A command's file imports nothing that takes long: `reseed` gives each name when it is asked for, so that help and
mistakes are told at once.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union

from tyro.conf import OmitArgPrefixes, Positional, arg

import reseed
from reseed._choices import SAVE_EVERY_S, EngineName
from reseed._errors import InputError

if TYPE_CHECKING:
    from reseed import Recipe
    from reseed.mitigations import AbstractMitigation
    from reseed.studies import ColumnNames, LogOptions

T = TypeVar("T")
# Not `T | None`, for whose default tyro loads a type checker, which takes as long as itself.
Maybe = Union[None, T]  # noqa: UP007

# Options that may be left out: what they are then is said in words, or decided by the recipe.
Name = Annotated[Maybe[str], arg(metavar="NAME", help_behavior_hint="")]
Column = Annotated[Maybe[str], arg(metavar="COLUMN", help_behavior_hint="")]
File = Annotated[Maybe[Path], arg(metavar="PATH", help_behavior_hint="")]
# Text, since a Path would make s3:/bucket of s3://bucket.
Place = Annotated[Maybe[str], arg(metavar="PATH|URL", help_behavior_hint="")]
StudyPlace = Annotated[Positional[str], arg(metavar="PATH|URL")]
Count = Annotated[Maybe[int], arg(metavar="INT", help_behavior_hint="")]
Number = Annotated[Maybe[float], arg(metavar="FLOAT", help_behavior_hint="")]
Open = Annotated[
    bool, arg(help="Open the page that is written in the browser. Where there is none, a line says where the page is.")
]


@dataclass(frozen=True)
class ReadingOptions:
    """How much may be read."""

    max_bytes: Annotated[Maybe[str], arg(metavar="SIZE", help_behavior_hint="")] = None
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


class Command(ABC):
    """A command, made a dataclass of options: those that everybody needs first, the others in groups with headings."""

    # No field here, where it would come first: the last group of every command.
    reading: ReadingOptions

    @abstractmethod
    def execute(self) -> int | None:
        """Do it and print what was found; returns the exit code, None for 0."""

    @property
    def beginning(self) -> str | None:
        """What to say before torch is loaded, which takes seconds, where the command takes long; None: nothing."""
        return None


@dataclass(frozen=True)
class ColumnOptions:
    """What the columns of tables of predictions are called."""

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

    def names(self) -> ColumnNames:
        """Return them as the functions call them."""
        given = dict(vars(self))
        given["runs"] = given.pop("run_columns")
        return reseed.studies.ColumnNames(**given)


@dataclass(frozen=True)
class EvaluationOptions:
    """What is taken of evaluations of language models (lm-evaluation-harness, Inspect)."""

    metric: Name = None
    """The metric or scorer that says what is right. Default: the first that is right or wrong of every sample."""
    filter: Name = None
    """Of lm-evaluation-harness, the filter whose answers are meant; needed where a file holds several."""
    answers: Literal["auto", "given", "correct"] = "auto"
    """What labels are: the given answers, or whether these are correct. auto: the given ones where these are the target
    exactly where the metric says right."""

    def taken(self) -> LogOptions:
        """Return them as the functions call them."""
        return reseed.studies.LogOptions(**vars(self))


@dataclass(frozen=True)
class RecipeFile:
    """A file with some or all fields of the recipe."""

    recipe: File = None
    """TOML file; options on the command line go before it."""
    trust_code: bool = False
    """Import the code that --recipe names as its model (MODULE:FUNCTION or FILE.py:FUNCTION). Give it where
    you trust whoever wrote the file; code that --model names needs no leave."""


@dataclass(frozen=True)
class DataOptions:
    """Options for files of one's own, and for how data is split."""

    text: Column = None
    """Column that holds the text. Default: the only one of text, utterance, sentence."""
    features: Annotated[Maybe[tuple[str, ...]], arg(metavar="COLUMN ...", help_behavior_hint="")] = None
    """Numeric columns to learn from. Default: all that are not label, id or split."""
    label: Column = None
    """Column that holds the class. Default: the only one of label, target, intent."""
    id: Column = None
    """Column that identifies a sample. Default: the row number."""
    split: Column = None
    """Column that says train or test."""
    eval_file: Annotated[Maybe[str], arg(metavar="PATH", help_behavior_hint="")] = None
    """A second file, with the evaluation samples."""
    eval_fraction: Number = None
    """Share held out for evaluation where the data has no split of its own. Default: 0.2."""
    split_seed: Count = None
    """Seed of that split, the same for all runs. Default: 0."""
    eval_split: Name = None
    """Evaluate on another split of a named data set: validation, or oos_test of clinc150."""
    limit: Count = None
    """Train on this many samples only."""


@dataclass(frozen=True)
class CorruptionOptions:
    """What is done to training samples on purpose."""

    corrupt: Annotated[Maybe[str], arg(metavar="KIND[:OPTION=VALUE...]", help_behavior_hint="")] = None
    """Corrupt training samples on purpose, and keep which with the study: labels:rate=0.1 (a wrong label for one in
    ten; mode=any|permute), pair:rate=0.1 (the next class), shuffled-pixels, random-pixels, gaussian:rate=0.3 or
    structured. Options: rate, mode, exact, statistics, evaluation, seed. Example: --corrupt labels:rate=0.2:seed=1."""
    labels: Annotated[Maybe[str], arg(metavar="worse|aggre|random1|random2|random3", help_behavior_hint="")] = None
    """For cifar10, learn labels that people gave the training images (CIFAR-10N). Needs RESEED_DATA. Example:
    --labels worse."""


@dataclass(frozen=True)
class ModelOptions:
    """Options of models; those that a model does not have are ignored by it."""

    hidden: Annotated[Maybe[tuple[int, ...]], arg(metavar="INT ...", help_behavior_hint="")] = None
    """Widths of hidden layers."""
    dropout: Number = None
    """Dropout probability."""
    init_scale: Number = None
    """Factor on the initial weights."""
    init: Annotated[
        Maybe[Literal["drawn", "fixed", "pca", "zero"]],
        arg(metavar="{drawn,fixed,pca,zero}", help_behavior_hint=""),
    ] = None
    """Where initial weights come from: the run's seed, one seed for all runs, principal directions of the training
    features, or zeros and ones. Default: drawn."""
    init_seed: Count = None
    """The seed of all runs' initial weights, for --init fixed. Default: 0."""
    norm: Annotated[
        Maybe[Literal["batch", "group", "layer", "none"]],
        arg(metavar="{batch,group,layer,none}", help_behavior_hint=""),
    ] = None
    """Normalisation layers of cnn, resnet and small-inception."""
    width: Count = None
    """Channels of the first stage of cnn and resnet."""
    crop: Count = None
    """Let the network look at the square of so many pixels a side in the middle of images only."""
    whiten: bool = False
    """Let the network first give each image mean 0 and standard deviation 1."""
    depth: Count = None
    """Layers of resnet: 8, 14, 20, ..."""
    vocabulary: Count = None
    """Terms kept by text-tfidf."""
    encoder: Name = None
    """Hub name or folder of a transformers encoder; implies --model text-encoder."""
    fine_tune: bool = False
    """Train the encoder end to end, instead of a head on its frozen features."""
    max_length: Count = None
    """Tokens of a text that the encoder reads."""


@dataclass(frozen=True)
class TrainingOptions:
    """Options of the training; what is not given comes from --recipe, else from the model's defaults."""

    epochs: Count = None
    """Passes over the training set."""
    steps: Count = None
    """Optimisation steps, in place of epochs."""
    batch_size: Count = None
    """Samples in a batch."""
    optimizer: Annotated[
        Maybe[Literal["sgd", "sgdw", "adam", "adamw"]], arg(metavar="{sgd,sgdw,adam,adamw}", help_behavior_hint="")
    ] = None
    """Optimiser."""
    lr: Number = None
    """Peak learning rate."""
    momentum: Number = None
    """Momentum of sgd."""
    weight_decay: Number = None
    """Weight decay."""
    clip_norm: Number = None
    """Clip the gradient's norm."""
    schedule: Annotated[
        Maybe[Literal["constant", "cosine", "linear", "exponential"]],
        arg(metavar="{constant,cosine,linear,exponential}", help_behavior_hint=""),
    ] = None
    """Learning-rate schedule."""
    gamma: Number = None
    """What the exponential schedule multiplies the rate with after every epoch. Default: 0.95."""
    warmup: Number = None
    """Share of the steps over which the rate first rises."""
    augment: Annotated[
        Maybe[Literal["none", "crop", "crop-flip"]], arg(metavar="{none,crop,crop-flip}", help_behavior_hint="")
    ] = None
    """Augmentation of images."""
    average: Annotated[Maybe[Literal["none", "swa", "ema"]], arg(metavar="{none,swa,ema}", help_behavior_hint="")] = (
        None
    )
    """Evaluate the last weights, their mean along the training (swa), or an exponential mean (ema)."""
    average_start: Number = None
    """Share of the steps after which averaging begins, with the weights that are there then. Default: 0.6."""
    average_decay: Number = None
    """Share of the old average that each step keeps, for ema. Default: 0.99."""
    precision: Annotated[
        Maybe[Literal["float32", "bfloat16"]], arg(metavar="{float32,bfloat16}", help_behavior_hint="")
    ] = None
    """Arithmetic of layers in training: single precision, or bfloat16 with single-precision weights."""


@dataclass(frozen=True)
class ExecutionOptions:
    """Where and how runs execute."""

    engine: EngineName = "auto"
    """Where runs execute: one after another (serial), in worker processes, several as one program (stacked), or on a
    Ray cluster. auto trains several as one program where the model allows it, in processes where that is faster."""
    jobs: Count = None
    """Worker processes, or programs at once on a cluster. Default: one for each core."""
    address: Annotated[Maybe[str], arg(metavar="auto|HOST[:PORT]", help_behavior_hint="")] = None
    """A Ray cluster that is there, for --engine cluster. Default: a Ray on this machine alone."""
    group: Count = None
    """Runs in one program, for all engines but serial. Default: what memory allows, at most 64."""
    device: str = "auto"
    """cpu, cuda, cuda:1, mps; or auto: a GPU of CUDA that can be used, else the CPU; a study goes on where it began.
    Worker processes and clusters use a GPU only where it is asked for."""
    threads: Count = None
    """Threads of arithmetic. Default: one; all cores for --engine stacked."""
    deterministic: bool = False
    """On a GPU, use deterministic kernels only; slower, and equal seeds then give equal runs."""
    no_probe: bool = False
    """Do not check before the first run that equal seeds agree and different seeds differ."""

    save_every: Annotated[float, arg(metavar="SECONDS")] = SAVE_EVERY_S
    """Keep trainings that are under way after so many seconds, again and again, so that an interruption costs no more.
    0: never."""

    def arguments(self) -> dict[str, Any]:
        """Return them as the functions call them."""
        given = dict(vars(self))
        given["probe"] = not given.pop("no_probe")
        return given


@dataclass(frozen=True)
class RecipeOptions(Command):
    """What commands that train take: the recipe, and where and how runs execute."""

    dataset: Annotated[Positional[Maybe[str]], arg(metavar="DATASET", help_behavior_hint="")] = None
    """digits, mnist, cifar10, clinc150, massive, massive-domain, hf:NAME, or a CSV, TSV, JSON-lines, Parquet or npz
    file. Default: what --recipe says, else digits."""
    model: Name = None
    """mlp, cnn, resnet, small-inception, small-alexnet, text-tfidf, text-encoder, MODULE:FUNCTION or
    FILE.py:FUNCTION. Default: what suits the data."""
    file: Annotated[OmitArgPrefixes[RecipeFile], arg(name="recipe")] = field(default_factory=RecipeFile)
    data: OmitArgPrefixes[DataOptions] = field(default_factory=DataOptions)
    network: Annotated[OmitArgPrefixes[ModelOptions], arg(name="model")] = field(default_factory=ModelOptions)
    training: OmitArgPrefixes[TrainingOptions] = field(default_factory=TrainingOptions)
    corruption: OmitArgPrefixes[CorruptionOptions] = field(default_factory=CorruptionOptions)
    execution: OmitArgPrefixes[ExecutionOptions] = field(default_factory=ExecutionOptions)

    @property
    def beginning(self) -> str:
        """The data as the command line has them; a study says the rest once it is known."""
        data = self.dataset or ("digits" if self.file.recipe is None else f"what {self.file.recipe} names")
        return f"{data}: loading torch, then the data"

    def whole_recipe(self, mitigations: str | Sequence[AbstractMitigation] = ()) -> Recipe:
        """Return the recipe that file and command line make together."""
        return reseed.recipe_for(
            self.dataset,
            self.model or ("text-encoder" if self.network.encoder is not None else None),
            file=self.file.recipe,
            changes=self.given_fields(),
            mitigations=mitigations,
            trust_code=self.file.trust_code,
        )

    def given_fields(self) -> dict[str, object]:
        """Return the recipe fields that the command line sets, by dotted name."""
        return reseed.workflows.recipe_fields(self.changes())

    def changes(self) -> dict[str, Any]:
        """Return the changes of the recipe that the command line asks for, as the functions call them."""
        named = {**vars(self.data), **vars(self.corruption), **vars(self.network), **vars(self.training)}
        for name in ("fine_tune", "whiten"):
            named[name] = named[name] or None  # a flag can only turn it on
        return {name: value for name, value in named.items() if value is not None}


def check_one_question(questions: Mapping[str, bool]) -> None:
    """Accept options that ask for different things, by name, of which at most one is given.

    Raises:
        InputError: Several are.
    """
    asked = [name for name, is_asked in questions.items() if is_asked]
    if len(asked) > 1:
        raise InputError(f"{' and '.join(asked)} ask for different things; pass one of them.")


def words(text: str) -> list[str]:
    """Return the words between commas."""
    return _between(",", text)


def numbers(text: str, option: str, such_as: str) -> list[float]:
    """Return the numbers between commas.

    Args:
        text: What was given.
        option: For what.
        such_as: What it must be, with an example.

    Raises:
        InputError: One is none.
    """
    found = []
    for word in words(text):
        try:
            found.append(float(word))
        except ValueError:
            raise InputError(f"{option} must be {such_as}, got {word!r}.") from None
    return found


def methods(text: str) -> list[str]:
    """Return the methods between commas, but not between those of a value of several numbers."""
    return _between(r",(?!\s*[\d.])", text)


def _between(separator: str, text: str) -> list[str]:
    return [word.strip() for word in re.split(separator, text) if word.strip()]
