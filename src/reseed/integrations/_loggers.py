"""A study's figures in an experiment tracker: whole-study numbers only, the study itself stays the record."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from numbers import Real
from typing import Any, Protocol, final

from reseed._errors import InputError, MissingExtraError


class MetricLogger(Protocol):
    """Where figures go: anything with this one method."""

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Take figures by name at a step."""


def log_study(found: Any, logger: MetricLogger, step: int = 0, prefix: str = "reseed/") -> dict[str, float]:
    """Hand the figures of a measured study to a tracker.

    Only numbers of the whole study are logged, none per sample. A pair of ends, such as an interval's, becomes two
    figures, ``NAME_low`` and ``NAME_high``; texts and figures without a value are left out.

    Args:
        found: What `reseed.inspect` or `reseed.measure` returns, or its ``summary``.
        logger: Where to.
        step: The step they are logged at, such as a number of runs.
        prefix: What every name begins with.

    Returns:
        What was logged.

    Raises:
        InputError: ``found`` has no summary.

    Examples:
        >>> class Printed:
        ...     def log(self, values, step):
        ...         print(step, values)
        >>> summary = {"jitter": 0.25, "jitter_ci95": [0.125, 0.375], "model": "mlp", "accuracy_mean": None}
        >>> logged = log_study(summary, Printed(), step=10)
        10 {'reseed/jitter': 0.25, 'reseed/jitter_ci95_low': 0.125, 'reseed/jitter_ci95_high': 0.375}
    """
    summary = getattr(found, "summary", found)
    if not isinstance(summary, Mapping):
        raise InputError(f"found must be a measurement or its summary, got {type(found).__name__}; pass it through "
                         "reseed.inspect first.")  # fmt: skip
    values = {prefix + name: value for name, value in _figures(summary)}
    logger.log(values, step)
    return values


def _figures(summary: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in summary.items():
        is_pair = isinstance(value, list | tuple) and len(value) == 2
        parts = zip((f"{name}_low", f"{name}_high"), value, strict=True) if is_pair else [(name, value)]
        for part, number in parts:
            if _is_figure(number):
                yield part, float(number)


def _is_figure(value: Any) -> bool:
    return not isinstance(value, bool) and isinstance(value, Real) and math.isfinite(value)


@final
class TensorBoardLogger:
    """Writes scalars with a ``SummaryWriter`` of torch or tensorboardX.

    Args:
        writer: Opened, and closed in the end, by the caller.
    """

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Write figures by name at a step."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()


@final
class MLflowLogger:
    """Logs metrics to a run of MLflow.

    Args:
        run_id: The run; default: the active one, which MLflow begins where there is none.

    Raises:
        MissingExtraError: MLflow is not installed.
    """

    def __init__(self, run_id: str | None = None) -> None:
        try:
            import mlflow
        except ImportError as error:
            raise MissingExtraError(
                "MLflowLogger needs the package mlflow; install it with: pip install mlflow-skinny."
            ) from error
        self._mlflow, self._run_id = mlflow, run_id

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log figures by name at a step."""
        self._mlflow.log_metrics(dict(values), step=step, run_id=self._run_id)


@final
class WandbLogger:
    """Logs to a run of Weights & Biases, online or offline.

    Args:
        run: What ``wandb.init`` returned.
    """

    def __init__(self, run: Any) -> None:
        self._run = run

    def log(self, values: Mapping[str, float], step: int) -> None:
        """Log figures by name at a step."""
        self._run.log(dict(values), step=step)
