"""What the checkpoints of one training tell about the samples that another training would answer differently."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Shaped

from reseed._errors import InputError
from reseed.instability._arrays import (
    ArrayLike,
    Result,
    brief,
    encode,
    float_array,
    give_back,
    label_array,
    to_numpy,
    undefined,
)
from reseed.instability._label_entropy import label_entropy

BURN_IN = 0.5
_LEAST_PROBABILITY = 1e-7  # single precision cannot tell a smaller one from zero in a margin
_LEAST_RATE = 0.003  # keeps the logarithm finite where no sample of like log-odds flips; ours


def single_run_signals(
    labels: ArrayLike,
    *,
    margin: ArrayLike | None = None,
    own_probability: ArrayLike | None = None,
    confidence: ArrayLike | None = None,
    entropy: ArrayLike | None = None,
    burn_in: float = BURN_IN,
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
    - `mean_log_odds`: mean of sign(s_t) ln(c_t / (c_t - m_t)), the log-odds of first and second label
    - `late_flip_rate`: share with some y_t != y_T at like `mean_log_odds`, by isotonic regression; 0 to 1
    - `log_late_flip_rate`: ln(`late_flip_rate` + 0.003)
    - `final_entropy`, `mean_entropy`: entropy of the probabilities, nats; at T, and the mean; 0 to ln K
    - `final_own_probability`, `mean_own_probability`: probability of the gold label; at T, and the mean; 0 to 1

    The first three need labels alone, those named after the margin need `margin`, `mean_log_odds` and the two
    rates need `confidence` as well, and the last four `entropy` or `own_probability`. A signal whose array is not
    given is left out. A single late checkpoint has no flips, no slope and no deviation: they are 0.

    Args:
        labels: predicted labels [checkpoint, sample] of one run, in the order of training.
        margin: largest minus second probability [checkpoint, sample].
        own_probability: probability of the gold label [checkpoint, sample]; NaN where that is unknown.
        confidence: probability of the predicted label [checkpoint, sample].
        entropy: entropy of the probabilities in nats [checkpoint, sample].
        burn_in: share of the checkpoints, from the first one, that is left out; the last one always stays.

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
        raise InputError(f"burn_in must be a share of the checkpoints in 0 .. 1, got {burn_in}; 0 keeps all of them.")
    total = len(answers)
    first = min(int(burn_in * total), total - 1)
    late = answers[first:]
    found = {
        "late_label_entropy": np.asarray(label_entropy(late)),
        "late_label_flips": (late[1:] != late[:-1]).mean(0) if len(late) > 1 else np.zeros(late.shape[1]),
        "late_disagreement": (late != late[-1]).mean(0),
    }
    if margin is not None:
        found |= _of_margin(late, _scores(margin, "margin", answers)[first:])
        if confidence is not None:
            top, gap = (_scores(a, n, answers)[first:] for a, n in ((confidence, "confidence"), (margin, "margin")))
            odds = np.log(np.maximum(top, _LEAST_PROBABILITY) / np.maximum(top - gap, _LEAST_PROBABILITY))
            found["mean_log_odds"] = np.where(late == late[-1], odds, -odds).mean(0)
            found |= _flip_rate(found["mean_log_odds"], found["late_disagreement"] > 0)
    if entropy is not None:
        found |= _last_and_mean(_scores(entropy, "entropy", answers)[first:], "entropy")
    if own_probability is not None:
        own = _scores(own_probability, "own_probability", answers, may_lack=True)[first:]
        found |= _last_and_mean(own, "own_probability")
        if np.isnan(own).any():
            undefined("own_probability is NaN for some samples, and so are the signals made of it.")
    return {name: give_back(values, labels, margin, confidence, entropy) for name, values in found.items()}


def _of_margin(
    late: Shaped[np.ndarray, "checkpoint sample"], margin: Float[np.ndarray, "checkpoint sample"]
) -> dict[str, Float[np.ndarray, " sample"]]:
    from scipy.stats import rankdata

    signed = np.where(late == late[-1], margin, -margin)
    mean = signed.mean(0)
    time = np.linspace(-0.5, 0.5, len(signed)) if len(signed) > 1 else np.zeros(1)
    return {
        "final_margin": margin[-1],
        "mean_margin": mean,
        "least_margin": signed.min(0),
        "margin_slope": time @ (signed - mean) / max(float(time @ time), 1e-300),
        "margin_std": signed.std(0),
        "margin_rank": (rankdata(mean) - 0.5) / max(len(mean), 1),
    }


def _flip_rate(
    log_odds: Float[np.ndarray, " sample"], flips: Shaped[np.ndarray, " sample"]
) -> dict[str, Float[np.ndarray, " sample"]]:
    """Returns how often samples of like log-odds flip late in this training: it adapts to the task's own noise.

    A margin that is safe on one task is not on another. Which margins are safe here, the late checkpoints show.
    """
    from sklearn.isotonic import IsotonicRegression

    if not len(log_odds):
        return {"late_flip_rate": log_odds, "log_late_flip_rate": log_odds}
    rate = np.asarray(IsotonicRegression(increasing=False).fit_transform(log_odds, flips.astype(np.float64)))
    return {"late_flip_rate": rate, "log_late_flip_rate": np.log(rate + _LEAST_RATE)}


def _last_and_mean(values: Float[np.ndarray, "checkpoint sample"], name: str) -> dict[str, np.ndarray]:
    return {f"final_{name}": values[-1], f"mean_{name}": values.mean(0)}


def _checkpoints(labels: ArrayLike) -> Shaped[np.ndarray, "checkpoint sample"]:
    array, _ = encode(label_array(labels))
    if array.ndim != 2 or not len(array):
        raise InputError(
            f"labels must be [checkpoint, sample] of one run with a checkpoint or more, got {brief(array)}; "
            "pass `labels[run]` of [run, checkpoint, sample]."
        )
    return array


def _scores(
    values: ArrayLike, name: str, labels: Shaped[np.ndarray, "checkpoint sample"], *, may_lack: bool = False
) -> Float[np.ndarray, "checkpoint sample"]:
    array = to_numpy(values, name) if may_lack else float_array(values, name)
    if array.shape != labels.shape:
        raise InputError(f"{name} is {brief(array)} but labels are {brief(labels)}; pass one value for each label.")
    return array.astype(np.float64)
