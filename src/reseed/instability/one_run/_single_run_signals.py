"""What the checkpoints of one training tell about the samples that another training would answer differently."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType

import numpy as np
from jaxtyping import Float, Shaped

from reseed._arguments import argument
from reseed._arrays import ArrayLike, Result, brief, float_array, give_back, to_numpy, undefined
from reseed._errors import InputError
from reseed._labels import encode, label_array
from reseed.instability.labels._label_entropy import label_entropy

BURN_IN = 0.5
PASSES = ("dropout_label_entropy", "dropout_margin")
_ARRAYS = ("margin", "confidence", "entropy", "own_probability")
_PIECE = 1 << 19  # labels whose scores are held in double precision at a time
_LEAST_PROBABILITY = 1e-7  # single precision cannot tell a smaller one from zero in a margin
_LEAST_RATE = 0.003  # keeps the logarithm finite where no sample of like log-odds flips; ours


def single_run_signals(
    labels: ArrayLike,
    *,
    margin: ArrayLike | None = None,
    own_probability: ArrayLike | None = None,
    confidence: ArrayLike | None = None,
    entropy: ArrayLike | None = None,
    dropout_label_entropy: ArrayLike | None = None,
    dropout_margin: ArrayLike | None = None,
    burn_in: float = BURN_IN,
    names: Collection[str] | None = None,
) -> dict[str, Result]:
    """Returns, for each sample, quantities of one training that are comparable between data sets.

    All are read off the late checkpoints, those after the share `burn_in` of them, because the start of a
    training says little about where it ends. With y_t the label and m_t the margin (first minus second
    probability) at late checkpoint t of T, s_t = m_t where y_t = y_T and -m_t elsewhere, c_t the confidence:

    - `late_label_entropy`: entropy of y_t over t, nats; 0 to ln T
    - `late_label_flips`: share of t with y_t != y_(t-1); 0 to 1
    - `late_disagreement`: share of t with y_t != y_T; 0 to 1
    - `final_margin`: m_T; 0 to 1
    - `mean_margin`: mean of s_t; -1 to 1
    - `least_margin`: smallest s_t; -1 to 1
    - `margin_slope`: least-squares slope of s_t over the late time, which runs from 0 to 1
    - `margin_std`: standard deviation of s_t; 0 to 1
    - `margin_rank`: share of the samples whose mean s_t is smaller, ties counted half; 0 to 1
    - `mean_log_odds`: mean of sign(s_t) ln(c_t / (c_t - m_t)), the log-odds of first and second label; either
      probability counts as 1e-7 where it is less, so that it lies in -16.12 to 16.12
    - `late_flip_rate`: share with some y_t != y_T at like `mean_log_odds`, by isotonic regression; 0 to 1
    - `log_late_flip_rate`: ln(`late_flip_rate` + 0.003)
    - `final_entropy`, `mean_entropy`: entropy of the probabilities, nats; at T, and the mean; 0 to ln K
    - `final_own_probability`, `mean_own_probability`: probability of the gold label; at T, and the mean; 0 to 1
    - `dropout_label_entropy`, `dropout_margin`: what `RecordConfig.dropout_passes` records at the end of the
      training, as it is: entropy of the labels of passes with dropout, nats, and their mean margin in favour of
      the last label; -1 to 1

    The first three need labels alone, those named after the margin need `margin`, `mean_log_odds` and the two
    rates need `confidence` as well, the next four `entropy` or `own_probability`, and the last two their own
    arrays. A signal whose array is not given is left out. A single late checkpoint has no flips, no slope and no
    deviation: they are 0.

    Args:
        labels: predicted labels [checkpoint, sample] of one run, in the order of training.
        margin: largest minus second probability [checkpoint, sample].
        own_probability: probability of the gold label [checkpoint, sample]; NaN where that is unknown.
        confidence: probability of the predicted label [checkpoint, sample].
        entropy: entropy of the probabilities in nats [checkpoint, sample].
        dropout_label_entropy: entropy [sample] of the labels of passes with dropout.
        dropout_margin: mean margin [sample] of passes with dropout.
        burn_in: share of the checkpoints, from the first one, that is left out; the last one always stays.
        names: the signals that are wanted; all that the arrays allow when None.

    Returns:
        Signals [sample] by name, float64; those of the gold label are NaN, with a warning, where it is unknown.

    Raises:
        InputError: labels without a checkpoint or without two axes, an array of another shape, NaN, or a
            `burn_in` outside 0 .. 1.

    Example:
        >>> found = single_run_signals([[0, 3], [1, 3], [0, 3], [1, 3]], burn_in=0)
        >>> found["late_label_entropy"].round(4), found["late_label_flips"]
        (array([0.6931, 0.    ]), array([1., 0.]))

    References:
        Datta et al., "Measuring and Mitigating Local Instability in Deep Neural Networks", Findings of ACL 2023
        (label entropy along one training). The other signals are ours.
    """
    answers = _checkpoints(labels)
    if not 0 <= burn_in <= 1:
        raise InputError(
            f"{argument('burn_in')} must be a share of the checkpoints in 0 .. 1, got {burn_in}; 0 keeps all of them."
        )
    first = late_from(len(answers), burn_in)
    given = {"margin": margin, "confidence": confidence, "entropy": entropy, "own_probability": own_probability}
    scores = {
        name: _scores(values, name, answers, may_lack=name == "own_probability")[first:]
        for name, values in given.items()
        if values is not None
    }
    passes = {
        name: _scores(values, name, answers[-1])
        for name, values in (("dropout_label_entropy", dropout_label_entropy), ("dropout_margin", dropout_margin))
        if values is not None
    }
    found = signals_in_parts([(answers[first:], scores)], names, passes)
    if "own_probability" in scores and np.isnan(scores["own_probability"]).any():
        undefined("own_probability is NaN for some samples, and so are the signals made of it.")
    return {name: give_back(values, labels, margin, confidence, entropy) for name, values in found.items()}


def signals_in_parts(
    parts: Iterable[
        tuple[Shaped[np.ndarray, "checkpoint sample"], Mapping[str, Shaped[np.ndarray, "checkpoint sample"]]]
    ],
    names: Collection[str] | None = None,
    passes: Mapping[str, Shaped[np.ndarray, " sample"]] = MappingProxyType({}),
) -> dict[str, Float[np.ndarray, " sample"]]:
    """Returns the signals of late labels and scores that come a range of samples at a time.

    In double precision there are never more than a few samples; signals that compare samples with each other are made
    of others at the end. What passes with dropout left behind, `passes`, is a signal as it is.
    """
    pieces: list[dict[str, Float[np.ndarray, " sample"]]] = []
    for labels, scores in parts:
        step = max(1, _PIECE // len(labels))
        for start in range(0, max(labels.shape[1], 1), step):
            some = slice(start, start + step)
            late = {name: values[:, some].astype(np.float64) for name, values in scores.items()}
            run = _Late(labels[:, some], **{name: late.get(name) for name in _ARRAYS})
            pieces.append(
                {
                    name: signal(run)
                    for name, (needs, signal) in _ALONE.items()
                    if (names is None or name in _ingredients(names)) and late.keys() >= set(needs)
                }
            )
    found = {name: np.concatenate([piece[name] for piece in pieces]) for name in (pieces[0] if pieces else ())}
    for name, (needs, together) in _TOGETHER.items():
        if found.keys() >= set(needs) and (names is None or name in _ingredients(names)):
            found[name] = together(found)
    found |= {name: np.asarray(values, np.float64) for name, values in passes.items()}
    return {name: found[name] for name in _SIGNALS if name in found and (names is None or name in names)}


def late_from(checkpoints: int, burn_in: float) -> int:
    """Returns the first checkpoint that counts as late."""
    return min(int(burn_in * checkpoints), checkpoints - 1)


def arrays_needed(names: Collection[str]) -> set[str]:
    """Returns which arrays, besides labels, signals are made of."""
    arrays = {array for name in _ingredients(names) if name in _ALONE for array in _ALONE[name][0]}
    return arrays | ({*names} & {*PASSES})


def signals_of(arrays: Collection[str]) -> tuple[str, ...]:
    """Returns the names of the signals that labels and these arrays give, in their order."""
    found = {name for name, (needs, _) in _ALONE.items() if set(needs) <= set(arrays)}
    for name, (needs, _) in _TOGETHER.items():
        if set(needs) <= found:
            found.add(name)
    return tuple(name for name in _SIGNALS if name in found | ({*arrays} & {*PASSES}))


def _ingredients(names: Collection[str]) -> set[str]:
    """Returns the names and those of the signals that they are made of."""
    found = set(names)
    for name in reversed(_TOGETHER):
        if name in found:
            found |= set(_TOGETHER[name][0])
    return found


@dataclass(frozen=True, eq=False)
class _Late:
    """The late checkpoints of one run, [checkpoint, sample]; what several signals are made of is computed once."""

    labels: Shaped[np.ndarray, "checkpoint sample"]
    margin: Float[np.ndarray, "checkpoint sample"] | None
    confidence: Float[np.ndarray, "checkpoint sample"] | None
    entropy: Float[np.ndarray, "checkpoint sample"] | None
    own_probability: Float[np.ndarray, "checkpoint sample"] | None

    @cached_property
    def agrees(self) -> Shaped[np.ndarray, "checkpoint sample"]:
        """Where a label is the last one."""
        return np.asarray(self.labels == self.labels[-1])

    @cached_property
    def signed(self) -> Float[np.ndarray, "checkpoint sample"]:
        """Margins in favour of the last label."""
        return np.where(self.agrees, _given(self.margin), -_given(self.margin))

    @cached_property
    def mean_margin(self) -> Float[np.ndarray, " sample"]:
        """Their mean."""
        return np.asarray(self.signed.mean(0))

    @cached_property
    def mean_log_odds(self) -> Float[np.ndarray, " sample"]:
        """Log-odds of first and second label in favour of the last label, on average."""
        top = _given(self.confidence)
        second = np.maximum(top - _given(self.margin), _LEAST_PROBABILITY)
        odds = np.log(np.maximum(top, _LEAST_PROBABILITY) / second)
        return np.asarray(np.where(self.agrees, odds, -odds).mean(0))


def _given(array: Float[np.ndarray, "checkpoint sample"] | None) -> Float[np.ndarray, "checkpoint sample"]:
    assert array is not None  # noqa: S101 (signals say which arrays they need)
    return array


def _flips(run: _Late) -> Float[np.ndarray, " sample"]:
    late = run.labels
    return np.asarray((late[1:] != late[:-1]).mean(0) if len(late) > 1 else np.zeros(late.shape[1]))


def _slope(run: _Late) -> Float[np.ndarray, " sample"]:
    time = np.linspace(-0.5, 0.5, len(run.signed)) if len(run.signed) > 1 else np.zeros(1)
    return np.asarray(time @ (run.signed - run.mean_margin) / max(float(time @ time), 1e-300))


def _rank(found: Mapping[str, Float[np.ndarray, " sample"]]) -> Float[np.ndarray, " sample"]:
    from scipy.stats import rankdata

    mean = found["mean_margin"]
    return np.asarray((rankdata(mean) - 0.5) / max(len(mean), 1))


def _flip_rate(found: Mapping[str, Float[np.ndarray, " sample"]]) -> Float[np.ndarray, " sample"]:
    """How often samples of like log-odds flip late in this training: it adapts to the task's own noise.

    A margin that is safe on one task is not on another. Which margins are safe here, the late checkpoints show.
    """
    from sklearn.isotonic import IsotonicRegression

    odds = found["mean_log_odds"]
    if not len(odds):
        return odds
    return np.asarray(IsotonicRegression(increasing=False).fit_transform(odds, found[_ANY_FLIP]))


_ODDS = ("margin", "confidence")
_ANY_FLIP = "any_late_flip"  # no signal itself, since it says little: 1 where a late label is not the last one
_ALONE: dict[str, tuple[tuple[str, ...], Callable[[_Late], Float[np.ndarray, " sample"]]]] = {
    "late_label_entropy": ((), lambda run: np.asarray(label_entropy(run.labels))),
    "late_label_flips": ((), _flips),
    "late_disagreement": ((), lambda run: (~run.agrees).mean(0)),
    "final_margin": (("margin",), lambda run: _given(run.margin)[-1]),
    "mean_margin": (("margin",), lambda run: run.mean_margin),
    "least_margin": (("margin",), lambda run: np.asarray(run.signed.min(0))),
    "margin_slope": (("margin",), _slope),
    "margin_std": (("margin",), lambda run: np.asarray(run.signed.std(0))),
    "mean_log_odds": (_ODDS, lambda run: run.mean_log_odds),
    _ANY_FLIP: ((), lambda run: np.asarray(~run.agrees.all(0), np.float64)),
    "final_entropy": (("entropy",), lambda run: _given(run.entropy)[-1]),
    "mean_entropy": (("entropy",), lambda run: _given(run.entropy).mean(0)),
    "final_own_probability": (("own_probability",), lambda run: _given(run.own_probability)[-1]),
    "mean_own_probability": (("own_probability",), lambda run: _given(run.own_probability).mean(0)),
}
# Signals that compare a sample with all others, and what they are made of; what is made of another comes after it.
_TOGETHER: dict[str, tuple[tuple[str, ...], Callable[[Mapping[str, np.ndarray]], Float[np.ndarray, " sample"]]]] = {
    "margin_rank": (("mean_margin",), _rank),
    "late_flip_rate": (("mean_log_odds", _ANY_FLIP), _flip_rate),
    "log_late_flip_rate": (("late_flip_rate",), lambda found: np.log(found["late_flip_rate"] + _LEAST_RATE)),
}
_SIGNALS = (
    "late_label_entropy",
    "late_label_flips",
    "late_disagreement",
    "final_margin",
    "mean_margin",
    "least_margin",
    "margin_slope",
    "margin_std",
    "margin_rank",
    "mean_log_odds",
    "late_flip_rate",
    "log_late_flip_rate",
    "final_entropy",
    "mean_entropy",
    "final_own_probability",
    "mean_own_probability",
    *PASSES,
)


def _checkpoints(labels: ArrayLike) -> Shaped[np.ndarray, "checkpoint sample"]:
    array, _ = encode(label_array(labels))
    if array.ndim != 2 or not len(array):
        raise InputError(
            f"labels must be [checkpoint, sample] of one run with a checkpoint or more, got {brief(array)}; "
            "pass `labels[run]` of [run, checkpoint, sample]."
        )
    return array


def _scores(
    values: ArrayLike, name: str, labels: Shaped[np.ndarray, "*axes sample"], *, may_lack: bool = False
) -> Shaped[np.ndarray, "*axes sample"]:
    array = to_numpy(values, name) if may_lack else float_array(values, name)
    if array.shape != labels.shape:
        raise InputError(f"{name} is {brief(array)} but labels are {brief(labels)}; pass one value for each label.")
    return array
