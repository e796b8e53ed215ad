"""A training and an evaluation split that belong together."""

from dataclasses import dataclass

from reseed._errors import DataError
from reseed.data._dataset import Dataset, shown
from reseed.data.corruption._record import CorruptionRecord


@dataclass(frozen=True)
class Splits:
    """What runs are trained on and what they are compared on.

    Attributes:
        train: the training samples; every class that is evaluated occurs here, and no label is unknown.
        evaluation: the samples whose predictions are recorded; labels may be -1 (unknown).
        notes: what a reader of results should know of how the data was read.
        corruption: which training samples were corrupted on purpose, and what their labels were; None where none were.

    Raises:
        DataError: class names or input shapes differ, a training label is unknown, or an evaluation class
            does not occur in training.

    Example:
        >>> from reseed.data import DataConfig, load
        >>> splits = load(DataConfig("digits"))
        >>> len(splits.train), len(splits.evaluation), splits.train.input_shape
        (1437, 360, (1, 8, 8))
    """

    train: Dataset
    evaluation: Dataset
    notes: tuple[str, ...] = ()
    corruption: CorruptionRecord | None = None

    def __post_init__(self) -> None:
        where = f"data set {self.train.name!r}"
        if self.train.class_names != self.evaluation.class_names:
            raise DataError(
                f"{where}: class_names differ: train has {shown(self.train.class_names)}, evaluation has "
                f"{shown(self.evaluation.class_names)}."
            )
        kinds = [part.input_shape or "texts" for part in (self.train, self.evaluation)]
        if kinds[0] != kinds[1]:
            raise DataError(f"{where}: inputs differ: train has {kinds[0]}, evaluation has {kinds[1]}.")
        learned = set(self.train.labels.tolist())
        if min(learned) < 0:
            raise DataError(f"{where}: a training label is -1; unknown labels are for evaluation only.")
        absent = set(self.evaluation.labels.tolist()) - learned - {-1}
        if absent:
            names = shown(self.train.class_names[label] for label in sorted(absent))
            raise DataError(
                f"{where}: evaluation has classes that training never sees: {names}; add training samples "
                "of them or drop them from the evaluation data."
            )
