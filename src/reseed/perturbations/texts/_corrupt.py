"""Texts with the errors that people make when they write, by name and severity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Literal, final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from reseed._arrays import ArrayLike, brief
from reseed._draws import item_uniform
from reseed._errors import InputTypeError
from reseed.perturbations._corruptions import check_severity, draws_key, item_numbers, named
from reseed.perturbations.texts import _change_characters as characters
from reseed.perturbations.texts import _change_words as words
from reseed.perturbations.texts._change_characters import HOW_MANY, QUESTIONS, Draws

_CHARACTERS = (0.02, 0.05, 0.1, 0.15, 0.2)
_WORDS = (0.1, 0.2, 0.3, 0.4, 0.5)
_MARKS = (0.2, 0.4, 0.6, 0.8, 1.0)
_TOGETHER = 512
_MOST_DRAWS = 2**20


@final
@dataclass(frozen=True)
class TextCorruption:
    """An error that people make when they write.

    Attributes:
        about: What it does.
        unit: What is touched.
        shares: The share of these that is touched at severity 1 to 5.
        change: Makes the error: a text, the share and the draws of this text.
    """

    about: str
    unit: Literal["characters", "words", "marks"]
    shares: tuple[float, float, float, float, float]
    change: Callable[[str, float, Draws], str]


TEXT_CORRUPTIONS: Mapping[str, TextCorruption] = MappingProxyType(
    {
        "keyboard": TextCorruption(
            "letters and digits of neighbouring keys", "characters", _CHARACTERS, characters.keyboard
        ),
        "dropped_characters": TextCorruption(
            "letters left out", "characters", _CHARACTERS, characters.dropped_characters
        ),
        "doubled_characters": TextCorruption(
            "letters written twice", "characters", _CHARACTERS, characters.doubled_characters
        ),
        "swapped_characters": TextCorruption(
            "neighbouring letters exchanged", "characters", _CHARACTERS, characters.swapped_characters
        ),
        "case": TextCorruption("words in capitals, or no longer", "words", _WORDS, words.case),
        "dropped_punctuation": TextCorruption("punctuation left out", "marks", _MARKS, characters.dropped_punctuation),
        "added_punctuation": TextCorruption("punctuation behind words", "words", _WORDS, words.added_punctuation),
        "dropped_words": TextCorruption("words left out", "words", _WORDS, words.dropped_words),
        "doubled_words": TextCorruption("words written twice", "words", _WORDS, words.doubled_words),
        "swapped_words": TextCorruption("neighbouring words exchanged", "words", _WORDS, words.swapped_words),
    }
)
"""The corruptions of texts by name."""


def corrupt_texts(
    texts: Sequence[str], name: str, severity: int, *, seed: int = 0, items: ArrayLike | None = None
) -> tuple[str, ...]:
    """Return texts with errors that people make when they write.

    Of the n things that an error can touch in a text, a share p is touched, rounded up or down at random so that it is
    p in the mean over texts::

        touched = floor(n p + u),  u uniform in [0, 1)

    ==================== ========================================================= ============================
    name                 what is touched                                           p at severity 1 to 5
    ==================== ========================================================= ============================
    keyboard             letters a to z and digits: a neighbouring key of QWERTY   .02, .05, .10, .15, .20
    dropped_characters   letters and digits, of any script; one stays              .02, .05, .10, .15, .20
    doubled_characters   the same                                                  .02, .05, .10, .15, .20
    swapped_characters   the same, with a neighbour that differs                   .02, .05, .10, .15, .20
    case                 words: in capitals, or small if they are so already       .1, .2, .3, .4, .5
    dropped_punctuation  marks; one stays in a text of nothing else                .2, .4, .6, .8, 1
    added_punctuation    words without a mark behind them                          .1, .2, .3, .4, .5
    dropped_words        words; one stays                                          .1, .2, .3, .4, .5
    doubled_words        words                                                     .1, .2, .3, .4, .5
    swapped_words        words, with a neighbour that differs                      .1, .2, .3, .4, .5
    ==================== ========================================================= ============================

    A text where nothing can be touched, or where chance touches nothing, comes back as it is: count them by comparing.
    No text becomes empty. A character is what people see as one, with its accents; where a script writes no blanks
    between words each character counts as a word. These are strings before any tokenizer: whether a model sees an error
    depends on it, and a model that puts texts in lower case does not see ``case``.

    What happens to a text is a function of the seed, the name, the severity, the number of its item and the text alone,
    and what a severity touches the next one touches too.

    Args:
        texts: The texts, one for each sample.
        name: One of `TEXT_CORRUPTIONS`.
        severity: From 1 (weak) to 5 (strong).
        seed: Of the draws.
        items: The number of each text's sample, by which it is drawn for, [sample]; default: 0, 1, 2, ...

    Returns:
        As many texts.

    Raises:
        InputError: A name, severity, seed or number of an item is none.
        InputTypeError: The texts are no texts, or a single one.

    Examples:
        >>> texts = ["Play some music, please!", "and what is the weather tomorrow"]
        >>> corrupt_texts(texts, "doubled_words", 5)
        ('Play some some music, please! please!', 'and what what is is the the weather tomorrow')
        >>> corrupt_texts(texts[1:], "doubled_words", 5, items=[1])
        ('and what what is is the the weather tomorrow',)
    """
    corruption = named(name, TEXT_CORRUPTIONS, "corruption of texts")
    check_severity(severity)
    texts = checked_texts(texts)
    numbers, share = item_numbers(items, len(texts)), corruption.shares[severity - 1]
    keys = [draws_key(seed, name, question) for question in QUESTIONS]
    found: list[str] = []
    while len(found) < len(texts):
        part = texts[len(found) :][:_TOGETHER]
        longest = max(1, *map(len, part))
        part = part[: max(1, _MOST_DRAWS // longest)]
        draws = _Drawn(keys, numbers[len(found) : len(found) + len(part)], longest)
        found += [corruption.change(text, share, partial(draws.of, row)) for row, text in enumerate(part)]
    return tuple(found)


def checked_texts(texts: Sequence[str], name: str = "texts") -> tuple[str, ...]:
    """Return texts if they are such.

    Raises:
        InputTypeError: They are something else, or a single one.
    """
    if isinstance(texts, str | Tensor) or not isinstance(texts, Sequence | np.ndarray):
        raise InputTypeError(f"{name} must be several texts, got {brief(texts)}; pass a list of them.")
    for place, text in enumerate(texts):
        if not isinstance(text, str):
            raise InputTypeError(f"{name} must be texts, got {brief(text)} at position {place}.")
    return tuple(map(str, texts))


@final
class _Drawn:
    """The draws of some texts, made for all of them when a question is first asked."""

    def __init__(self, keys: Sequence[int], items: Tensor, most: int) -> None:
        self._keys, self._items = keys, items
        # A power of two, of which there are few: item_uniform remembers positions by their number.
        self._length = 1 << max(most - 1, 7).bit_length()
        self._tables: dict[int, NDArray[np.float32]] = {}

    def of(self, row: int, question: int, count: int) -> NDArray[np.float32]:
        """Return the first draws of a text; how many are made does not change them."""
        if question not in self._tables:
            length = 1 if question == HOW_MANY else self._length
            self._tables[question] = item_uniform(self._keys[question], self._items, (length,)).numpy()
        return self._tables[question][row, :count]
