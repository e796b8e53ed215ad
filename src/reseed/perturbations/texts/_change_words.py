"""Errors in whole words: their case, marks behind them, and what is dropped, doubled or swapped."""

from __future__ import annotations

from dataclasses import dataclass

from reseed.perturbations.texts._change_characters import WHAT, Draws, chosen, how_many
from reseed.perturbations.texts._words import is_punctuation, stands_alone, word_spans

_MARKS = ".,!?;:"
_WIDE_MARKS = "\u3002\uff0c\uff01\uff1f\uff1b\uff1a"  # those of scripts without blanks


@dataclass
class _Cut:
    """A text in pieces: a gap, a word, a gap, ..., a word, a gap."""

    words: list[str]
    gaps: list[str]

    def joined(self) -> str:
        return self.gaps[0] + "".join(word + gap for word, gap in zip(self.words, self.gaps[1:], strict=True))


def _cut(text: str) -> _Cut:
    spans = word_spans(text)
    ends = [0, *(end for _, end in spans)]
    starts = [*(start for start, _ in spans), len(text)]
    return _Cut(
        [text[start:end] for start, end in spans], [text[end:start] for end, start in zip(ends, starts, strict=True)]
    )


def case(text: str, share: float, draws: Draws) -> str:
    """Write words in capitals, or small where they are in capitals already."""
    cut = _cut(text)
    candidates = [place for place, word in enumerate(cut.words) if _other_case(word) != word]
    for place in chosen(candidates, how_many(len(candidates), share, draws), draws):
        cut.words[place] = _other_case(cut.words[place])
    return cut.joined()


def _other_case(word: str) -> str:
    return word.upper() if word.upper() != word else word.lower()


def added_punctuation(text: str, share: float, draws: Draws) -> str:
    """Put a mark of punctuation behind words that have none."""
    cut = _cut(text)
    candidates = [place for place, word in enumerate(cut.words) if not is_punctuation(word[-1])]
    drawn = draws(WHAT, len(cut.words))
    for place in chosen(candidates, how_many(len(candidates), share, draws), draws):
        marks = _WIDE_MARKS if stands_alone(cut.words[place]) else _MARKS
        cut.words[place] += marks[int(drawn[place] * len(marks))]
    return cut.joined()


def dropped_words(text: str, share: float, draws: Draws) -> str:
    """Leave out words, never all of them, with the blanks behind them."""
    cut = _cut(text)
    count = len(cut.words)
    for place in chosen(list(range(count)), min(how_many(count, share, draws), count - 1), draws):
        cut.words[place] = cut.gaps[place + 1] = ""
    return cut.joined()


def doubled_words(text: str, share: float, draws: Draws) -> str:
    """Write words twice."""
    cut = _cut(text)
    count = len(cut.words)
    for place in chosen(list(range(count)), how_many(count, share, draws), draws):
        word = cut.words[place]
        cut.words[place] = word + ("" if stands_alone(word) else cut.gaps[place + 1] or " ") + word
    return cut.joined()


def swapped_words(text: str, share: float, draws: Draws) -> str:
    """Exchange neighbouring words that differ."""
    cut = _cut(text)
    words = cut.words
    candidates = [place for place in range(len(words) - 1) if words[place] != words[place + 1]]
    for place in chosen(candidates, how_many(len(words) / 2, share, draws), draws, apart=True):
        words[place : place + 2] = words[place + 1], words[place]
    return cut.joined()
