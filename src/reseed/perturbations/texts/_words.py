"""How a text is cut: in characters as people see them, and in words, whatever the script."""

from __future__ import annotations

import re
import unicodedata

_JOINER = "\u200d"
_NO_BLANKS = (  # kana and Chinese characters
    (0x3005, 0x3007),
    (0x3040, 0x30FA),
    (0x30FC, 0x30FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x3FFFF),
)

Span = tuple[int, int]
"""Where a piece of a text begins, and where it has ended."""


def characters(text: str) -> list[str]:
    """Return the characters of a text as people see them: letters with their accents, whole emoji.

    Combining marks, what a joiner joins, skin tones, halves of flags and the parts of Korean syllables stay together.

    Examples:
        >>> [len(one) for one in characters("e\u0301a\U0001f44d\U0001f3fd")]
        [2, 1, 2]
    """
    if text.isascii():
        return list(text)
    found: list[str] = []
    for one in text:
        if found and _belongs(one, found[-1]):
            found[-1] += one
        else:
            found.append(one)
    return found


def _belongs(one: str, before: str) -> bool:
    """Whether a code point is of one character with those before it."""
    if one.isspace() or before.isspace():
        return False
    code = ord(one)
    if one == _JOINER or before[-1] == _JOINER or unicodedata.category(one).startswith("M"):
        return True
    if 0x1F3FB <= code <= 0x1F3FF or 0x1160 <= code <= 0x11FF or 0xE0020 <= code <= 0xE007F:
        return True
    return _is_flag(one) and _is_flag(before)  # two of them are a flag


def _is_flag(character: str) -> bool:
    return len(character) == 1 and 0x1F1E6 <= ord(character) <= 0x1F1FF


def is_punctuation(character: str) -> bool:
    """Whether a character is a mark of punctuation, of any script."""
    return unicodedata.category(character[0]).startswith("P")


def stands_alone(character: str) -> bool:
    """Whether a character is of a script that writes no blanks between words, so that it counts as a word."""
    code = ord(character[0])
    return code >= _NO_BLANKS[0][0] and any(first <= code <= last for first, last in _NO_BLANKS)


def word_spans(text: str) -> list[Span]:
    """Return where the words of a text are: what stands between blanks, with the punctuation that touches it.

    Scripts that write no blanks between words, Chinese and Japanese, have a word for each character.

    Examples:
        >>> text = "play it, 天气!"
        >>> [text[start:end] for start, end in word_spans(text)]
        ['play', 'it,', '天', '气!']
    """
    if text.isascii():
        return [word.span() for word in re.finditer(r"\S+", text)]  # the same, faster
    found: list[Span] = []
    place, last = 0, ""  # what the word before is made of, if it touches this place
    for one in characters(text):
        end = place + len(one)
        if one.isspace():
            last = ""
        elif (last == "letters" and not stands_alone(one)) or (last and is_punctuation(one)):
            found[-1] = (found[-1][0], end)
        else:
            found.append((place, end))
            last = "alone" if stands_alone(one) else "letters"
        place = end
    return found


def bare_word_spans(text: str) -> list[Span]:
    """Return where the words of a text are without the punctuation before and behind them.

    Examples:
        >>> text = "(play) it, please! ..."
        >>> [text[start:end] for start, end in bare_word_spans(text)]
        ['play', 'it', 'please']
    """
    found = []
    for start, end in word_spans(text):
        inside = [place for place in range(start, end) if not is_punctuation(text[place])]
        if inside:
            found.append((inside[0], inside[-1] + 1))
    return found
