"""What is asked for in one call: one file a verb.

The names here are the main calls of `reseed` itself, where users find them: `reseed.measure`, `reseed.mitigate` and so
on. A workflow brings the other packages together and keeps no measure, method or engine of its own.
"""

from reseed.workflows._attribute import Attribution, attribute
from reseed.workflows._bootstrap import BootstrapMeasurement, measure_bootstrap
from reseed.workflows._bootstrap_fit import bootstrap
from reseed.workflows._compare import compare
from reseed.workflows._export import export
from reseed.workflows._measure import Measurement, inspect, measure, recipe_for
from reseed.workflows._mitigate import mitigate
from reseed.workflows._nested import NestedMeasurement, measure_nested
from reseed.workflows._profile import profile
from reseed.workflows._tune import Tuning, tune

__all__ = [
    "Attribution",
    "BootstrapMeasurement",
    "Measurement",
    "NestedMeasurement",
    "Tuning",
    "attribute",
    "bootstrap",
    "compare",
    "export",
    "inspect",
    "measure",
    "measure_bootstrap",
    "measure_nested",
    "mitigate",
    "profile",
    "recipe_for",
    "tune",
]
