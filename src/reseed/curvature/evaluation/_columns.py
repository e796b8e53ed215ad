"""What the numbers of the curvature lens are, and in which groups they stand."""

from __future__ import annotations

from reseed.curvature.tracking._columns import LENS, SERIES
from reseed.scores import HIGHER, NONE, Column


def _column(about: str, direction: str, reach: str, unit: str, source: str) -> Column:
    return Column(about, direction, reach, unit, f"{LENS}.{source}")  # type: ignore[arg-type]


SAMPLES: dict[str, Column] = {
    "gradient_norm": _column(
        "length of the gradient of the sample's loss in the weights", HIGHER, "[0, inf]", "nats", "sample_curvature"
    ),
    "gradient_curvature": _column(
        "how the sample's loss bends along its own gradient g: g'Hg, with its own Hessian H",
        NONE,
        "[-inf, inf]",
        "nats",
        "sample_curvature",
    ),
}
"""Columns of samples and runs."""

RUNS: dict[str, Column] = {
    "sharpness": _column(
        "largest eigenvalue of the Hessian of the training loss", NONE, "[-inf, inf]", "nats", "sharpness"
    ),
    "smallest_eigenvalue": _column(
        "smallest eigenvalue of the Hessian of the training loss", NONE, "[-inf, inf]", "nats", "eigenvalues"
    ),
    "normalised_sharpness": _column(
        "sharpness over the largest curvature that the optimiser bears at its peak rate; 1 is the edge",
        NONE,
        "[-inf, inf]",
        "ratio",
        "normalised_sharpness",
    ),
    "hessian_trace": _column("sum of the eigenvalues of the Hessian", NONE, "[-inf, inf]", "nats", "trace"),
    "hessian_norm": _column(
        "root of the sum of squares of the eigenvalues of the Hessian", NONE, "[0, inf]", "nats", "frobenius_norm"
    ),
    "loss_asked": _column("training loss of the samples asked", NONE, "[0, inf]", "nats", "evaluate"),
    "gradient_length": _column("length of the gradient of that loss", NONE, "[0, inf]", "nats", "gradient_noise"),
    "curvature_along_gradient": _column(
        "how the loss bends along its gradient g: g'Hg / g'g", NONE, "[-inf, inf]", "nats", "alignment"
    ),
    "gradient_in_top": _column(
        "share of the squared gradient in the span of the largest eigenvectors that were looked for",
        NONE,
        "[0, 1]",
        "share",
        "alignment",
    ),
    "gradient_noise_scale": _column(
        "size of a batch of whose gradient half the squared length is noise",
        NONE,
        "[0, inf]",
        "samples",
        "gradient_noise",
    ),
}
"""Numbers of each run."""

ALL = SAMPLES | RUNS | SERIES

GROUPS: dict[str, tuple[str, ...]] = {
    "How sharply the loss bends": (
        "sharpness",
        "normalised_sharpness",
        "smallest_eigenvalue",
        "hessian_trace",
        "hessian_norm",
    ),
    "How the gradient lies": (
        "loss_asked",
        "gradient_length",
        "curvature_along_gradient",
        "gradient_in_top",
        "gradient_noise_scale",
    ),
    "Single samples": ("gradient_norm", "gradient_curvature"),
}
"""Names of the summary's means by the title of their group."""
