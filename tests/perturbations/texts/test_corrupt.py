"""Errors in texts: how much is touched, what stays, and that nothing depends on neighbours."""

import unicodedata
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reseed import InputError, InputTypeError
from reseed.perturbations import TEXT_CORRUPTIONS, corrupt_texts
from reseed.perturbations.texts._change_characters import NEIGHBOURS
from reseed.perturbations.texts._words import bare_word_spans, characters, word_spans

WORDS = ("play", "some", "loud", "music", "for", "me", "and", "my", "friends", "now")
LONG = " ".join(WORDS * 20)
ENGLISH = ("Play some music, please!", "weather now", "what's up in New York?", "a", "...", "  two  blanks ")
CHINESE = ("今天天气怎么样?", "放一首音乐", "天")
ODD = ("👍🏽👩‍👩‍👧 🇩🇪🇫🇷", "e\u0301te\u0301 cafe\u0301", "", " ", "한국어", "नमस्ते दुनिया", "\u0301", "straße ǆ")
TEXTS = (*ENGLISH, *CHINESE, *ODD)
NAMES = pytest.mark.parametrize("name", TEXT_CORRUPTIONS)
any_text = st.text(st.characters(exclude_categories=("Cs",)) | st.sampled_from("ab .,!天\u0301\u200d👍🏽"), max_size=40)


def touched(before, after, unit):
    """How many words or characters of two texts of equal length differ."""
    pairs = zip(before.split(), after.split(), strict=True) if unit == "words" else zip(before, after, strict=True)
    return sum(one != other for one, other in pairs)


@NAMES
@pytest.mark.parametrize("severity", range(1, 6))
def test_a_text_is_changed_alone_as_among_others(name, severity):
    """A text's errors are those of its seed, number and self: batch, order and repetition change nothing."""
    found = corrupt_texts(TEXTS, name, severity, seed=3)
    assert found == corrupt_texts(list(TEXTS), name, severity, seed=3)
    for number, text in enumerate(TEXTS):
        assert corrupt_texts([text], name, severity, seed=3, items=[number]) == found[number : number + 1]
    backwards = np.arange(len(TEXTS))[::-1]
    assert corrupt_texts(TEXTS[::-1], name, severity, seed=3, items=backwards) == found[::-1]
    long = corrupt_texts((*TEXTS, LONG), name, severity, seed=3, items=torch.arange(len(TEXTS) + 1))
    assert long[:-1] == found


@NAMES
def test_seed_number_and_name_change_the_draws(name):
    """Other seeds and other numbers touch other places."""
    text = LONG.replace(" and ", ", ")
    found = {corrupt_texts([text], name, 2, seed=seed, items=[item])[0] for seed in (0, 1, 2**100) for item in (0, 9)}
    assert len(found) == 6


def test_many_texts_are_changed_as_each_alone():
    """More texts than are drawn for together, of many lengths, come out as they do one by one."""
    texts = [" ".join(WORDS[: 1 + number % 10]) for number in range(1200)] + [LONG * 40, "now"]
    found = corrupt_texts(texts, "keyboard", 4)
    for number in (0, 511, 512, 1023, 1024, 1199, 1200, 1201):
        assert corrupt_texts([texts[number]], "keyboard", 4, items=[number])[0] == found[number]


@pytest.mark.parametrize("name", ["keyboard", "case", "swapped_words", "swapped_characters"])
@pytest.mark.parametrize("severity", range(1, 6))
def test_the_share_is_touched(name, severity):
    """In a long text the share of each severity is touched, up to rounding; an exchange touches two."""
    corruption = TEXT_CORRUPTIONS[name]
    (found,) = corrupt_texts([LONG], name, severity)
    count = len(LONG.split() if corruption.unit == "words" else LONG.replace(" ", ""))
    rounding = 2 if name.startswith("swapped") else 1
    assert abs(touched(LONG, found, corruption.unit) - count * corruption.shares[severity - 1]) <= rounding


@pytest.mark.parametrize(("name", "growth"), [("dropped_words", -1), ("doubled_words", 1), ("dropped_characters", -1)])
def test_what_is_dropped_or_doubled_is_the_share(name, growth):
    """The number of words or letters falls or grows by the share, to one."""
    corruption = TEXT_CORRUPTIONS[name]
    for severity, share in enumerate(corruption.shares, 1):
        (found,) = corrupt_texts([LONG], name, severity)
        if corruption.unit == "words":
            before, after = len(LONG.split()), len(found.split())
        else:
            before, after = (len(text.replace(" ", "")) for text in (LONG, found))
        assert abs(after - before - growth * share * before) <= 1


def test_short_texts_have_the_share_in_the_mean():
    """Of ten words 3 are touched at severity 3, of seven 2 or 3, so that the mean over texts is the share."""
    ten, seven = " ".join(WORDS), " ".join(WORDS[:7])
    assert {touched(ten, text, "words") for text in corrupt_texts([ten] * 50, "case", 3)} == {3}
    counts = [touched(seven, text, "words") for text in corrupt_texts([seven] * 2000, "case", 3)]
    assert set(counts) == {2, 3}
    assert abs(np.mean(counts) - 7 * 0.3) < 4 * np.sqrt(0.1 * 0.9 / 2000)


def test_places_are_touched_alike():
    """Every word of a text is as likely as any other to be touched."""
    found = corrupt_texts([" ".join(WORDS)] * 4000, "case", 5)
    counts = np.sum([[word.isupper() for word in text.split()] for text in found], axis=0)
    assert counts.sum() == 4000 * 5
    assert np.abs(counts - 2000).max() < 5 * np.sqrt(4000 * 0.25)


@NAMES
def test_stronger_is_more_of_the_same(name):
    """What a severity touches the next one touches too, so distances from the text only grow."""
    texts = [LONG.replace("me and", "me, and!"), *TEXTS]
    found = [corrupt_texts(texts, name, severity) for severity in range(1, 6)]
    for number, text in enumerate(texts):
        versions = [text, *(each[number] for each in found)]
        changes = [sum(one != other for one, other in zip(text, each, strict=False)) for each in versions]
        lengths = [abs(len(each) - len(text)) for each in versions]
        assert lengths == sorted(lengths)
        if name in ("keyboard", "case", "swapped_characters") and text.isascii():
            assert changes == sorted(changes)


def test_typing_errors_are_of_neighbouring_keys():
    """Each changed letter is a neighbour of its own, in its case; nothing else changes, and neighbours are mutual."""
    text = f"{LONG} {LONG.upper()} 2024, ok? Ünïcödé"
    (found,) = corrupt_texts([text], "keyboard", 5)
    pairs = [(one, other) for one, other in zip(text, found, strict=True) if one != other]
    assert len(pairs) > 200
    assert all(other.lower() in NEIGHBOURS[one.lower()] and one.isupper() == other.isupper() for one, other in pairs)
    assert all(key in NEIGHBOURS[other] for key, others in NEIGHBOURS.items() for other in others)
    assert set(NEIGHBOURS["g"]) == set("fhtyvb")
    assert set(NEIGHBOURS["q"]) == set("wa")
    assert set(NEIGHBOURS["5"]) == set("46")


@pytest.mark.parametrize(
    ("name", "unchanged"),
    [
        ("keyboard", ("天气怎么样", "👍🏽", "Ünï", "e\u0301", "...", " ")),
        ("case", ("天气", "123", "👍", "한국어", "")),
        ("dropped_punctuation", ("no marks", "天气", ".", "?")),
        ("dropped_words", ("alone", "天", " one ", "")),
        ("swapped_words", ("alone", "same same", "天天", "")),
        ("swapped_characters", ("a b c", "aaa", "1 1", "👍👎")),
        ("dropped_characters", ("a", "天!", "👍👎", "?!")),
        ("doubled_characters", ("?!", "👍")),
    ],
)
def test_where_nothing_can_be_touched_texts_come_back(name, unchanged):
    """They are the caller's texts, so that comparing counts them."""
    assert corrupt_texts(unchanged, name, 5) == unchanged


def test_what_is_gone_is_gone():
    """All marks are dropped at severity 5, so a second time changes nothing; of marks alone one stays."""
    once = corrupt_texts(TEXTS, "dropped_punctuation", 5)
    assert corrupt_texts(once, "dropped_punctuation", 5) == once
    assert once[0] == "Play some music please"
    assert once[2] == "whats up in New York"
    assert once[4] == "."
    assert once[6] == "今天天气怎么样"


@pytest.mark.parametrize(
    ("name", "inverse"), [("swapped_words", sorted), ("swapped_characters", sorted), ("case", str.lower)]
)
def test_what_is_exchanged_is_still_there(name, inverse):
    """Swapping keeps all words and characters, in their gaps; changing case keeps the text but for its case."""
    text = LONG.replace(" me ", "\t me,  ")
    (found,) = corrupt_texts([text], name, 5)
    assert found != text
    assert inverse(found) == inverse(text)
    if name == "swapped_words":
        assert sorted(found.split()) == sorted(text.split())
        assert [one for one in found if one.isspace()] == [one for one in text if one.isspace()]
    if name == "swapped_characters":
        assert [sorted(word) for word in found.split()] == [sorted(word) for word in text.split()]


def test_scripts_without_blanks():
    """Each character of Chinese counts as a word, whose mark stays with it and is of its kind."""
    text = "".join(chr(0x4E00 + place) for place in range(100))
    assert len(corrupt_texts([text], "dropped_words", 5)[0]) == 50
    assert len(corrupt_texts([text], "doubled_words", 5)[0]) == 150
    assert " " not in corrupt_texts([text], "doubled_words", 5)[0]
    (swapped,) = corrupt_texts([text], "swapped_words", 3)
    assert sorted(swapped) == sorted(text)
    assert 0 < sum(one != other for one, other in zip(text, swapped, strict=True)) <= 30
    (marked,) = corrupt_texts([text], "added_punctuation", 2)
    marks = [one for one in marked if unicodedata.category(one) == "Po"]
    assert len(marks) == 20
    assert all(unicodedata.east_asian_width(one) in "WF" for one in marks)


def test_characters_are_never_torn():
    """Accents stay on their letters, and emoji in one piece, whatever is dropped, doubled or swapped."""
    text = "e\u0301a\u0300o\u0302 👩‍👩‍👧🇩🇪 नमस्ते 각 " * 20
    whole = set(characters(text))
    assert {"e\u0301", "👩‍👩‍👧", "🇩🇪"} <= whole
    for name in ("dropped_characters", "doubled_characters", "swapped_characters", "swapped_words", "doubled_words"):
        (found,) = corrupt_texts([text], name, 5)
        assert found != text
        assert set(characters(found)) <= whole


@given(st.lists(any_text, max_size=5), st.sampled_from(sorted(TEXT_CORRUPTIONS)), st.integers(1, 5), st.integers(0, 9))
@settings(max_examples=150, deadline=None)
def test_no_text_becomes_empty(texts, name, severity, seed):
    """Whatever the texts, there are as many again, and one that has something to read still has."""
    found = corrupt_texts(texts, name, severity, seed=seed)
    assert len(found) == len(texts)
    assert [bool(text.strip()) for text in found] == [bool(text.strip()) for text in texts]


@given(any_text)
@settings(deadline=None)
def test_cutting_loses_nothing(text):
    """Characters are the text, words are all that is no blank, and bare words lie inside them."""
    assert "".join(characters(text)) == text
    spans = word_spans(text)
    assert word_spans(f"{text} é")[: len(spans)] == spans
    assert all(start < end for start, end in spans)
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    blank = [place for place in range(len(text)) if not any(start <= place < end for start, end in spans)]
    assert not "".join(text[place] for place in blank).strip()
    assert all(any(a <= start and end <= b for a, b in spans) for start, end in bare_word_spans(text))


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((["a"], "keybord", 1), {}, InputError, "unknown corruption of texts 'keybord'. Did you mean 'keyboard'"),
        ((["a"], "zzz", 1), {}, InputError, "unknown corruption of texts 'zzz'. There are keyboard, dropped_char"),
        ((["a"], "case", 0), {}, InputError, r"severity must be a whole number from 1 .* to 5 .*, got 0\."),
        ((["a"], "case", 6), {}, InputError, "severity must be .*, got 6"),
        ((["a"], "case", 1.0), {}, InputError, "severity must be .*, got 1.0"),
        ((["a"], "case", True), {}, InputError, "severity must be .*, got True"),
        ((["a"], "case", 1), {"seed": -1}, InputError, "seed must be a whole number of 0 or more, got -1"),
        ((["a"], "case", 1), {"seed": 2**128}, InputError, "seed must be at most"),
        ((["a"], "case", 1), {"items": [0, 1]}, InputError, r"items must be 1 whole numbers.* got int64\[2\]"),
        ((["a"], "case", 1), {"items": [0.5]}, InputError, r"items must be 1 whole numbers.* got float64\[1\]"),
        ((["a"], "case", 1), {"items": [-1]}, InputError, "items must be from 0 to 2147483647, got -1"),
        (("one text", "case", 1), {}, InputTypeError, "texts must be several texts, got 'one text'; pass a list"),
        ((torch.ones(2, 2), "case", 1), {}, InputTypeError, r"texts must be several texts, got float32\[2, 2\]"),
        ((["a", 3], "case", 1), {}, InputTypeError, "texts must be texts, got 3 at position 1"),
    ],
)
def test_bad_arguments_are_named(arguments, options, error, message):
    """The message names the argument, shows the value and says what there is."""
    with pytest.raises(error, match=message):
        corrupt_texts(*arguments, **options)
