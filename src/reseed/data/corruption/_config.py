"""What is corrupted on purpose: a part of the data part of a recipe."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Literal, get_args

from reseed._choices import OMITTED
from reseed._errors import DataError
from reseed._near import did_you_mean
from reseed.data.corruption._choose import check_rate, check_seed
from reseed.data.corruption._gaussian import STATISTICS, Statistics

Kind = Literal["labels", "pair", "shuffled-pixels", "random-pixels", "gaussian", "structured"]
KINDS: tuple[Kind, ...] = get_args(Kind)
LABEL_KINDS = ("labels", "pair")
ANNOTATIONS: Mapping[str, str] = MappingProxyType(
    {
        "worse": "worse_label",
        "aggre": "aggre_label",
        "random1": "random_label1",
        "random2": "random_label2",
        "random3": "random_label3",
    }
)
"""Labels that people gave the training images of cifar10, each with the array of the file that holds them."""
_MODES = ("other", "any", "permute")
_OPTIONS_OF: Mapping[str, str] = MappingProxyType({"mode": "labels", "statistics": "gaussian"})


@dataclass(frozen=True)
class CorruptionConfig:
    """What is corrupted on purpose in the training split, after `limit` and `holdout`.

    Raises:
        DataError: A value is out of its range, or an option is not for this kind.

    Example:
        >>> CorruptionConfig("labels", rate=0.1).mode
        'other'
    """

    kind: Kind = "labels"
    """Wrong labels (labels; pair: the class after the own one), or other inputs: positions in another order, the same
    for all (shuffled-pixels) or one for each sample (random-pixels), noise (gaussian), turned and inverted images
    (structured)."""

    rate: float = 1.0
    """Share of the training samples that are touched, from 0 to 1."""

    mode: Literal["other", "any", "permute"] = field(default="other", metadata=OMITTED)
    """For labels, by what each is replaced: another class, any class with its own included, or the label of another
    replaced sample, so that no class gets more or fewer."""

    exact: bool = field(default=False, metadata=OMITTED)
    """Touch exactly this share of the samples, instead of each with this probability."""

    statistics: Statistics = field(default="channel", metadata=OMITTED)
    """For gaussian, whose mean and standard deviation the noise has: those of each channel or feature (channel), of all
    values (global), or of the sample itself (sample)."""

    evaluation: bool | None = field(default=None, metadata=OMITTED)
    """Whether evaluation inputs are treated like training inputs: in the same order, or with fresh draws of their own.
    Default: where all training inputs are touched (a rate of 1), not where some are. Labels of the evaluation split are
    never touched."""

    seed: int = 0
    """Of all draws; a seed of its own, the same for every run of a study."""

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = did_you_mean(self.kind, KINDS)
            raise DataError(f"unknown corruption {self.kind!r}.{hint} Known: {', '.join(KINDS)}.")
        object.__setattr__(self, "rate", check_rate(self.rate, "corruption.rate"))
        for name, value, known in (("mode", self.mode, _MODES), ("statistics", self.statistics, STATISTICS)):
            if value not in known:
                raise DataError(
                    f"corruption.{name} is {value!r}; choose one of {', '.join(known)}.{did_you_mean(value, known)}"
                )
        defaults = {item.name: item.default for item in dataclasses.fields(self)}
        for name, kind in _OPTIONS_OF.items():
            if self.kind != kind and getattr(self, name) != defaults[name]:
                raise DataError(f"corruption.{name} is for {kind}, and the corruption is {self.kind}; leave it out.")
        if self.evaluation and self.is_of_labels:
            raise DataError(
                f"corruption.evaluation is true, but {self.kind} are labels, and those of the evaluation split are "
                "never touched; leave it out."
            )
        try:
            check_seed(self.seed)
        except DataError as error:
            raise DataError(f"corruption.{error}") from None

    @property
    def is_of_labels(self) -> bool:
        """Whether labels are corrupted, and not inputs."""
        return self.kind in LABEL_KINDS

    @property
    def touches_evaluation(self) -> bool:
        """Whether evaluation inputs are treated like training inputs."""
        if self.evaluation is not None or self.is_of_labels:
            return bool(self.evaluation)
        return self.rate == 1


def parse_corruption(text: str) -> CorruptionConfig:
    """The corruption that a text names: `KIND[:OPTION=VALUE]...`.

    Raises:
        DataError: The kind or an option is unknown, a value is unusable, or labels are named without a rate.

    Example:
        >>> parse_corruption("labels:rate=0.2:mode=any").rate
        0.2
    """
    kind, *pairs = text.strip().split(":")
    known = {item.name for item in dataclasses.fields(CorruptionConfig)} - {"kind"}
    options: dict[str, Any] = {}
    for pair in pairs:
        name, sign, value = (part.strip() for part in pair.partition("="))
        if not sign:
            raise DataError(f"corruption {text!r}: write options as OPTION=VALUE, got {pair!r}.")
        if name not in known:
            raise DataError(
                f"corruption {text!r} has no option {name!r}.{did_you_mean(name, known)} There are "
                f"{', '.join(sorted(known))}."
            )
        options[name] = _value(text, name, value)
    config = CorruptionConfig(kind, **options)  # type: ignore[arg-type]
    if config.is_of_labels and "rate" not in options:
        raise DataError(f"corruption {text!r} does not say how many labels; write {kind}:rate=0.1 for one in ten.")
    return config


def _value(text: str, name: str, value: str) -> Any:
    try:
        if name == "rate":
            return float(value)
        if name == "seed":
            return int(value)
    except ValueError:
        wanted = "a share of the samples from 0 to 1" if name == "rate" else "a whole number"
        raise DataError(f"corruption {text!r}: {name} must be {wanted}, got {value!r}.") from None
    if name in ("exact", "evaluation"):
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        if value.lower() not in words:
            raise DataError(f"corruption {text!r}: {name} must be true or false, got {value!r}.")
        return words[value.lower()]
    return value
