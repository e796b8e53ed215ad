"""Errors in single characters: neighbouring keys, and what is dropped, doubled or swapped."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from reseed.perturbations.texts._words import characters, is_punctuation

Draws = Callable[[int, int], NDArray[np.float32]]
"""Takes a question and a count, returns so many numbers uniform in [0, 1), which belong to one text."""
HOW_MANY, WHICH, WHAT = QUESTIONS = range(3)
"""What is drawn for: how many things are touched (one number), which ones, and what comes in their place."""

_ROWS = (("qwertyuiop", 0.0), ("asdfghjkl", 0.25), ("zxcvbnm", 0.75))  # and how far each is moved to the right


def _neighbours() -> dict[str, str]:
    keys = {key: (row, move + place) for row, (keys, move) in enumerate(_ROWS) for place, key in enumerate(keys)}
    found = {
        key: "".join(
            other
            for other, (below, there) in keys.items()
            if other != key and abs(row - below) <= 1 and abs(x - there) <= (1.0 if row == below else 0.75)
        )
        for key, (row, x) in keys.items()
    }
    digits = "1234567890"
    return found | {
        key: digits[max(place - 1, 0) : place] + digits[place + 1 : place + 2] for place, key in enumerate(digits)
    }


NEIGHBOURS = _neighbours()
"""The keys beside each letter and digit of a QWERTY keyboard; letters beside letters, digits beside digits."""


def how_many(count: float, share: float, draws: Draws) -> int:
    """Return how many of ``count`` things are touched: a share of them, in the mean over texts exactly."""
    return math.floor(count * share + float(draws(HOW_MANY, 1)[0]))


def chosen(candidates: list[int], most: int, draws: Draws, *, apart: bool = False) -> list[int]:
    """Return some of the places that may be touched, in the order in which they are drawn.

    The draws of a place are those of its rank among the candidates. With ``apart`` no two are neighbours.
    """
    found: dict[int, None] = {}
    for rank in np.argsort(draws(WHICH, len(candidates)), kind="stable"):
        if len(found) >= most:
            break
        place = candidates[rank]
        if not apart or (place - 1 not in found and place + 1 not in found):
            found[place] = None
    return list(found)


def keyboard(text: str, share: float, draws: Draws) -> str:
    """Put the letter of a neighbouring key in place of a letter, in its case."""
    parts = characters(text)
    candidates = [place for place, one in enumerate(parts) if one.lower() in NEIGHBOURS]
    drawn = draws(WHAT, len(parts))
    for place in chosen(candidates, how_many(len(candidates), share, draws), draws):
        beside = NEIGHBOURS[parts[place].lower()]
        key = beside[int(drawn[place] * len(beside))]
        parts[place] = key.upper() if parts[place].isupper() else key
    return "".join(parts)


def dropped_characters(text: str, share: float, draws: Draws) -> str:
    """Leave out letters and digits, never all of them."""
    parts = characters(text)
    candidates = _letters(parts)
    for place in chosen(candidates, min(how_many(len(candidates), share, draws), len(candidates) - 1), draws):
        parts[place] = ""
    return "".join(parts)


def doubled_characters(text: str, share: float, draws: Draws) -> str:
    """Write letters and digits twice."""
    parts = characters(text)
    candidates = _letters(parts)
    for place in chosen(candidates, how_many(len(candidates), share, draws), draws):
        parts[place] *= 2
    return "".join(parts)


def swapped_characters(text: str, share: float, draws: Draws) -> str:
    """Exchange neighbouring letters and digits of a word that differ."""
    parts = characters(text)
    letters = _letters(parts)
    there = set(letters)
    candidates = [place for place in letters if place + 1 in there and parts[place] != parts[place + 1]]
    for place in chosen(candidates, how_many(len(letters) / 2, share, draws), draws, apart=True):
        parts[place : place + 2] = parts[place + 1], parts[place]
    return "".join(parts)


def dropped_punctuation(text: str, share: float, draws: Draws) -> str:
    """Leave out marks of punctuation; of a text of nothing else one stays."""
    parts = characters(text)
    candidates = [place for place, one in enumerate(parts) if is_punctuation(one)]
    others = any(not one.isspace() and not is_punctuation(one) for one in parts)
    most = len(candidates) - (not others)
    for place in chosen(candidates, min(how_many(len(candidates), share, draws), most), draws):
        parts[place] = ""
    return "".join(parts)


def _letters(parts: list[str]) -> list[int]:
    return [place for place, one in enumerate(parts) if one[0].isalnum()]
