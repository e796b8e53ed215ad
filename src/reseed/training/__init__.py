"""What a run is: the recipe, the seed streams, the training loop and its recorder."""

from reseed._choices import Level, Weights
from reseed._draws import draw_bits, draw_key, draw_uniform
from reseed.training._arithmetic import arithmetic, check_threads, usual_threads
from reseed.training._augment import augment
from reseed.training._average import average_notes
from reseed.training._defaults import default_recipe
from reseed.training._draws import DropoutDraws
from reseed.training._evaluated import EvaluatedWeights, whole_weights
from reseed.training._held_out import FittedTemperature, held_out_rows, part_of, temperature_of
from reseed.training._length import check_length
from reseed.training._loop import AbstractTraining, Training, check_forward, steps_per_epoch
from reseed.training._monitor import GradientNormRecorder, gradient_norms
from reseed.training._objective import Taught
from reseed.training._passes import check_dropout
from reseed.training._probe import makes_use_of, probe_determinism
from reseed.training._recipe import (
    AverageConfig,
    OptimizerConfig,
    Recipe,
    ScheduleConfig,
    as_tree,
    from_tree,
    load_recipe,
    mitigated,
    with_settings,
)
from reseed.training._record import (
    SMALL_WEIGHTS,
    TEMPERED,
    NoSink,
    RecordConfig,
    Scaling,
    Sink,
    evaluation_mode,
    predict,
    prediction_arrays,
    probability_arrays,
)
from reseed.training._run import DROPOUT, TRACKED, RecordedSplit, TrainingOutcome, run_training
from reseed.training._schedule import cycle_ends, lr_factor
from reseed.training._seeds import (
    DEFAULT_VARY,
    DRAWS,
    FIRST_DRAWS,
    STREAMS,
    SeedPlan,
    Seeds,
    Stream,
    check_draws,
    check_vary,
    generator,
    seeds_of_peers,
)
from reseed.training._snapshot import Snapshot, below, prefixed
from reseed.training._stacked import StackedTraining, group_size, rounds_apart, trains_apart
from reseed.training._step import Step
from reseed.training._subset import Subset
from reseed.training._teach import Lesson, Pilot, check_stages, find_transient, recipe_of_teachers, teach
from reseed.training._track import STEP, Stand, Tracker, check_tracked, tracker_of
from reseed.training._trained_on import trained_on
from reseed.training._training_set import TrainingSet
from reseed.training._trial import check_can_stack
from reseed.training._watch import Moment, Standing, Watcher

__all__ = [
    "DEFAULT_VARY",
    "DRAWS",
    "DROPOUT",
    "FIRST_DRAWS",
    "SMALL_WEIGHTS",
    "STEP",
    "STREAMS",
    "TEMPERED",
    "TRACKED",
    "AbstractTraining",
    "AverageConfig",
    "DropoutDraws",
    "EvaluatedWeights",
    "FittedTemperature",
    "GradientNormRecorder",
    "Lesson",
    "Level",
    "Moment",
    "NoSink",
    "OptimizerConfig",
    "Pilot",
    "Recipe",
    "RecordConfig",
    "RecordedSplit",
    "Scaling",
    "ScheduleConfig",
    "SeedPlan",
    "Seeds",
    "Sink",
    "Snapshot",
    "StackedTraining",
    "Stand",
    "Standing",
    "Step",
    "Stream",
    "Subset",
    "Taught",
    "Tracker",
    "Training",
    "TrainingOutcome",
    "TrainingSet",
    "Watcher",
    "Weights",
    "arithmetic",
    "as_tree",
    "augment",
    "average_notes",
    "below",
    "check_can_stack",
    "check_draws",
    "check_dropout",
    "check_forward",
    "check_length",
    "check_stages",
    "check_threads",
    "check_tracked",
    "check_vary",
    "cycle_ends",
    "default_recipe",
    "draw_bits",
    "draw_key",
    "draw_uniform",
    "evaluation_mode",
    "find_transient",
    "from_tree",
    "generator",
    "gradient_norms",
    "group_size",
    "held_out_rows",
    "load_recipe",
    "lr_factor",
    "makes_use_of",
    "mitigated",
    "part_of",
    "predict",
    "prediction_arrays",
    "prefixed",
    "probability_arrays",
    "probe_determinism",
    "recipe_of_teachers",
    "rounds_apart",
    "run_training",
    "seeds_of_peers",
    "steps_per_epoch",
    "teach",
    "temperature_of",
    "tracker_of",
    "trained_on",
    "trains_apart",
    "usual_threads",
    "whole_weights",
    "with_settings",
]
