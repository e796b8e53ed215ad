"""Recording predictions along a run without touching it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from reseed._arguments import argument
from reseed._bounds import BOUNDS, check_bound, shown
from reseed._choices import OMITTED, Level, Weights
from reseed._errors import RecipeError
from reseed._near import did_you_mean
from reseed.training._evaluated import EvaluatedWeights
from reseed.training._track import check_track

EVAL_BATCH = 1024
TEMPERED = "tempered_"
"""How names of scores after temperature scaling begin."""
_EVAL_PIXELS = 1 << 18
SMALL_WEIGHTS = 16 << 20
"""The most bytes that a run's own tensors may have for their being kept where nobody asks for it."""


@dataclass(frozen=True)
class RecordConfig:
    """What is recorded of each run, and when.

    Raises:
        RecipeError: A value is out of range; the message names the option.
    """

    every: str | int = "epoch"
    """Checkpoints: ``epoch``, ``final``, or a number of steps. The last step is always one."""
    burn_in: int = 0
    """Leave out checkpoints up to and including this step, except the last."""
    level: Level = "scores"
    """``labels``; ``scores``: also own-class probability, confidence, margin, entropy; ``full``: all probabilities."""
    train: bool = False
    """Record predictions on the training split as well."""
    dropout_passes: int = field(default=0, metadata=OMITTED)
    """At the end of each run also predict so many times with its dropout on: `single_run_signals` uses it."""
    monitor: bool = field(default=False, metadata=OMITTED)
    """Record every step's loss, gradient norm and mean entropy of the batch as well; see `Study.monitored`."""
    weights: Weights = field(default="auto", metadata=OMITTED)
    """Keep the weights that are evaluated: ``none``, ``final`` (those of the last step), ``checkpoints`` (of every one
    that is recorded); ``auto``: the final ones while a run's own tensors take 16 MiB or less. See `Study.networks`."""
    temperature: bool = field(default=False, metadata=OMITTED)
    """Fit a temperature by one more training that holds samples out, and also record what confidence and own-class
    probability are after temperature scaling; see `reseed.mitigations.Temperature`, which answers with these."""
    track: str = field(default="", metadata=OMITTED)
    """What a lens measures of the networks along the training, and how often: ``curvature:every=50``; see
    `Study.tracked`."""

    def __post_init__(self) -> None:
        every = str(self.every)
        is_number = every.isdecimal() and len(every) < 16 and int(every) > 0
        if every not in ("epoch", "final") and not is_number:
            hint = did_you_mean(every, ("epoch", "final"))
            raise RecipeError(
                f"{argument('every')} must be 'epoch', 'final' or a number of steps, got {self.every!r}.{hint}"
            )
        object.__setattr__(self, "every", every)  # one form, so that equal configs compare equal
        if self.burn_in < 0:
            raise RecipeError(f"{argument('burn_in')} must be zero or more steps, got {self.burn_in}.")
        if self.level not in ("labels", "scores", "full"):
            raise RecipeError(f"{argument('level')} must be 'labels', 'scores' or 'full', got {self.level!r}.")
        if self.weights not in get_args(Weights):
            raise RecipeError(
                f"{argument('weights')} must be {', '.join(map(repr, get_args(Weights)))}, got {self.weights!r}."
            )
        if self.temperature and self.level == "labels":
            raise RecipeError(
                f"{argument('temperature')} is set, but {argument('level')} is 'labels', which records nothing that it "
                "scales; record with level scores, or leave the temperature out."
            )
        check_track(self.track)
        most = BOUNDS["dropout_passes"]
        if self.dropout_passes != 0 and not 2 <= self.dropout_passes <= most:
            raise RecipeError(
                f"{argument('dropout_passes')} must be 0, or 2 to {most}, got {shown(self.dropout_passes)}."
            )

    def checkpoints(self, total_steps: int, steps_per_epoch: int) -> tuple[int, ...]:
        """Return the steps after which predictions are recorded, in rising order.

        Raises:
            RecipeError: There are too many.

        Examples:
            >>> RecordConfig(every="4", burn_in=4).checkpoints(total_steps=10, steps_per_epoch=5)
            (8, 10)
        """
        every = str(self.every)
        stride = {"epoch": steps_per_epoch, "final": total_steps}.get(every) or int(every)
        first = stride * (self.burn_in // stride + 1)
        steps = range(first, total_steps, stride)
        why = f" (every {stride:,} of {total_steps:,} steps); record less often with every"
        check_bound("checkpoints", len(steps) + 1, "checkpoints of a run", RecipeError, why=why)
        return (*steps, total_steps)

    def weights_at(self, checkpoints: tuple[int, ...], size: int) -> tuple[int, ...]:
        """Return the steps after which weights are kept.

        Args:
            checkpoints: The steps after which predictions are recorded.
            size: Bytes of a run's own tensors, see `AbstractTraining.own_bytes`.

        Examples:
            >>> RecordConfig().weights_at((5, 10), 1 << 20), RecordConfig().weights_at((5, 10), 1 << 30)
            ((10,), ())
            >>> RecordConfig(weights="checkpoints").weights_at((5, 10), 1 << 30)
            (5, 10)
        """
        if self.weights == "checkpoints":
            return checkpoints
        is_kept = self.weights == "final" or (self.weights == "auto" and size <= SMALL_WEIGHTS)
        return checkpoints[-1:] if is_kept else ()


@dataclass(frozen=True)
class Scaling:
    """Temperature scaling of what is recorded; labels are taken before it.

    Attributes:
        temperature: What logits are divided by.
        is_applied: Whether recorded probabilities, and the scores of them, are those after it.
        is_beside: Whether confidence and own-class probability after it are recorded as well.
    """

    temperature: float
    is_applied: bool
    is_beside: bool


class Sink(Protocol):
    """Where recorded predictions go, checkpoint by checkpoint."""

    def write(self, split: str, checkpoint: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Take the arrays of one split at one checkpoint: ``labels`` [sample] and more by level."""

    def write_steps(self, signals: Mapping[str, NDArray[Any]]) -> None:
        """Take what was recorded of every step, [step]."""

    def write_weights(self, step: int, networks: Sequence[EvaluatedWeights]) -> None:
        """Take what the run's networks are evaluated with after a step."""


class NoSink:
    """Where predictions go that nobody needs."""

    def write(self, split: str, checkpoint: int, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Forget them."""

    def write_steps(self, signals: Mapping[str, NDArray[Any]]) -> None:
        """Forget them."""

    def write_weights(self, step: int, networks: Sequence[EvaluatedWeights]) -> None:
        """Forget them."""


def rows_at_once(inputs: Tensor, most: int = EVAL_BATCH) -> int:
    """Return how many samples to predict at once: on a CPU a quarter of a million pixels, of what is no image ``most``.

    What 16 channels make of so many pixels is memory that the system hands out again and again. Larger pieces it hands
    out anew for every batch, page by page, with which predictions of images take two to four times as long.

    Args:
        inputs: What will be predicted, [sample, ...].
        most: The most that there may be.
    """
    if inputs.ndim != 4 or inputs.device.type != "cpu":
        return most
    return max(1, min(most, _EVAL_PIXELS // max(1, inputs.shape[-2] * inputs.shape[-1])))


def predict(model: nn.Module, inputs: Tensor, batch_size: int | None = None) -> Tensor:
    """Return logits [sample, class] in evaluation mode, leaving the model as it was.

    No gradient, no augmentation, no draw from any generator; the training mode of every module is restored.
    """
    with evaluation_mode(model):
        return torch.cat([model(part) for part in torch.split(inputs, batch_size or rows_at_once(inputs))])


@contextmanager
def evaluation_mode(*models: nn.Module) -> Iterator[None]:
    """Put models into evaluation mode without gradients inside; each module is in its own mode again outside."""
    wholes = [(model, model.training) for model in models]
    modes = [(module, module.training) for model in models for module in model.modules()]
    for model in models:
        model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        for model, mode in wholes:
            model.train(mode)  # for those that do more in `train` than to set the mode
        for module, mode in modes:
            module.training = mode


def prediction_arrays(
    logits: Tensor, targets: NDArray[np.integer], level: Level, scaling: Scaling | None = None
) -> dict[str, NDArray[Any]]:
    """Turn logits [sample, class] into what is recorded; see `probability_arrays`.

    Labels are the argmax of the logits, the lowest index at ties. With a ``scaling`` that says so there are also
    ``tempered_confidence`` and ``tempered_own_probability``: those after temperature scaling.
    """
    # numpy's argmax promises the first of equal values; torch's does not on every device.
    labels = logits.cpu().numpy().argmax(1)
    if level == "labels":
        return {"labels": labels}
    arrays = probability_arrays(recorded_probabilities(logits, scaling), targets, level)
    if scaling is not None and scaling.is_beside:
        tempered = probability_arrays(_softmax(logits, scaling.temperature), targets, "scores")
        arrays |= {f"{TEMPERED}{name}": tempered[name] for name in ("confidence", "own_probability")}
    return arrays | {"labels": labels}


def recorded_probabilities(logits: Tensor, scaling: Scaling | None) -> NDArray[np.float32]:
    """Return the probabilities [sample, class] that are recorded: after scaling where that is applied."""
    return _softmax(logits, scaling.temperature if scaling is not None and scaling.is_applied else 1.0)


def _softmax(logits: Tensor, temperature: float) -> NDArray[np.float32]:
    found: NDArray[np.float32] = (logits.to(torch.float32) / temperature).softmax(1).cpu().numpy()
    return found


def probability_arrays(
    probabilities: NDArray[np.floating], targets: NDArray[np.integer], level: Level
) -> dict[str, NDArray[Any]]:
    """Turn probabilities into what is recorded.

    Args:
        probabilities: Shape [sample, class].
        targets: Shape [sample]; -1 where unknown.
        level: See `RecordConfig`.

    Returns:
        ``labels`` [sample]: argmax, the lowest index at ties. With ``scores``, [sample]: ``own_probability`` (of
        the target; NaN where unknown), ``confidence`` (of the label), ``margin`` (first minus second
        probability), ``entropy`` (of the probabilities, nats). With ``full`` also ``probabilities`` [sample,
        class].

    Examples:
        >>> arrays = probability_arrays(np.array([[0.75, 0.25]]), np.array([1]), "scores")
        >>> {name: values.round(4).tolist() for name, values in arrays.items()}
        {'labels': [0], 'own_probability': [0.25], 'confidence': [0.75], 'margin': [0.5], 'entropy': [0.5623]}
    """
    arrays: dict[str, NDArray[Any]] = {"labels": probabilities.argmax(1)}
    if level == "labels":
        return arrays
    from scipy.special import entr

    rows, known = np.arange(len(probabilities)), targets >= 0
    top = np.partition(probabilities, -2, axis=1)[:, -2:]
    arrays |= {
        "own_probability": np.where(known, probabilities[rows, np.where(known, targets, 0)], np.nan),
        "confidence": top[:, 1],
        "margin": top[:, 1] - top[:, 0],
        "entropy": entr(probabilities).sum(1),
    }
    if level == "full":
        arrays["probabilities"] = probabilities
    return arrays
