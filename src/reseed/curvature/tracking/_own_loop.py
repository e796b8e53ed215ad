"""Curvature along a training that a loop of one's own drives."""

from __future__ import annotations

import math
import warnings
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, final

import numpy as np
import torch
from torch import nn

from reseed._arrays import ArrayLike
from reseed._errors import InputError, InputTypeError
from reseed._numbers import check_whole
from reseed.curvature.operators._batches import as_tensor, check_as_many
from reseed.curvature.operators._function import Mode
from reseed.curvature.operators._losses import Loss
from reseed.curvature.operators._risk import EmpiricalRisk, empirical_risk
from reseed.curvature.stability._diagnosis import Diagnosis
from reseed.curvature.stability._preconditioner import l2_decays, preconditioner
from reseed.curvature.stability._threshold import StabilityThreshold, stability_threshold
from reseed.curvature.tracking._course import Numbers, counted, diagnosed, ratios
from reseed.curvature.tracking._measured import NUMBERS, Optimizing, measured, probe_rows
from reseed.scores import NONE, Column, describe
from reseed.studies import local_folder, replace_file, replace_table

if TYPE_CHECKING:
    import pyarrow as pa
    import xarray as xr

_RATIO = "normalised_sharpness"
_COLUMNS = NUMBERS | {
    _RATIO: Column(
        "sharpness, preconditioned where the optimiser is, over the threshold; 1 is the edge",
        NONE,
        "[-inf, inf]",
        "ratio",
        "curvature.CurvatureTracker",
    )
}


@final
class CurvatureTracker:
    """Measures sharpness and threshold every so many steps of a training loop of one's own.

    Make it before the first step, which is when it measures first, and call `step` once after every step of the
    optimiser, and of the rate's scheduler. The training is bit for bit the one that measures nothing: the module is
    copied as it is, and modes, buffers, ``.grad`` and the states of torch's generators stay as they are. All
    measurements are on the same samples and begin at the same vector.

    What is unusable is refused when it is made. From then on numbers that are not finite, as those of a training that
    diverges are, raise nothing: the loss is recorded as it is, and what such weights do not have is NaN. An adaptive
    optimiser has a preconditioned sharpness after its first step; where it has none later a warning says why, once.

    Args:
        model: The module that is trained.
        optimizer: SGD, Adam, AdamW, RMSprop or Adagrad of torch, which trains it; see `stability_threshold`.
        inputs: Training samples, [sample, ...]. Arrays, not a loader: to go through it would draw from its generator.
        targets: Their targets, [sample].
        every: Steps between two measurements.
        loss: A name, or a function of outputs and targets; see `empirical_risk`. Without what methods and weight decay
            add to it.
        samples: How many of the samples the loss is a mean over, drawn once.
        products: Hessian products of a measurement at most, and for an adaptive optimiser as many again. Few leave
            the sharpness too small where the largest eigenvalues lie close together; ``error`` estimates by how much.
        mode: ``"eval"``, as `reseed measure --curvature` asks networks; or ``"train"``: batch norms then use the
            statistics of the samples, and dropout draws the same masks at every measurement.
        seed: Of the samples, of the first vector, and of dropout in training mode.

    Raises:
        InputError: The module has no trainable parameters, or such as the optimiser does not train; the loss is no
            scalar or does not depend on them; a layer has no second derivatives; there are no samples, targets do not
            fit, or an option is out of its range.
        InputTypeError: The model is no module, or of the optimiser no threshold is known.

    Examples:
        >>> model = nn.Linear(3, 2)
        >>> optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        >>> inputs, labels = torch.rand(20, 3), torch.arange(20) % 2
        >>> curvature = CurvatureTracker(model, optimizer, inputs, labels, every=5)
        >>> for _ in range(10):
        ...     optimizer.zero_grad()
        ...     nn.functional.cross_entropy(model(inputs), labels).backward()
        ...     optimizer.step()
        ...     curvature.step()
        >>> curvature.tracked()["step"].values.tolist(), curvature.diagnosis().state
        ([0, 5, 10], 'stable')

    References:
        Gilmer et al., *A Loss Curvature Perspective on Training Instability in Deep Learning*, arXiv 2110.04369.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        inputs: ArrayLike,
        targets: ArrayLike,
        *,
        every: int = 50,
        loss: Loss = "cross_entropy",
        samples: int = 512,
        products: int = 10,
        mode: Mode = "eval",
        seed: int = 0,
    ) -> None:
        if not isinstance(model, nn.Module):
            raise InputTypeError(
                f"model must be the module whose parameters the optimizer trains, got a {type(model).__name__}."
            )
        for name, value in (("every", every), ("samples", samples), ("products", products)):
            check_whole(name, value)
        check_whole("seed", seed, 0)
        x, y = as_tensor(inputs, "inputs"), as_tensor(targets, "targets")
        check_as_many(x, y)
        rows = probe_rows(len(x), samples, seed)
        self._risk_of = partial(empirical_risk, loss=loss, mode=mode, seed=seed)
        self._probe = x[rows.to(x.device)], y[rows.to(y.device)]
        self._model, self._optimizer = model, optimizer
        self._every, self._products, self._seed = every, products, seed
        self._made = 0
        self._has_warned = False
        self._rows: dict[int, dict[str, float]] = {}
        self._is_preconditioned: dict[int, bool] = {}  # groups that differ at some steps alone make it change
        stability_threshold(optimizer)
        l2_decays(optimizer, self._parameters(self._risk()), "optimizer")  # refuses those that it does not train
        self.measure()

    def __repr__(self) -> str:
        step, last = list(self._rows.items())[-1]
        return (
            f"CurvatureTracker({len(self._rows)} measurements, the last at step {step}: loss {last['loss']:.3g}, "
            f"{last[_RATIO]:.2f} of the threshold)"
        )

    def step(self) -> None:
        """Count a step of the training, and measure where it is time to."""
        self._made += 1
        if self._made % self._every == 0:
            self.measure()

    def measure(self) -> None:
        """Measure now, whatever the number of steps is, as after the last one."""
        risk = self._risk()
        optimizing, is_preconditioned = self._optimizing(risk)
        found = dict(measured(risk, optimizing, products=self._products, seed=self._seed))
        sharpness = counted(found, is_preconditioned=is_preconditioned)
        row = {name: float(values[0]) for name, values in found.items()}
        self._is_preconditioned[self._made] = is_preconditioned
        self._rows[self._made] = row | {_RATIO: float(ratios(sharpness, found["threshold"])[0])}

    def tracked(self) -> xr.Dataset:
        """Return what was measured, each [step]; a step's number is how many were made before.

        ``learning_rate`` is that of the next step; ``loss`` and ``gradient_norm`` are of the samples measured;
        ``sharpness`` and ``error``, how far it may be off; ``preconditioned_sharpness`` and ``preconditioned_error`` of
        optimisers whose threshold is about it, else NaN; ``threshold``; and ``normalised_sharpness``, what counts of
        the sharpness over the threshold: 1 is the edge.
        """
        import xarray as xr

        arrays = {name: ("step", values, _attributes(name)) for name, values in self._numbers().items()}
        return xr.Dataset(arrays, coords={"step": list(self._rows)})

    def diagnosis(self) -> Diagnosis:
        """Say whether the training was stable, at the edge of stability, or diverged, and which step crossed what.

        Raises:
            InputError: The first loss is not finite, the threshold was never above 0, or the sharpness never measured;
                see `diagnose`.
        """
        numbers = self._numbers()
        sharpness = np.where(
            list(self._is_preconditioned.values()), numbers["preconditioned_sharpness"], numbers["sharpness"]
        )
        return diagnosed(numbers["loss"], sharpness, numbers["threshold"], list(self._rows))

    def write(self, path: str | Path) -> Path:
        """Write what was measured as a table, a row each measurement, and return its path.

        Args:
            path: A name that ends in ``.csv`` or ``.parquet``; the fields of the latter say what they hold.

        Raises:
            InputError: It ends in something else.
            StorageError: It cannot be written.
        """
        place = local_folder(path)
        if place.suffix not in (".csv", ".parquet"):
            raise InputError(f"path is {str(path)!r}; choose a name that ends in .csv or .parquet.")
        table = self._table()
        if place.suffix == ".parquet":
            replace_table(place, table)
        else:
            from pyarrow import csv

            replace_file(place, lambda partial: csv.write_csv(table, partial))
        return place

    def _numbers(self) -> dict[str, Numbers]:
        return {name: np.array([row[name] for row in self._rows.values()]) for name in _COLUMNS}

    def _table(self) -> pa.Table:
        import pyarrow as pa

        return describe(pa.table({"step": list(self._rows), **self._numbers()}), _COLUMNS)

    def _risk(self) -> EmpiricalRisk:
        return self._risk_of(self._model, *self._probe)

    def _parameters(self, risk: EmpiricalRisk) -> list[nn.Parameter]:
        own = dict(self._model.named_parameters())
        return [own[name] for name in risk.shapes]

    def _optimizing(self, risk: EmpiricalRisk) -> tuple[Optimizing, bool]:
        """Return what is known of the optimiser, and whether its threshold is that of the preconditioned sharpness."""
        rate = max(float(group["lr"]) for group in self._optimizer.param_groups)
        threshold: StabilityThreshold = stability_threshold(self._optimizer)
        bound = threshold.value if math.isfinite(threshold.value) else math.nan  # at a rate of 0
        if not threshold.preconditioned or math.isnan(bound):
            return Optimizing(rate, bound), threshold.preconditioned
        parameters = self._parameters(risk)
        try:
            scale = preconditioner(self._optimizer, parameters)
        except InputError as error:  # before the first step, and where weights never had a gradient
            if self._made and not self._has_warned:
                self._has_warned = True
                warnings.warn(f"the preconditioned sharpness is NaN: {error}", RuntimeWarning, stacklevel=4)
            return Optimizing(rate, bound), True
        return Optimizing(rate, bound, scale[None], l2_decays(self._optimizer, parameters, "optimizer")), True


def _attributes(name: str) -> dict[str, str]:
    found = _COLUMNS[name]
    return {"long_name": found.about, "units": found.unit}
