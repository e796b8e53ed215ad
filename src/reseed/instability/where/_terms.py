"""What a text is made of, in any language, and which of it says what the text is about."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from jaxtyping import Float, Int

# Scripts that set no blanks between words: Thai, Lao, Burmese, Khmer, kana, and Chinese characters.
_UNSPACED = re.compile(
    "([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]+)"
)
_PRODUCTS = 1 << 28  # pairs of terms in one text, over all texts, that are looked at: a few seconds
_ROWS = 256  # terms whose companions are counted at once


class _Characters(dict[int, str]):
    """What stands for each character: letters, digits and their marks as they are, a symbol apart, else a blank."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = unicodedata.category(character)
        if kind in ("Cf", "Me") or 0xFE00 <= code <= 0xFE0F:  # joiners, and marks that choose a symbol's shape
            shown = ""
        elif kind[0] in "LNM":
            shown = character
        else:
            shown = f" {character} " if kind == "So" else " "
        self[code] = shown
        return shown


_CHARACTERS = _Characters()


def terms(text: str) -> list[str]:
    """Returns a text's words in lower case, its symbols such as emoji, and pairs of characters where no blanks are.

    Args:
        text: in any language.

    Example:
        >>> terms("Don't stop! \U0001f44d\U0001f3fd")
        ['don', 't', 'stop', '\U0001f44d']
        >>> terms("\u660e\u5929\u4f1a\u4e0b\u96e8 ok")
        ['\u660e\u5929', '\u5929\u4f1a', '\u4f1a\u4e0b', '\u4e0b\u96e8', 'ok']
    """
    found = []
    for word in unicodedata.normalize("NFKC", text).lower().translate(_CHARACTERS).split():
        if word.isascii():
            found.append(word)
            continue
        for place, part in enumerate(_UNSPACED.split(word)):
            if place % 2 and len(part) > 1:
                found += map("".join, pairwise(part))
            elif part:
                found.append(part)
    return found


def without_overlaps(ranked: Sequence[str]) -> list[str]:
    """Returns terms without the pairs of characters that share one with a pair before them.

    Args:
        ranked: terms, the most important first.

    Example:
        >>> without_overlaps(["\u4e0b\u96e8", "\u4f1a\u4e0b", "ok", "\u660e\u5929"])
        ['\u4e0b\u96e8', 'ok', '\u660e\u5929']
    """
    kept, seen = [], set[str]()
    for term in ranked:
        if _UNSPACED.fullmatch(term):
            if not seen.isdisjoint(term):
                continue
            seen.update(term)
        kept.append(term)
    return kept


def cohesion(names: Sequence[str], count: Int[np.ndarray, " term"]) -> Float[np.ndarray, " term"]:
    """Returns how much a pair of characters is a word, and not the end of one and the begin of another, [term].

        n(ab) / sqrt(n(a.) n(.b))

    with n over the pairs that begin and that end alike; 1 for terms that are no such pairs.

    Args:
        names: terms.
        count: how many texts hold them.

    Example:
        >>> cohesion(["\u4e0b\u96e8", "\u4f1a\u4e0b", "\u4f1a\u5728", "ok"], [4, 1, 3, 9]).round(3).tolist()
        [1.0, 0.5, 0.866, 1.0]
    """
    is_pair = [len(name) == 2 and _UNSPACED.fullmatch(name) is not None for name in names]
    begins, ends = Counter[str](), Counter[str]()
    for name, times, is_one in zip(names, count, is_pair, strict=True):
        if is_one:
            begins[name[0]] += int(times)
            ends[name[1]] += int(times)
    return np.array(
        [
            times / (begins[name[0]] * ends[name[1]]) ** 0.5 if is_one else 1.0
            for name, times, is_one in zip(names, count, is_pair, strict=True)
        ]
    )


def telling(held: Any) -> Float[np.ndarray, " term"]:
    """Returns how much a term tells about the rest of a text that holds it, in nats, [term].

        d(t) = sum_w p(w | t) log(p(w | t) / p(w)) - (companions - 1) / (2 n)

    over the other terms w, with n pairs of t and another term. Words that stand in texts about anything (articles,
    prepositions) have about the companions that chance gives them, in any language, so that no list of them is needed.
    The last part is what the sum has by chance. Without a companion it is 0.

    Args:
        held: which text holds which term, zeros and ones, sparse [text, term].

    References:
        Lo, He and Ounis, "Automatically building a stopword list for an information retrieval system", Journal of
        Digital Information Management 2005 (words ranked by the divergence of sampled texts that hold them).
    """
    lengths = np.diff(held.indptr).astype(np.float64)
    kept = int(len(lengths) * min(1.0, _PRODUCTS / max(lengths @ lengths, 1.0)))
    texts = held[np.sort(np.random.default_rng(0).permutation(len(lengths))[: max(kept, 1)])]
    count = np.asarray(texts.sum(0), np.float64).ravel()
    share = count / max(count.sum(), 1)
    transposed, found = texts.T.tocsr(), np.zeros(len(count))
    for start in range(0, len(count), _ROWS):
        pairs = (transposed[start : start + _ROWS] @ texts).tocoo()
        term, other, together = pairs.row + start, pairs.col, pairs.data.astype(np.float64)
        is_other = term != other
        term, other, together = term[is_other], other[is_other], together[is_other]
        total, companions = np.bincount(term, together, len(count)), np.bincount(term, minlength=len(count))
        chance = share[other] / (1 - share[term])
        inside = together / total[term]
        found += np.bincount(term, inside * np.log(inside / chance), len(count))
        found -= np.maximum(companions - 1, 0) / (2 * np.maximum(total, 1))
    return np.maximum(found, 0.0)
