"""The mean loss of networks on samples, as a function of their weights."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from reseed._arrays import ArrayLike
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.curvature.operators._batches import Batch, Pairs, batches_of, with_channels_last
from reseed.curvature.operators._function import Chosen, Mode, WeightFunction, weight_function
from reseed.curvature.operators._losses import Loss, check_loss, mean_losses, sample_losses
from reseed.models import Networks, gains_by_channels_last

_TOGETHER = 512  # samples up to which several networks at once are faster on a CPU than one after the other


@final
@dataclass(frozen=True, eq=False)
class EmpiricalRisk:
    """The mean loss of K networks on samples, a function of their weights; made by `empirical_risk`.

        L_r(w) = mean over samples i of loss(f(x_i; w), y_i)

    A vector of a run has its weights in the order of ``named_parameters``, one after the other.

    Attributes:
        weights: Where the networks are, [run, parameter].
        shapes: Of the parameters, by name, in the order of the vector.
        batches: The samples.
        loss: What is averaged.
        seed: Of dropout and other draws of the networks, the same at every evaluation.
        in_turn: Whether one run is worked through after the other.
        function: The networks.
    """

    function: WeightFunction
    weights: Tensor
    batches: tuple[Batch, ...]
    loss: Loss
    seed: int
    in_turn: bool

    def __repr__(self) -> str:
        return f"EmpiricalRisk({self.runs} runs, {self.size} parameters, {self.examples} examples)"

    @property
    def runs(self) -> int:
        """How many networks."""
        return len(self.weights)

    @property
    def size(self) -> int:
        """How many weights each has."""
        return self.weights.shape[1]

    @property
    def examples(self) -> int:
        """How many samples the loss is a mean over."""
        return sum(len(batch.inputs) for batch in self.batches)

    @property
    def shapes(self) -> Mapping[str, torch.Size]:
        """The parameters' shapes by name, in the order of the vector."""
        return self.function.shapes

    def at(self, weights: Tensor) -> EmpiricalRisk:
        """Return the same of other weights [run, parameter].

        Raises:
            InputError: They have another shape.
        """
        if weights.shape != self.weights.shape:
            raise InputError(f"weights are {tuple(weights.shape)}; pass {tuple(self.weights.shape)}, [run, parameter].")
        return dataclasses.replace(self, weights=weights.detach().to(self.weights))

    def of_run(self, run: int) -> EmpiricalRisk:
        """Return that of one run alone.

        Raises:
            InputError: There is no such run.
        """
        if not 0 <= run < self.runs:
            raise InputError(f"run is {run}; there are {self.runs}, counted from 0.")
        return self.of_runs([run])

    def of_runs(self, runs: Sequence[int]) -> EmpiricalRisk:
        """Return that of some runs alone, by their places."""
        places = torch.tensor(runs, dtype=torch.int64, device=self.weights.device)
        own = {name: value[places.to(value.device)] for name, value in self.function.constants.items()}
        return dataclasses.replace(
            self, function=dataclasses.replace(self.function, constants=own), weights=self.weights[places]
        )

    def losses(self) -> Tensor:
        """Return the mean loss of each run, [run]; it may be infinite or NaN."""
        with torch.no_grad():
            parts = [batch.share * self._each(batch, mean_losses) for batch in self.batches]
            return torch.stack(parts).sum(0)

    def sample_losses(self) -> Tensor:
        """Return the loss of each sample, [run, sample]."""
        with torch.no_grad():
            return torch.cat([self._each(batch, sample_losses) for batch in self.batches], 1)

    def _each(self, batch: Batch, losses: Callable[[Loss, Tensor, Tensor], Tensor]) -> Tensor:
        parts = [
            losses(self.loss, self.outputs(self.weights[runs], runs, batch), batch.targets) for runs in self.groups()
        ]
        return torch.cat(parts)

    def gradient(self) -> Tensor:
        """Return the gradient of each run's mean loss, [run, parameter]; 0 for weights that are not used.

        Raises:
            InputError: The loss is no scalar, is not finite, or does not depend on the weights.
        """
        parts = [
            torch.cat([batch.share * self.slope(runs, batch, twice=False)[1] for runs in self.groups()])
            for batch in self.batches
        ]
        return torch.stack(parts).sum(0)

    def losses_and_gradient(self) -> tuple[Tensor, Tensor]:
        """Return the mean loss of each run, [run], and its gradient, [run, parameter]; both may be infinite or NaN.

        Raises:
            InputError: The loss is no scalar, or does not depend on the weights.
        """
        losses, gradient = self.weights.new_zeros(self.runs), torch.zeros_like(self.weights)
        for batch in self.batches:
            for runs in self.groups():
                _, own, slope = self._slope(runs, batch, twice=False)
                losses[runs] += batch.share * own.detach()
                gradient[runs] += batch.share * slope
        return losses, gradient

    def groups(self) -> Iterator[slice]:
        """Return which runs are worked through at once."""
        step = 1 if self.in_turn else self.runs
        return (slice(first, first + step) for first in range(0, self.runs, step))

    def outputs(self, weights: Tensor, runs: slice, batch: Batch) -> Tensor:
        """Return outputs [run, sample, ...] of some runs; draws are the same every time."""
        with self.drawing():
            return self.function(weights, runs, batch.inputs)

    @contextmanager
    def drawing(self) -> Iterator[None]:
        """Lend torch's generator a state of this risk's own: dropout inside foreign code draws from no other one."""
        device = self.weights.device
        with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
            torch.default_generator.manual_seed(self.seed)  # torch.manual_seed would seed all devices
            if device.type == "cuda":
                torch.cuda.default_generators[device.index].manual_seed(self.seed)
            yield

    def slope(self, runs: slice, batch: Batch, *, twice: bool) -> tuple[Tensor, Tensor]:
        """Return weights [run, parameter] and the gradient of a batch's mean loss there, of some runs.

        Args:
            runs: Which.
            batch: Of which samples.
            twice: Whether the gradient can be differentiated in these weights.

        Raises:
            InputError: The loss is no scalar, is not finite, or does not depend on the weights.
        """
        weights, losses, gradient = self._slope(runs, batch, twice=twice)
        check_finite(losses, runs, "loss")
        check_finite(gradient, runs, "the gradient of the loss")
        return weights, gradient

    def _slope(self, runs: slice, batch: Batch, *, twice: bool) -> tuple[Tensor, Tensor, Tensor]:
        with torch.enable_grad():
            weights = self.weights[runs].clone().requires_grad_()
            losses = mean_losses(self.loss, self.outputs(weights, runs, batch), batch.targets)
            if not losses.requires_grad:
                raise InputError(
                    "loss does not depend on the weights; pass a loss of the network's outputs that is not detached."
                )
            (gradient,) = torch.autograd.grad(losses.sum(), weights, create_graph=twice)
        return weights, losses, gradient


def empirical_risk(
    model: nn.Module | Networks,
    inputs: ArrayLike | Pairs,
    targets: ArrayLike | None = None,
    *,
    loss: Loss = "cross_entropy",
    parameters: Chosen | None = None,
    mode: Mode | None = None,
    dtype: torch.dtype | None = None,
    batch_size: int | None = None,
    seed: int = 0,
) -> EmpiricalRisk:
    """Return the mean loss of networks on samples, as what curvature operators are made of.

        L_r(w) = mean over samples i of loss(f(x_i; w), y_i)

    The networks are copied as they are now: weights, ``.grad``, modes and buffers of those that are given stay as they
    are, and no random number is taken. Batches count by their samples, a short last one too.

    Args:
        model: A module, inputs [sample, ...] to outputs [sample, class], or `reseed.models.Networks`. A module is asked
            in its mode: in training mode batch norms use the statistics of each batch, and the curvature is another.
        inputs: [sample, ...], or an iterable of batches (inputs, targets), which is gone through once.
        targets: Class labels [sample], or of a squared error numbers like the outputs.
        loss: ``"cross_entropy"``, ``"squared_error"`` (the mean over samples and outputs of (z - y)^2, torch's
            ``MSELoss``; labels become 1 for the class and 0 for the others), or a function of outputs and targets
            that returns the mean over samples.
        parameters: Names of parameters or of layers that hold them, or a function that tells whether a name belongs;
            default: all that require gradients. The others are held fixed.
        mode: ``"train"`` or ``"eval"``; default: a module's own.
        dtype: What to compute in; default: the weights' own. ``torch.float64`` makes second derivatives exact to
            twelve digits.
        batch_size: How many samples are worked through at once; default: all. Products in one batch are faster, since
            the graph of the gradient is kept, as far as a gibibyte reaches.
        seed: Of dropout and other draws in training mode; they are the same at every evaluation.

    Returns:
        See `EmpiricalRisk`.

    Raises:
        InputError: There are no weights or samples, targets do not fit, or an option is out of its range.
        InputTypeError: An argument is of another kind.

    Examples:
        >>> model = torch.nn.Linear(3, 2)
        >>> risk = empirical_risk(model, torch.rand(10, 3), torch.arange(10) % 2)
        >>> risk.losses().shape, risk.gradient().shape, list(risk.shapes)
        (torch.Size([1]), torch.Size([1, 8]), ['weight', 'bias'])
    """
    check_loss(loss)
    check_whole("seed", seed, 0)
    if dtype is not None and not dtype.is_floating_point:
        raise InputError(f"dtype must be of numbers with a point, such as torch.float64, got {dtype}.")
    function, weights = weight_function(model, parameters, mode, dtype)
    batches = batches_of(inputs, targets, batch_size, weights.device, weights.dtype)
    if gains_by_channels_last(function.module):
        batches = tuple(map(with_channels_last, batches))
    risk = EmpiricalRisk(function, weights, batches, loss, seed, in_turn=False)
    return dataclasses.replace(risk, in_turn=_goes_in_turn(risk))


def check_finite(values: Tensor, runs: slice, what: str) -> None:
    """Accept numbers [run, ...] that are finite.

    Raises:
        InputError: One is not; the message names the run.
    """
    is_bad = ~values.detach().isfinite().flatten(1).all(1) if values.ndim > 1 else ~values.detach().isfinite()
    if bool(is_bad.any()):
        run = int(is_bad.nonzero()[0])
        bad = values.detach()[run].flatten()
        number = float(bad[~bad.isfinite()][0])
        raise InputError(f"{what} of run {runs.start + run} is {number}; leave out runs that have diverged.")


def _goes_in_turn(risk: EmpiricalRisk) -> bool:
    """Tell whether the runs are worked through one after the other: where that is faster, or nothing else works."""
    if risk.runs == 1:
        return True
    if risk.weights.device.type == "cpu":
        has_images = any(isinstance(each, nn.Conv2d) for each in risk.function.module.modules())
        if has_images or max(len(batch.inputs) for batch in risk.batches) > _TOGETHER:
            return True
    try:
        with torch.no_grad():
            risk.outputs(risk.weights, slice(0, risk.runs), risk.batches[0])
    except RuntimeError:
        return True  # code that cannot be mapped over runs
    return False
