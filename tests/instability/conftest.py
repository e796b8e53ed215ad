"""Checks the axes named in the kernels' annotations while the tests of this package run."""

from jaxtyping import install_import_hook

install_import_hook(
    [
        "reseed.instability._counts",
        "reseed.instability._entropy_table",
        "reseed.instability._flip_pairs",
        "reseed.instability._forgetting",
        "reseed.instability._leave_one_out",
        "reseed.instability._margins",
        "reseed.instability._training_dynamics",
        "reseed.instability._trajectory",
    ],
    "beartype.beartype",
)
