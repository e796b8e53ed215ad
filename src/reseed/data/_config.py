"""What to load: the data part of a recipe."""

from dataclasses import dataclass, field, replace
from typing import Self

from reseed._arguments import argument
from reseed._choices import IN_MEMORY, UNWRITTEN
from reseed._errors import DataError
from reseed._near import did_you_mean
from reseed.data._splits import Splits
from reseed.data.corruption._config import ANNOTATIONS, CorruptionConfig

_LARGEST_SEED = 2**32 - 1  # what scikit-learn's splitters accept


@dataclass(frozen=True)
class DataConfig:
    """Which samples to train on and which to evaluate on.

    Raises:
        DataError: `eval_fraction`, `holdout`, `split_seed` or `limit` is out of its range, `features` is empty, or both
            `text` and `features` are given; or `labels` are none that are known, or those of another data set, or
            `corruption` is given as well.

    Example:
        >>> DataConfig("reviews.csv", text="review", label="stars").eval_fraction
        0.2
    """

    name: str = "digits"
    """A known name such as digits, hf:OWNER/NAME or hf:OWNER/NAME@CONFIG, or the path of a file."""

    text: str | None = None
    """Column that holds the text (default: the only one of text, utterance, sentence)."""

    features: tuple[str, ...] | None = None
    """Numeric columns to learn from (default: all numeric ones that are not the label, id or split)."""

    label: str | None = None
    """Column that holds the class (default: the only one of label, target, intent)."""

    id: str | None = None
    """Column that identifies each sample (default: the row number, counting from 0)."""

    split: str | None = None
    """Column that says train, or the name of an evaluation split such as test, validation or dev."""

    eval_file: str | None = None
    """Second file, with the evaluation samples; ids that collide become train-ID and test-ID."""

    eval_fraction: float = 0.2
    """Share of the samples kept for evaluation where the data has no evaluation split; between 0 and 1."""

    split_seed: int = 0
    """Seed of the stratified split and of `limit`; a seed of its own, the same for every run of a study."""

    eval_split: str | None = None
    """Evaluation split to use, such as test (default), validation, or oos_test of clinc150."""

    limit: int | None = None
    """Train on this many samples only, drawn class by class with `split_seed`; evaluation is untouched."""

    holdout: float | None = None
    """Evaluate on this share of the training samples, drawn class by class with `split_seed` and not trained on, in
    place of the evaluation split; for choosing recipes without a look at that split."""

    labels: str | None = None
    """For cifar10, learn labels that people gave the training images (CIFAR-10N) in place of the true ones: worse,
    aggre, random1, random2 or random3; evaluation labels are the true ones."""

    corruption: CorruptionConfig | None = None
    """What is corrupted on purpose in the training split; default: nothing."""

    held: Splits | None = field(default=None, compare=False, repr=False, kw_only=True, metadata=UNWRITTEN)
    """The samples themselves, where they are in memory; their digest is in the name."""

    @property
    def is_in_memory(self) -> bool:
        """Whether the samples are or were in memory, and not in a file of the user's."""
        return self.name.startswith(IN_MEMORY)

    def without_samples(self) -> Self:
        """The same configuration, as a file has it: it names what is in memory, and does not hold it."""
        return replace(self, held=None)

    def __post_init__(self) -> None:
        if self.labels is not None:
            self._check_labels(self.labels)
        if self.holdout is not None and not 0 < self.holdout < 1:
            raise DataError(f"holdout is {self.holdout!r}; give a share between 0 and 1, such as 0.2.")
        if not self.name:
            raise DataError("name is empty; give a known data set, hf:OWNER/NAME or the path of a file.")
        if self.text is not None and self.features is not None:
            raise DataError(
                f"{argument('text')}={self.text!r} and {argument('features')}={self.features!r} are both given; choose "
                "one kind of input."
            )
        if self.features is not None and not self.features:
            raise DataError(
                f"{argument('features')} is empty; name at least one numeric column or leave it out for all of them."
            )
        if not 0 < self.eval_fraction < 1:
            raise DataError(
                f"{argument('eval_fraction')} is {self.eval_fraction!r}; give a share between 0 and 1, such as 0.2."
            )
        if not 0 <= self.split_seed <= _LARGEST_SEED:
            raise DataError(
                f"{argument('split_seed')} is {self.split_seed!r}; give an integer from 0 to {_LARGEST_SEED}."
            )
        if self.limit is not None and self.limit < 1:
            raise DataError(f"{argument('limit')} is {self.limit!r}; give a positive number of training samples.")

    def _check_labels(self, labels: str) -> None:
        if labels not in ANNOTATIONS:
            raise DataError(
                f"{argument('labels')} is {labels!r}; choose one of {', '.join(ANNOTATIONS)}, or leave it "
                f"out.{did_you_mean(labels, ANNOTATIONS)}"
            )
        if self.name != "cifar10":
            raise DataError(
                f"{argument('labels')}={labels!r} are annotations of cifar10, and the data is {self.name!r}; leave it "
                "out."
            )
        if self.corruption is not None:
            raise DataError(
                f"{argument('labels')}={labels!r} and a corruption ({self.corruption.kind}) are both given; choose "
                "one, so that it is known what was done to each sample."
            )
