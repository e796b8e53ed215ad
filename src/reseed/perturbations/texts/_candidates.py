"""What may stand in place of a word, as the user says it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, final

from reseed._arrays import brief
from reseed._errors import InputTypeError

Candidates: TypeAlias = Mapping[str, Sequence[str]] | Callable[[str], Sequence[str]]
"""Words that may stand in place of a word: by word, or a function of it."""


@final
class Lexicon:
    """Candidates, each word looked up once.

    Raises:
        InputTypeError: They are neither a mapping nor a function, or not of words.
    """

    def __init__(self, candidates: Candidates) -> None:
        if not isinstance(candidates, Mapping) and not callable(candidates):
            raise InputTypeError(
                f"candidates must be a mapping of words to lists of words, or a function of a word that returns such "
                f"a list, got {brief(candidates)}."
            )
        self._candidates = candidates
        self._found: dict[str, tuple[str, ...]] = {}

    def of(self, word: str) -> tuple[str, ...]:
        """Return what may stand in place of a word, without the word itself and without anything blank or twice."""
        if word not in self._found:
            unique = dict.fromkeys(one for one in self._looked_up(word) if one.strip() and one != word)
            self._found[word] = tuple(unique)
        return self._found[word]

    def _looked_up(self, word: str) -> Sequence[str]:
        if not isinstance(self._candidates, Mapping):
            return _checked(word, self._candidates(word))
        if word in self._candidates or word.lower() not in self._candidates:
            return _checked(word, self._candidates.get(word, ()))
        return [_in_case_of(word, one) for one in _checked(word, self._candidates[word.lower()])]


def _checked(word: str, found: Any) -> Sequence[str]:
    if isinstance(found, str) or not isinstance(found, Sequence) or not all(isinstance(one, str) for one in found):
        raise InputTypeError(f"candidates of {word!r} must be a list of words, got {brief(found)}.")
    return found


def _in_case_of(word: str, candidate: str) -> str:
    if word.isupper() and len(word) > 1:
        return candidate.upper()
    return candidate[:1].upper() + candidate[1:] if word[:1].isupper() else candidate
