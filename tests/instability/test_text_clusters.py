"""Clusters of texts, and what they are called."""

import numpy as np
import pytest

from reseed import InputError
from reseed.instability.where._text_clusters import text_clusters

THEMES = {
    "english": (
        ("the", "of", "to", "a", "in", "is", "my", "for"),
        ("alarm wake clock morning", "music song loud playlist", "weather rain cold forecast"),
    ),
    "german": (
        ("der", "die", "und", "ein", "zu", "mit", "ist", "mir"),
        ("wecker aufstehen uhr morgens", "musik lied laut spiele", "wetter regen kalt vorhersage"),
    ),
    "spaceless": (
        ("的", "了", "是", "在", "我", "有", "和", "就"),
        ("闹钟 起床 早晨 时间", "音乐 歌曲 播放 大声", "天气 下雨 寒冷 预报"),
    ),
}


def requests(language: str, count: int = 600) -> tuple[list[str], np.ndarray]:
    """Texts of three themes with function words among theirs, and their themes."""
    rng = np.random.default_rng(0)
    function, themes = THEMES[language]
    place = rng.integers(0, 3, count)
    texts = []
    for theme in place:
        common, own = rng.choice(function, 4, replace=False), rng.choice(themes[theme].split(), 2, replace=False)
        words = [common[0], own[0], common[1], own[1], *common[2:]]
        texts.append(("" if language == "spaceless" else " ").join(words))
    return texts, place


@pytest.mark.parametrize("language", THEMES)
def test_names_hold_words_of_themes_and_no_function_words(language):
    """In any language a cluster is one theme, and is called by its words, not by those that all texts have."""
    texts, theme = requests(language)
    found = text_clusters(texts)
    function, themes = THEMES[language]
    for number, name in enumerate(found.names):
        (inside,) = set(theme[found.place == number].tolist())
        words = name.split(", ")
        assert words[0] in themes[inside].split()
        assert not set(words) & set(function)
        if language != "spaceless":  # there pairs of characters reach over the ends of words
            assert set(words) <= set(themes[inside].split())
    assert len(set(map(frozenset, (name.split(", ") for name in found.names)))) == len(found.names)


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["open ticket", "close ticket", "hello", "goodbye", "thanks", "sorry"], {"ticket", "no typical words"}),
        (["open ticket soon", "close ticket soon", "hello", "bye", "hi", "yo"], {"soon, ticket", "no typical words"}),
        (["what ticket is it", "what ticket was it", "hello", "bye"], {"ticket", "no typical words"}),
        (["what is it", "what was it", "hello", "bye"], {"it, what", "no typical words"}),
        ([f"uniq{i} {'refund' if i % 5 == 0 else f'zz{i}'}" for i in range(40)], {"refund", "no typical words"}),
        (["👍", "👍🏽", "😡", "😡"], {"👍", "😡"}),
        (["a b", "a b", "c", "c"], {"a, b", "c"}),
    ],
    ids=[
        "one word",
        "two words",
        "stop words stay out",
        "stop words alone",
        "one word and many loners",
        "emoji",
        "single letters",
    ],
)
def test_few_shared_words_are_enough(texts, names):
    """Texts that share a single word are two groups: those that have it and those that have no word of others."""
    found = text_clusters(texts)
    assert set(found.names) == names
    assert (np.bincount(found.place, minlength=len(found.names)) > 0).all()


@pytest.mark.parametrize("texts", [[], ["one"], ["one", "two"], ["all alike"] * 9, [""] * 5, ["?!"] * 4])
def test_texts_without_shared_words_are_refused(texts):
    """Where no word stands in two texts and not in most, there is nothing to go by, and the error says so."""
    with pytest.raises(InputError, match=f"the {len(texts)} texts share too few words to be clustered; choose another"):
        text_clusters(texts)


def test_letters_are_no_names_where_there_are_words():
    """The p and m of p.m. do not name a cluster that has words."""
    texts = ["meeting at two p.m. agenda", "agenda meeting three p.m."] * 20 + [
        "play a loud song",
        "song loud play",
    ] * 20
    assert all(len(word) > 1 for name in text_clusters(texts).names for word in name.split(", "))
