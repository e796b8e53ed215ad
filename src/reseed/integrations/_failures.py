"""What becomes of a training when recording it fails: nothing, unless its owner asks otherwise."""

from __future__ import annotations

import logging
import warnings
from typing import Literal

from reseed._errors import InputError, ReseedError

OnError = Literal["report", "raise"]

_LOG = logging.getLogger("reseed.integrations")
_LOG.addHandler(logging.NullHandler())  # the warning is what is printed where nobody set up a log


class RecordingWarning(UserWarning):
    """A training is recorded no longer, or its run counts as diverged; the training itself goes on."""


def check_on_error(on_error: str) -> None:
    """Accept what may happen when recording fails.

    Raises:
        InputError: It is neither of the two.
    """
    if on_error not in ("report", "raise"):
        raise InputError(f"on_error must be 'report' or 'raise', got {on_error!r}.")


def described(error: Exception) -> str:
    """Return an error in words; of somebody else's also the type."""
    text = str(error).rstrip().removesuffix(".")
    return text if isinstance(error, ReseedError) else f"{type(error).__name__}: {text}"


def report(what: str, error: Exception) -> None:
    """Tell of an error that does not end the training, by a warning, and in the log with its traceback."""
    message = f"{what}: {described(error)}. The training is left alone; on_error='raise' raises the error instead."
    _LOG.error(message, exc_info=error)
    warnings.warn(message, RecordingWarning, stacklevel=4)
