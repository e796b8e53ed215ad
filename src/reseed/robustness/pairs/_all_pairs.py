"""All pairs of the runs of a study side by side: what one training gets right and another does not."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from jaxtyping import Bool, Float, Integer

from reseed._arrays import ArrayLike, Result, brief, give_back, to_numpy
from reseed._errors import InputError
from reseed.robustness._answers import (
    by_class,
    check_from_logits,
    coded,
    output_array,
    predicted_classes,
    rounding_of,
    true_classes,
)
from reseed.robustness.pairs._label_sums import LabelSums
from reseed.robustness.pairs._pairs import divergence, entropies, log_scale

_BLOCK_BYTES = 8 << 20  # of the outputs of a block of samples, in double precision


@dataclass(frozen=True, eq=False)
class ModelPairs:
    """Every pair of runs side by side; rows are the first model of a pair, columns the second.

    ``churn = rectified + sacrificed + wrong_changes`` holds in every entry, and
    ``accuracy_variance = rectified - sacrificed``. For each sample, ``sample_churn`` is the sum of the other two in the
    same way. All shares are of samples, or of pairs of two different runs.

    Attributes:
        accuracy: Accuracy of each run, [run].
        accuracy_variance: Accuracy of the second run less that of the first (CAV), [run, run].
        rectified: Share that the first gets wrong and the second right (CRR), [run, run].
        sacrificed: Share that the first gets right and the second wrong (CSR), [run, run].
        wrong_changes: Share that both get wrong, with different labels, [run, run].
        churn: Share that they answer with different labels, [run, run].
        both_right: Samples that both get right, [run, run], whole numbers.
        confidence_variance: Mean difference of the true label's probability over these (CCV), [run, run], NaN where
            there are none; None where only labels are known.
        output_stability: Mean Jensen-Shannon divergence over these (COS), [run, run], in nats or the base asked for,
            NaN where there are none; None where only labels are known.
        sample_correctness_changes: Share of pairs of which one run gets the sample right and one wrong, [sample]. Taken
            both ways round, each such pair rectifies once and sacrifices once.
        sample_wrong_changes: Share of pairs that both get it wrong, with different labels, [sample].
        sample_churn: Share of pairs that answer it with different labels, [sample].
        sample_confidence_variance: Mean over pairs that both get it right of the difference of the true label's
            probability, [sample]; NaN where fewer than two runs do.
        sample_output_stability: Mean over these pairs of the divergence, [sample].
    """

    accuracy: Result
    accuracy_variance: Result
    rectified: Result
    sacrificed: Result
    wrong_changes: Result
    churn: Result
    both_right: Result
    confidence_variance: Result | None
    output_stability: Result | None
    sample_correctness_changes: Result
    sample_wrong_changes: Result
    sample_churn: Result
    sample_confidence_variance: Result | None
    sample_output_stability: Result | None


@final
class PairTally:
    """Takes the answers of all runs some samples at a time, and compares every pair of runs.

    Memory is that of a block and of a few numbers for each sample, whatever the number of classes.

    Args:
        from_logits: Whether outputs are logits, or else probabilities; None where labels are given.
        base: Of the logarithm of `ModelPairs.output_stability`; default: natural, so that the unit is nats.

    Raises:
        InputError: The base is not above 1.

    Examples:
        >>> tally = PairTally()
        >>> tally.add([[0, 1], [0, 2]], [0, 1])
        >>> tally.add([[1], [0]], [0])
        >>> tally.result().churn.round(4)
        array([[0.    , 0.6667],
               [0.6667, 0.    ]])
    """

    def __init__(self, *, from_logits: bool | None = None, base: float | None = None) -> None:
        if from_logits is not None:
            check_from_logits(from_logits)
        self._from_logits, self._scale = from_logits, log_scale(base)
        self._sums: LabelSums | None = None
        self._outputs: _OutputSums | None = None
        self._like: object = None

    def add(self, answers: ArrayLike, targets: ArrayLike) -> None:
        """Take the answers to a block of samples.

        Args:
            answers: Outputs [run, sample, class], or labels [run, sample] where ``from_logits`` is None.
            targets: True labels of these samples.

        Raises:
            InputError: There are fewer than two runs, shapes do not fit each other or earlier blocks, outputs are not
                finite or no distributions, or labels are out of range.
        """
        array = to_numpy(answers, "answers")
        labels_alone = self._from_logits is None
        if array.ndim != (2 if labels_alone else 3):
            axes = (
                "labels [run, sample]; of outputs say from_logits" if labels_alone else "outputs [run, sample, class]"
            )
            raise InputError(f"answers is {brief(array)}; pass {axes}.")
        if len(array) < 2:
            raise InputError(f"answers is {brief(array)}, of fewer than 2 runs; pass two models or more.")
        if self._sums is None:
            self._sums, self._like = LabelSums(len(array)), answers
        if len(array) != self._sums.runs:
            raise InputError(
                f"answers is {brief(array)}, but earlier ones are of {self._sums.runs} runs; pass the same."
            )
        if labels_alone:
            codes, gold = coded(array, targets, "answers")
            self._sums.add(codes, np.asarray(codes == gold))
        else:
            self._add_outputs(answers, array, targets)

    def _add_outputs(self, answers: ArrayLike, array: np.ndarray, targets: ArrayLike) -> None:
        assert self._sums is not None and self._from_logits is not None  # noqa: S101, PT018 - `add` saw to it
        outputs = output_array(array, "answers", 3)
        runs, samples, classes = outputs.shape
        if self._outputs is None:
            self._outputs = _OutputSums(runs, classes)
        if classes != self._outputs.classes:
            raise InputError(f"answers is {brief(array)}, but earlier ones are of {self._outputs.classes} classes.")
        gold = true_classes(targets, samples, classes)
        labels = predicted_classes(outputs, "answers")
        right = np.asarray(labels == gold)
        unit = rounding_of(answers)
        step = max(1, _BLOCK_BYTES // (8 * runs * classes))
        for start in range(0, samples, step):
            part = slice(start, start + step)
            rows = outputs[:, part]
            shares = by_class(rows.reshape(-1, classes), self._from_logits, "answers", unit)
            by_run = np.ascontiguousarray(shares.reshape(classes, runs, -1).transpose(1, 0, 2))
            self._outputs.add(by_run, right[:, part], gold[part])
        self._sums.add(labels, right)

    def result(self) -> ModelPairs:
        """Return all pairs of the runs on the samples taken so far; NaN, with a warning, where there are none.

        Raises:
            InputError: Nothing was taken yet.
        """
        return self._result(stacklevel=4)

    def _result(self, stacklevel: int) -> ModelPairs:
        if self._sums is None:
            raise InputError("no answers were added; call `add` first.")
        found = _of_sums(self._sums, self._outputs, self._scale)
        _warn_undefined(self._sums, self._outputs, stacklevel)
        return ModelPairs(*(None if part is None else give_back(part, self._like) for part in found))


def all_pairs(
    answers: ArrayLike, targets: ArrayLike, *, from_logits: bool | None = None, base: float | None = None
) -> ModelPairs:
    """Compare every pair of runs: accuracy and confidence variance, what is rectified and sacrificed, output stability.

    Where runs differ in the seed alone, no run comes before another: averaged over pairs taken both ways round, what is
    rectified equals what is sacrificed, and each is half of the churn less its changes among wrong labels.
    `churn_decomposition` gives these means with intervals.

    Args:
        answers: Outputs [run, sample, class], or labels [run, sample]. Of arrays that are read in parts, such as those
            of zarr, a block of samples is read at a time.
        targets: True labels [sample].
        from_logits: Whether outputs are logits, or else probabilities; None where labels are given.
        base: Of the logarithm of the output stability; default: natural, so that the unit is nats.

    Returns:
        Matrices [run, run] and values [sample].

    Raises:
        InputError: There are fewer than two runs, shapes do not fit, outputs are not finite or no distributions, or
            labels are out of range.

    Examples:
        >>> found = all_pairs([[0, 1, 2, 2], [0, 0, 1, 1]], [0, 1, 1, 0])
        >>> [float(part[0, 1]) for part in (found.rectified, found.sacrificed, found.wrong_changes, found.churn)]
        [0.25, 0.25, 0.25, 0.75]
    """
    tally = PairTally(from_logits=from_logits, base=base)
    parts: Any = answers if hasattr(answers, "shape") else to_numpy(answers, "answers")
    shape = tuple(parts.shape)
    gold = to_numpy(targets, "targets")
    if len(shape) < 2 or gold.shape != shape[1:2]:
        raise InputError(
            f"answers is of shape {list(shape)} but targets is {brief(gold)}; pass [run, sample] or [run, sample, "
            "class], and one true label for each sample."
        )
    step = max(1, 4 * _BLOCK_BYTES // (8 * shape[0] * (shape[2] if len(shape) == 3 else 1)))
    for start in range(0, max(1, shape[1]), step):
        tally.add(parts[:, start : start + step], gold[start : start + step])
    return tally._result(stacklevel=4)


class _OutputSums:
    """Adds up differences of confidence and divergences over pairs of runs that are both right."""

    def __init__(self, runs: int, classes: int) -> None:
        self.runs, self.classes = runs, classes
        self.confidence, self.divergence = np.zeros((runs, runs)), np.zeros((runs, runs))
        self.samples: list[Float[np.ndarray, "two part"]] = []

    def add(
        self,
        shares: Float[np.ndarray, "run class part"],
        right: Bool[np.ndarray, "run part"],
        targets: Integer[np.ndarray, " part"],
    ) -> None:
        own = shares[:, targets, np.arange(len(targets))]
        entropy = entropies(shares)
        sums = np.zeros((2, len(targets)))
        for run in range(self.runs - 1):
            # Only where this run is right: networks that err much are spared the logarithms.
            at = np.flatnonzero(right[run])
            rest = slice(run + 1, None)
            both = right[rest, at]
            confidence = np.abs(own[rest, at] - own[run, at]) * both
            apart = divergence(shares[rest][..., at], shares[run][..., at], entropy[rest, at], entropy[run, at]) * both
            self.confidence[run, rest] += confidence.sum(axis=1)
            self.divergence[run, rest] += apart.sum(axis=1)
            sums[0, at] += confidence.sum(axis=0)
            sums[1, at] += apart.sum(axis=0)
        pairs = right.sum(axis=0) * (right.sum(axis=0) - 1) / 2
        with np.errstate(invalid="ignore"):
            self.samples.append(np.where(pairs > 0, sums / pairs, np.nan))


def _of_sums(sums: LabelSums, outputs: _OutputSums | None, scale: float) -> tuple[np.ndarray | None, ...]:
    right, both, runs = sums.right, sums.both_right, sums.runs
    pairs = runs * (runs - 1) // 2
    with np.errstate(invalid="ignore"):
        rectified = (right[None, :] - both) / sums.samples if sums.samples else np.full((runs, runs), np.nan)
        wrong = (sums.differ_counts - sums.change_counts) / sums.samples if sums.samples else rectified
        churn = sums.differ_counts / sums.samples if sums.samples else rectified
        accuracy = right / sums.samples if sums.samples else np.full(runs, np.nan)
        gained = (right[None, :] - right[:, None]) / sums.samples if sums.samples else rectified
        matrices: list[np.ndarray | None] = [None, None]
        samples: list[np.ndarray | None] = [None, None]
        if outputs is not None:
            for place, total in enumerate((outputs.confidence, outputs.divergence)):
                unit = scale if place else 1.0
                matrices[place] = np.where(both > 0, (total + total.T) * unit / both, np.nan)
                samples[place] = np.concatenate([np.zeros(0), *(each[place] for each in outputs.samples)]) * unit
    changes, differing = sums.sample_changes / pairs, sums.sample_differing / pairs
    among_wrong = (sums.sample_differing - sums.sample_changes) / pairs
    return (
        accuracy,
        gained,
        rectified,
        rectified.T,
        wrong,
        churn,
        both,
        *matrices,
        changes,
        among_wrong,
        differing,
        *samples,
    )


def _warn_undefined(sums: LabelSums, outputs: _OutputSums | None, stacklevel: int) -> None:
    if not sums.samples:
        warnings.warn("there are no samples; all is NaN.", RuntimeWarning, stacklevel=stacklevel)
    elif outputs is not None and (empty := int(np.count_nonzero(np.tril(sums.both_right == 0)))):
        warnings.warn(
            f"{empty} of {sums.runs * (sums.runs + 1) // 2} pairs of runs get no sample right together; their "
            "confidence variance and output stability are NaN.",
            RuntimeWarning,
            stacklevel=stacklevel,
        )
