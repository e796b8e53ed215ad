"""Checks the axes named in the kernels' annotations while the tests of this package run."""

from jaxtyping import install_import_hook

install_import_hook(
    [
        "reseed.instability._target_margin",
        "reseed.instability.labels._counts",
        "reseed.instability.labels._entropy_table",
        "reseed.instability.labels._flip_pairs",
        "reseed.instability.dynamics._forgetting",
        "reseed.instability.intervals._leave_one_out",
        "reseed.instability.dynamics._margins",
        "reseed.instability.dynamics._training_dynamics",
        "reseed.instability.dynamics._trajectory",
    ],
    "beartype.beartype",
)
