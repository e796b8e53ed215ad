"""What the numbers along a training are called where lenses speak, and what they are."""

from __future__ import annotations

from reseed.scores import NONE, Column

LENS = "curvature"
_SOURCE = f"{LENS}.CurvatureTracker"

SERIES: dict[str, Column] = {
    "tracked_loss": Column("training loss of the samples measured", NONE, "[0, inf]", "nats", _SOURCE),
    "tracked_sharpness": Column(
        "largest eigenvalue of the Hessian of the training loss, along the training",
        NONE,
        "[-inf, inf]",
        "nats",
        _SOURCE,
    ),
    "tracked_ratio": Column(
        "sharpness, preconditioned where the optimiser is, over what the optimiser bears at its present rate; 1 is the "
        "edge",
        NONE,
        "[-inf, inf]",
        "ratio",
        _SOURCE,
    ),
}
"""Numbers of each run along its training."""
