"""The errors reseed raises on purpose, each documented by when it happens."""


class ReseedError(Exception):
    """Something failed that the user can act on; the base of all of reseed's own errors."""


class InputError(ReseedError, ValueError):
    """An argument, file or option is wrong: the message names it, shows the value and says what to do."""


class InputTypeError(InputError, TypeError):
    """An argument has the wrong type, such as whole numbers where logits belong."""


class DataError(InputError):
    """A data set or data file cannot be used as asked."""


class RecipeError(InputError):
    """A recipe is inconsistent, unknown in one of its names, or does not fit the data."""


class ModelError(InputError):
    """A model cannot be built, or a factory does not return a fresh model for each run."""


class StudyError(InputError):
    """A folder holds no study, or one that is corrupt, of another version, or another than the one asked for."""


class StorageError(ReseedError):
    """A file cannot be written: a full disk, a folder without permission."""


class DeterminismError(ReseedError):
    """The determinism probe found that equal seeds differ, or that different seeds agree."""


class TrainingError(ReseedError):
    """Runs of a study failed and retrying did not help, or too few left usable predictions."""


class MissingExtraError(ReseedError, ImportError):
    """A feature needs an optional dependency that is not installed; the message names the extra."""
