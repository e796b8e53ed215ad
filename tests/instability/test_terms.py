"""What texts are made of, and which of it says what they are about."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix

from reseed.instability.where._terms import telling, terms


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Don't stop, Straße!", ["don", "t", "stop", "straße"]),
        ("明天会下雨", ["明天", "天会", "会下", "下雨"]),
        ("雨", ["雨"]),
        ("iPhone15真好 ok", ["iphone15", "真好", "ok"]),
        ("コーヒー", ["コー", "ーヒ", "ヒー"]),
        ("สวัส", ["สว", "วั", "ัส"]),
        ("한국어 좋아", ["한국어", "좋아"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("می‌خواهم", ["میخواهم"]),
        ("👍🏽 ❤️a😀😀", ["👍", "❤", "a", "😀", "😀"]),
        ("cafe\u0301 \uff21\uff22", ["café", "ab"]),
        ("", []),
        ("?! - ...", []),
    ],
)
def test_texts_of_any_language_have_terms(text, expected):
    """Words where blanks are, pairs of characters where there are none, and symbols each for itself."""
    assert terms(text) == expected


@given(st.text(max_size=60))
def test_any_text_has_terms_without_blanks(text):
    """No text fails, and no term is empty or holds a blank."""
    assert all(term and not any(map(str.isspace, term)) for term in terms(text))


def test_words_of_one_theme_tell_its_other_words():
    """With two themes of two words each, a word tells the other one: log 3 of the three words that it could be."""
    held = csr_matrix([[1, 1, 0, 0], [1, 1, 0, 0], [0, 0, 1, 1], [0, 0, 1, 1]])
    assert telling(held) == pytest.approx(np.log(3))


def test_a_word_that_stands_with_all_alike_tells_nothing():
    """An article has the companions that chance gives, a loner has none: neither tells a thing."""
    rng = np.random.default_rng(0)
    held = np.zeros((3000, 8), int)
    held[np.arange(3000), rng.integers(0, 6, 3000)] = 1
    held[:2000, 6] = 1  # the article; the last word is in no text with another one
    held = np.concatenate([held, np.eye(8, dtype=int)[[7, 7]]])
    found = telling(csr_matrix(held))
    assert found[6] < 0.002
    assert found[7] == 0


def test_telling_equals_plain_loops(monkeypatch):
    """The blocks of terms give what a loop over pairs of words gives."""
    monkeypatch.setattr("reseed.instability.where._terms._ROWS", 3)
    held = (np.random.default_rng(1).random((40, 10)) < 0.3).astype(int)
    share = held.sum(0) / held.sum()
    for term, found in enumerate(telling(csr_matrix(held))):
        beside = held[held[:, term] == 1].sum(0)
        beside[term] = 0
        total = beside.sum()
        told = sum(
            count / total * np.log(count / total / (share[other] / (1 - share[term])))
            for other, count in enumerate(beside)
            if count
        )
        assert found == pytest.approx(max(told - (np.count_nonzero(beside) - 1) / (2 * total), 0))


def test_very_many_pairs_are_looked_at_in_some_texts(monkeypatch):
    """Where texts are long and many, words are weighed by some of the texts."""
    held = csr_matrix(np.tile([[1, 1, 0, 0], [0, 0, 1, 1]], (300, 1)))
    monkeypatch.setattr("reseed.instability.where._terms._PRODUCTS", 400)
    assert telling(held) == pytest.approx(np.log(3), abs=0.3)
