"""What is asked for in one call: one file a verb.

The names here are the main calls of `reseed` itself, where users find them: `reseed.measure`, `reseed.mitigate` and so
on. A workflow brings the other packages together and keeps no measure, method or engine of its own.
"""

from reseed.workflows._attribute import ATTRIBUTION, ATTRIBUTION_PAGE, Attribution, attribute
from reseed.workflows._bootstrap import BOOTSTRAP, BOOTSTRAP_PAGE, BootstrapMeasurement, measure_bootstrap
from reseed.workflows._bootstrap_fit import bootstrap
from reseed.workflows._compare import COMPARISON, PAGE, compare, comparison_folder, write_comparison
from reseed.workflows._designs import (
    DESIGNS,
    Design,
    OpenedDesign,
    design_of_study,
    open_design,
    open_study_or_design,
    studies_below,
    suspects_beside,
)
from reseed.workflows._export import export
from reseed.workflows._foretell import foretell
from reseed.workflows._gate import changed_csv, gate
from reseed.workflows._measure import REPORT, Measurement, inspect, measure
from reseed.workflows._medoid import medoid
from reseed.workflows._memorize import SUSPECTS, Memorized, memorize
from reseed.workflows._mitigate import mitigate
from reseed.workflows._nested import NESTED, NESTED_PAGE, NestedMeasurement, measure_nested
from reseed.workflows._profile import profile, profile_summary
from reseed.workflows._randomize import RANDOMIZATION, RANDOMIZATION_PAGE, Randomization, randomize
from reseed.workflows._recipe import RECIPE_FIELDS, RecipeArguments, TrainingArguments, recipe_fields, recipe_for
from reseed.workflows._stabilise import (
    REMEDIES,
    STABILISATION,
    STABILISATION_PAGE,
    Stabilisation,
    stabilise,
)
from reseed.workflows._tune import TUNED, TUNING, TUNING_PAGE, Tuning, tune
from reseed.workflows._views import print_memorized, print_tuning

__all__ = [
    "ATTRIBUTION",
    "ATTRIBUTION_PAGE",
    "BOOTSTRAP",
    "BOOTSTRAP_PAGE",
    "COMPARISON",
    "DESIGNS",
    "NESTED",
    "NESTED_PAGE",
    "PAGE",
    "RANDOMIZATION",
    "RANDOMIZATION_PAGE",
    "RECIPE_FIELDS",
    "REMEDIES",
    "REPORT",
    "STABILISATION",
    "STABILISATION_PAGE",
    "SUSPECTS",
    "TUNED",
    "TUNING",
    "TUNING_PAGE",
    "Attribution",
    "BootstrapMeasurement",
    "Design",
    "Measurement",
    "Memorized",
    "NestedMeasurement",
    "OpenedDesign",
    "Randomization",
    "RecipeArguments",
    "Stabilisation",
    "TrainingArguments",
    "Tuning",
    "attribute",
    "bootstrap",
    "changed_csv",
    "compare",
    "comparison_folder",
    "design_of_study",
    "export",
    "foretell",
    "gate",
    "inspect",
    "measure",
    "measure_bootstrap",
    "measure_nested",
    "medoid",
    "memorize",
    "mitigate",
    "open_design",
    "open_study_or_design",
    "print_memorized",
    "print_tuning",
    "profile",
    "profile_summary",
    "randomize",
    "recipe_fields",
    "recipe_for",
    "stabilise",
    "studies_below",
    "suspects_beside",
    "tune",
    "write_comparison",
]
