"""Which of your model's answers would change if you trained it again, and how do you make them stop?

The main job is one call, `measure`; training of one's own goes through `run`, predictions that are already there
through `Study.from_predictions`. Every measure is a pure function in `reseed.instability`.
"""

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
from reseed.instability import Comparison, Stability, WhereUnstable, evaluate, where_unstable
from reseed.integrations import Recorder
from reseed.models import ModelConfig
from reseed.studies import Study, import_predictions, run, train_study
from reseed.training import AverageConfig, OptimizerConfig, Recipe, RecordConfig, ScheduleConfig, SeedPlan
from reseed.workflows import (
    Attribution,
    BootstrapMeasurement,
    Measurement,
    NestedMeasurement,
    Tuning,
    attribute,
    bootstrap,
    compare,
    export,
    inspect,
    measure,
    measure_bootstrap,
    measure_nested,
    mitigate,
    profile,
    recipe_for,
    tune,
)

__all__ = [
    "Attribution",
    "AverageConfig",
    "BootstrapMeasurement",
    "Comparison",
    "DataConfig",
    "DataError",
    "Dataset",
    "DeterminismError",
    "InputError",
    "InputTypeError",
    "Measurement",
    "MissingExtraError",
    "ModelConfig",
    "ModelError",
    "NestedMeasurement",
    "OptimizerConfig",
    "Recipe",
    "RecipeError",
    "RecordConfig",
    "Recorder",
    "ReseedError",
    "ScheduleConfig",
    "SeedPlan",
    "Splits",
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
    "import_predictions",
    "inspect",
    "load",
    "max_bytes",
    "measure",
    "measure_bootstrap",
    "measure_nested",
    "mitigate",
    "profile",
    "recipe_for",
    "run",
    "train_study",
    "tune",
    "where_unstable",
]
