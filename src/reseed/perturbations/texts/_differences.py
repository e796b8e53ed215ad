"""What differs between a text and its changed version, for people to see."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Literal, TypeAlias

from reseed._arrays import brief
from reseed._errors import InputTypeError
from reseed.perturbations.texts._words import word_spans

Difference: TypeAlias = tuple[Literal["same", "removed", "added"], str]
"""Some words of a text as they stand, and what became of them."""


def marked_differences(before: str, after: str) -> tuple[Difference, ...]:
    """Return a text and its changed version as one: what is the same, what was removed and what was added.

    All that is the same or added is the changed text, bit for bit; all that is the same or removed is the other one, up
    to blanks. Words are compared, of scripts without blanks characters.

    Args:
        before: A text.
        after: Its changed version.

    Returns:
        What became of runs of words, in order; what is removed comes before what was added in its place.

    Raises:
        InputTypeError: One of them is no text.

    Examples:
        >>> marked_differences("play some loud music", "play any loud music now")
        (('same', 'play '), ('removed', 'some '), ('added', 'any '), ('same', 'loud music '), ('added', 'now'))
    """
    for name, text in (("before", before), ("after", after)):
        if not isinstance(text, str):
            raise InputTypeError(f"{name} must be a text, got {brief(text)}.")
    old, new = _pieces(before), _pieces(after)
    words, others = ([piece.strip() for piece in pieces] for pieces in (old, new))
    found: list[Difference] = []
    for kind, first, last, start, end in SequenceMatcher(None, words, others, autojunk=False).get_opcodes():
        if kind == "equal":
            found.append(("same", "".join(new[start:end])))
            continue
        if last > first:
            found.append(("removed", "".join(old[first:last])))
        if end > start:
            found.append(("added", "".join(new[start:end])))
    return tuple(found)


def _pieces(text: str) -> list[str]:
    """Return the words of a text, each with the blanks behind it, and the first with those before it."""
    starts = [start for start, _ in word_spans(text)]
    if not starts:
        return [text] if text else []
    return [text[start:end] for start, end in zip([0, *starts[1:]], [*starts[1:], len(text)], strict=True)]
