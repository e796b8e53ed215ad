"""Parts of a result that may fail alone: what is made beside them stays, and says what is missing and why."""

from __future__ import annotations

import os
import traceback
import warnings
from collections.abc import Callable
from typing import TypeVar, final

from reseed._errors import ReseedError, StudyError

T = TypeVar("T")

_SHOWN = 300  # characters of what an error says


class PartWarning(RuntimeWarning):
    """A part of a result failed in a way that nobody foresaw, and is missing from it."""


@final
class Parts:
    """The optional parts of one result.

    A report must not be lost, after hours of training, because one of its tables cannot be made. So each part that the
    others can do without is made by `make`. Every exception is caught there, and none is lost: what reseed refuses in
    its own words is told where the result is read; whatever else is raised, which nobody foresaw, besides warns, with
    the traceback if the environment variable ``RESEED_TRACEBACK`` is set.

    Attributes:
        notes: What is missing and why, in sentences.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []

    def make(self, gap: str, build: Callable[[], T], instead: T) -> T:
        """Return what ``build`` returns or, where it fails, ``instead``, and note what is missing.

        A study that is corrupt is no failure of a part: such an error goes on.

        Args:
            gap: What the reader then misses, the beginning of a sentence, such as "The table of classes is missing".
            build: Makes the part.
            instead: What stands in its place.

        Raises:
            StudyError: The study is corrupt.

        Examples:
            >>> parts = Parts()
            >>> parts.make("The data map is missing", lambda: "drawn", "")
            'drawn'
            >>> def fail() -> str:
            ...     raise ReseedError("there are no scores.")
            >>> parts.make("The data map is missing", fail, ""), parts.notes
            ('', ['The data map is missing: there are no scores.'])
        """
        try:
            return build()
        except StudyError:
            raise
        except ReseedError as error:
            self.add(f"{gap}: {error}")
        except Exception as error:
            note = f"{gap}, because making it failed ({_cause(error)})."
            self.add(note)
            advice = "Please report it; RESEED_TRACEBACK=1 shows where."
            if os.environ.get("RESEED_TRACEBACK"):
                advice = "".join(traceback.format_exception(error)).rstrip()
            warnings.warn(f"{note} {advice}", PartWarning, stacklevel=2)
        return instead

    def add(self, *notes: str) -> None:
        """Note something else that is missing; what was noted is not repeated."""
        self.notes += [note for note in dict.fromkeys(notes) if note not in self.notes]


def _cause(error: Exception) -> str:
    """Return an error's type and the beginning of what it says, in one line."""
    said = " ".join(str(error).split()).rstrip(".")
    said = said if len(said) <= _SHOWN else said[: _SHOWN - 1] + "…"
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
