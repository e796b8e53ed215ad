"""Which of your model's answers would change if you trained it again, and how do you make them stop?

The main job is one call, `measure`; training of one's own goes through `run`, predictions that are already there
through `Study.from_predictions`. Every measure is a pure function in `reseed.instability`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reseed import curvature as curvature
    from reseed import data as data
    from reseed import engines as engines
    from reseed import instability as instability
    from reseed import integrations as integrations
    from reseed import memorization as memorization
    from reseed import mitigations as mitigations
    from reseed import models as models
    from reseed import perturbations as perturbations
    from reseed import report as report
    from reseed import robustness as robustness
    from reseed import scores as scores
    from reseed import statistics as statistics
    from reseed import studies as studies
    from reseed import training as training
    from reseed import workflows as workflows
    from reseed._errors import (
        DataError,
        DeterminismError,
        InputError,
        InputTypeError,
        MissingExtraError,
        ModelError,
        RecipeError,
        ReseedError,
        StorageError,
        StudyError,
        TrainingError,
    )
    from reseed._limits import max_bytes
    from reseed.data import DataConfig, Dataset, Splits, load
    from reseed.instability import Comparison, Gate, Stability, WhereUnstable, evaluate, where_unstable
    from reseed.integrations import Recorder
    from reseed.models import ModelConfig
    from reseed.scores import Foretelling
    from reseed.studies import Study, import_predictions, run, train_study
    from reseed.training import AverageConfig, OptimizerConfig, Recipe, RecordConfig, ScheduleConfig, SeedPlan
    from reseed.workflows._attribute import Attribution, attribute
    from reseed.workflows._bootstrap import BootstrapMeasurement, measure_bootstrap
    from reseed.workflows._bootstrap_fit import bootstrap
    from reseed.workflows._compare import compare
    from reseed.workflows._export import export
    from reseed.workflows._foretell import foretell
    from reseed.workflows._gate import gate
    from reseed.workflows._measure import Measurement, inspect, measure
    from reseed.workflows._medoid import medoid
    from reseed.workflows._memorize import Memorized, memorize
    from reseed.workflows._mitigate import mitigate
    from reseed.workflows._nested import NestedMeasurement, measure_nested
    from reseed.workflows._profile import profile
    from reseed.workflows._randomize import Randomization, randomize
    from reseed.workflows._recipe import recipe_for
    from reseed.workflows._stabilise import Stabilisation, stabilise
    from reseed.workflows._tune import Tuning, tune

__all__ = [
    "Attribution",
    "AverageConfig",
    "BootstrapMeasurement",
    "Comparison",
    "DataConfig",
    "DataError",
    "Dataset",
    "DeterminismError",
    "Foretelling",
    "Gate",
    "InputError",
    "InputTypeError",
    "Measurement",
    "Memorized",
    "MissingExtraError",
    "ModelConfig",
    "ModelError",
    "NestedMeasurement",
    "OptimizerConfig",
    "Randomization",
    "Recipe",
    "RecipeError",
    "RecordConfig",
    "Recorder",
    "ReseedError",
    "ScheduleConfig",
    "SeedPlan",
    "Splits",
    "Stabilisation",
    "Stability",
    "StorageError",
    "Study",
    "StudyError",
    "TrainingError",
    "Tuning",
    "WhereUnstable",
    "attribute",
    "bootstrap",
    "compare",
    "evaluate",
    "export",
    "foretell",
    "gate",
    "import_predictions",
    "inspect",
    "load",
    "max_bytes",
    "measure",
    "measure_bootstrap",
    "measure_nested",
    "medoid",
    "memorize",
    "mitigate",
    "profile",
    "randomize",
    "recipe_for",
    "run",
    "stabilise",
    "train_study",
    "tune",
    "where_unstable",
]

_HOMES = {
    "reseed.workflows._attribute": ("Attribution", "attribute"),
    "reseed.workflows._randomize": ("Randomization", "randomize"),
    "reseed.workflows._stabilise": ("Stabilisation", "stabilise"),
    "reseed.workflows._bootstrap": ("BootstrapMeasurement", "measure_bootstrap"),
    "reseed.workflows._bootstrap_fit": ("bootstrap",),
    "reseed.workflows._compare": ("compare",),
    "reseed._errors": (
        "DataError",
        "DeterminismError",
        "InputError",
        "InputTypeError",
        "MissingExtraError",
        "ModelError",
        "RecipeError",
        "ReseedError",
        "StorageError",
        "StudyError",
        "TrainingError",
    ),
    "reseed.workflows._export": ("export",),
    "reseed.workflows._foretell": ("foretell",),
    "reseed.workflows._gate": ("gate",),
    "reseed._limits": ("max_bytes",),
    "reseed.workflows._measure": ("Measurement", "inspect", "measure"),
    "reseed.workflows._medoid": ("medoid",),
    "reseed.workflows._memorize": ("Memorized", "memorize"),
    "reseed.workflows._mitigate": ("mitigate",),
    "reseed.workflows._nested": ("NestedMeasurement", "measure_nested"),
    "reseed.workflows._profile": ("profile",),
    "reseed.workflows._recipe": ("recipe_for",),
    "reseed.workflows._tune": ("Tuning", "tune"),
    "reseed.data": ("DataConfig", "Dataset", "Splits", "load"),
    "reseed.instability": ("Comparison", "Gate", "Stability", "WhereUnstable", "evaluate", "where_unstable"),
    "reseed.integrations": ("Recorder",),
    "reseed.models": ("ModelConfig",),
    "reseed.scores": ("Foretelling",),
    "reseed.studies": ("Study", "import_predictions", "run", "train_study"),
    "reseed.training": ("AverageConfig", "OptimizerConfig", "Recipe", "RecordConfig", "ScheduleConfig", "SeedPlan"),
}
_ROOMS = (
    "curvature",
    "data",
    "engines",
    "instability",
    "integrations",
    "memorization",
    "mitigations",
    "models",
    "perturbations",
    "report",
    "robustness",
    "scores",
    "statistics",
    "studies",
    "training",
    "workflows",
)
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    """Import what is asked for: torch takes seconds, and neither help nor a mistake needs it (PEP 562)."""
    if name in _ROOMS:
        return import_module(f"reseed.{name}")
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOME_OF[name]), name)
    return value


def __dir__() -> list[str]:
    """Return what there is, loaded or not."""
    return sorted({*globals(), *__all__, *_ROOMS})
