"""The probability that another training would change an answer, estimated from one training."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, final

import numpy as np
from jaxtyping import Float

from reseed._arrays import ArrayLike, Result, brief, float_array, give_back
from reseed._errors import InputError
from reseed._foreign import parse_json, read_text, reason
from reseed.instability.one_run._share_line import ShareLine
from reseed.statistics import Estimate, no_estimate
from reseed.studies import replace_text

_WEIGHTS = "single_run.json"


@final
@dataclass(frozen=True)
class SingleRunModel:
    """A logistic regression from signals of one training to the probability of ever flipping in others.

    It is written to and read from JSON, a few numbers that can be read and compared.

    Attributes:
        signals: Names of the signals, see `single_run_signals`.
        centers: What is subtracted from each signal.
        scales: What it is then divided by.
        coefficients: Its weight.
        intercept: The constant.
        cut: Probabilities below it become zero.
        runs: The number of other runs that "ever" speaks of.
        trained_on: The data sets that the weights are learnt on.
        share: The line from the mean probability to the share of samples that flip; None where it was not learnt, which
            takes three data sets.

    Raises:
        InputError: The lists differ in length, or a number is not finite or out of range.
    """

    signals: tuple[str, ...]
    centers: tuple[float, ...]
    scales: tuple[float, ...]
    coefficients: tuple[float, ...]
    intercept: float
    cut: float
    runs: int
    trained_on: tuple[str, ...]
    share: ShareLine | None = None

    def __post_init__(self) -> None:
        lists = (self.centers, self.scales, self.coefficients)
        if not self.signals or {len(values) for values in lists} != {len(self.signals)}:
            raise InputError(
                f"a single-run model needs one center, scale and coefficient for each of its signals "
                f"{', '.join(self.signals) or '(none)'}, got {', '.join(str(len(values)) for values in lists)}."
            )
        if not all(math.isfinite(value) for values in lists for value in (*values, self.intercept)):
            raise InputError("the weights of a single-run model must be finite numbers; calibrate it anew.")
        if min(self.scales) <= 0 or not 0 <= self.cut <= 1 or self.runs < 1:
            raise InputError(
                f"a single-run model needs positive scales, a cut in 0 .. 1 and a run or more, got "
                f"scales={self.scales}, cut={self.cut}, runs={self.runs}."
            )

    def write(self, path: str | Path) -> None:
        """Write the weights as JSON.

        Raises:
            StorageError: The file cannot be written.
        """
        replace_text(Path(path), json.dumps(asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: str | Path) -> SingleRunModel:
        """Read weights that `write` or ``reseed calibrate`` wrote.

        Raises:
            InputError: The file cannot be read, or holds no weights.
        """
        try:
            return cls._from_json(read_text(Path(path)))
        except (OSError, KeyError, TypeError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"{str(path)!r} holds no weights of a single-run model ({type(error).__name__}: {reason(error)}); "
                "make them with `reseed calibrate`."
            ) from error

    @classmethod
    def _from_json(cls, text: str) -> SingleRunModel:
        held = parse_json(text)
        numbers = {name: tuple(map(float, held[name])) for name in ("centers", "scales", "coefficients")}
        return cls(
            signals=tuple(map(str, held["signals"])),
            intercept=float(held["intercept"]),
            cut=float(held["cut"]),
            runs=int(held["runs"]),
            trained_on=tuple(map(str, held["trained_on"])),
            share=None if held.get("share") is None else _share_line(held["share"]),
            **numbers,
        )


def _share_line(held: Mapping[str, Any]) -> ShareLine:
    numbers = {name: float(held[name]) for name in ("slope", "intercept", "spread", "center", "scatter")}
    return ShareLine(studies=int(held["studies"]), **numbers)


@cache
def default_model() -> SingleRunModel:
    """Returns the weights that the package brings, learnt on the data sets that its `trained_on` names."""
    return SingleRunModel._from_json(files("reseed.instability").joinpath(_WEIGHTS).read_text(encoding="utf-8"))


def single_run_score(signals: Mapping[str, ArrayLike], model: SingleRunModel | None = None) -> Result:
    """Returns the estimated probability that a sample's label ever differs between further trainings.

        p = 1 / (1 + exp(-(b + sum_j w_j (u_j - c_j) / d_j)));   score = p where p >= cut, else 0

    with u the signals of one training and b, w, c, d and the cut those of the model. It ranks samples; its
    value is calibrated for data and models like those that the weights were learnt on, and elsewhere the share
    of samples that flip may be far from its mean, see `single_run_share`. Most samples never flip: the cut gives
    them one value, 0.

    Args:
        signals: signals [sample] by name, as `single_run_signals` returns them.
        model: other weights than the package's own, see `calibrate`.

    Returns:
        Scores [sample] in [0, 1], float64.

    Raises:
        InputError: a signal that the model needs is missing, holds NaN, or differs in shape from the others.

    Example:
        >>> weights = SingleRunModel(("late_label_flips",), (0.5,), (0.25,), (2.0,), 0.0, 0.1, 15, ())
        >>> single_run_score({"late_label_flips": [0.0, 0.5, 1.0]}, weights).round(4)
        array([0.   , 0.5  , 0.982])
    """
    model = default_model() if model is None else model
    lacking = [name for name in model.signals if name not in signals]
    if lacking:
        raise InputError(
            f"signals lack {', '.join(lacking)}, which the model needs; pass `margin` and `confidence` to "
            "`single_run_signals`, or a model of other signals."
        )
    columns = [float_array(signals[name], name) for name in model.signals]
    for name, column in zip(model.signals, columns, strict=True):
        if column.shape != columns[0].shape:
            raise InputError(
                f"{name} is {brief(column)} but {model.signals[0]} is {brief(columns[0])}; "
                "pass signals of the same samples."
            )
    total = np.full(columns[0].shape, model.intercept)
    for column, center, scale, weight in zip(columns, model.centers, model.scales, model.coefficients, strict=True):
        total += weight * (column - center) / scale
    from scipy.special import expit

    probability = expit(total)
    return give_back(np.where(probability < model.cut, 0.0, probability), *(signals[name] for name in model.signals))


def single_run_share(signals: Mapping[str, ArrayLike], model: SingleRunModel | None = None) -> Estimate:
    """Returns the share of samples to expect whose label ever differs between further trainings, from one training.

    The mean of the estimated probabilities is drawn towards what is usual on the data that the weights were learnt
    on: too high where few samples flip, too low where most do. A line that was learnt from what weights expected of
    data sets that they had not seen corrects that, and how far shares lay from it makes the interval; see `ShareLine`.

    Args:
        signals: signals [sample] by name, as `single_run_signals` returns them.
        model: other weights than the package's own, see `calibrate`.

    Returns:
        The share in [0, 1], with the interval of another data set. Where the model has no line, the mean probability
        without an interval (NaN).

    Raises:
        InputError: there are no samples, or a signal that the model needs is missing or cannot be used.

    Example:
        >>> found = single_run_share({"log_late_flip_rate": [-5.0, -5.8, -1.5], "mean_margin": [0.9, 1.0, 0.2]})
        >>> 0 < found.low < found.value < found.high < 1
        True
    """
    model = default_model() if model is None else model
    return share_of(np.asarray(single_run_score(signals, replace(model, cut=0.0))), model)


def share_of(probability: Float[np.ndarray, " sample"], model: SingleRunModel) -> Estimate:
    """Returns the share that a model expects of probabilities without its cut, see `single_run_share`."""
    samples = probability.size
    if not samples:
        raise InputError("signals hold no samples; a share needs one or more.")
    mean = float(probability.mean())
    if model.share is None:
        return replace(no_estimate("another data set", 1, samples), value=mean)
    return model.share.predict(mean, samples)
