"""Greedy word substitution, on models of words whose search is known in closed form."""

from dataclasses import fields

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reseed import InputError, InputTypeError
from reseed.perturbations import marked_differences, substitute_words

WEIGHTS = {"great": 3.0, "good": 2.0, "fine": 1.0, "plot": 0.25, "bad": -2.0, "x": 0.0}
NEUTRAL = dict.fromkeys(WEIGHTS, ("x",))


def score(text, weights=WEIGHTS):
    """The sum of the weights of a text's words."""
    return sum(weights.get(word.strip(".,!").lower(), 0.0) for word in text.split())


def bag(texts):
    """Logits of a model of two classes: the second one's is the sum of the weights of the words."""
    assert all(text.strip() for text in texts)
    assert isinstance(texts, tuple)
    return np.array([[0.0, score(text)] for text in texts])


def several(texts):
    """Logits of three such models, of which each weighs words in its own way."""
    scales = ({}, {"plot": 4.0}, {"fine": -1.0, "great": 0.5})
    return torch.tensor([[[0.0, score(text, WEIGHTS | own)] for text in texts] for own in scales])


def test_words_are_replaced_from_the_most_important_one():
    """With neutral candidates the heaviest words are replaced, as many as it takes for the sum to leave its class."""
    found = substitute_words(bag, ["Plot fine, good great! bad"], [1], NEUTRAL)  # 0.25 + 1 + 2 + 3 - 2
    assert found.texts == ("Plot fine, x x! bad",)
    assert found.substitutions == (((2, "good", "x"), (3, "great", "x")),)
    # The clean text, one without each of five words, and one for each word that was tried.
    assert found.queries.tolist() == [1 + 5 + 2]
    words, rng = ["great", "good", "fine", "plot"], np.random.default_rng(0)
    for _ in range(20):
        text = rng.choice(words, 8)
        weights = np.sort([WEIGHTS[word] for word in text])[::-1]
        found = substitute_words(bag, [" ".join(text)], [1], {word: ("bad",) for word in words})
        left = weights.sum() - np.cumsum(weights + 2)  # a bad word is worth -2
        assert len(found.substitutions[0]) == 1 + int((left > 0).sum())


def test_the_best_candidate_is_taken():
    """Of a word's candidates the one with the smallest margin, and none that makes it larger."""
    candidates = {"good": ("great", "fine", "plot"), "fine": ("great",), "great": ("good",)}
    found = substitute_words(bag, ["good bad"], [1], candidates)
    assert found.success.tolist() == [True]  # a tie goes to the first class
    found = substitute_words(bag, ["good fine plot"], [1], candidates | {"plot": ("bad",)})
    assert found.texts == ("plot fine bad",)
    assert found.substitutions == (((0, "good", "plot"), (2, "plot", "bad")),)
    assert found.queries.tolist() == [1 + 3 + 3 + 1 + 1]
    found = substitute_words(bag, ["good fine"], [1], candidates)
    assert found.texts == ("good fine",)
    assert found.substitutions == ((),)
    assert found.success.tolist() == [False]


def test_wrong_texts_come_back_unchanged():
    """A text whose answer is wrong already costs one query and counts as changed; `was_wrong` says so."""
    found = substitute_words(bag, ["bad", "good"], [1, 1], NEUTRAL)
    assert found.texts == ("bad", "x")
    assert found.was_wrong.tolist() == [True, False]
    assert found.success.tolist() == [True, True]
    assert found.changed.tolist() == [False, True]
    assert found.queries.tolist() == [1, 2]


def test_case_and_punctuation_are_kept():
    """Candidates found in small letters get the word's case; a word that has an entry of its own is left as written."""
    candidates = {"good": ("bad",), "Fine": ("bad",)}
    pairs = {"Good!": "Bad!", "(GOOD)": "(BAD)", "'good',": "'bad',", "Fine...": "bad...", "FINE": "FINE"}

    def ask(texts):
        return [[0.0, 1.0 - 2 * ("bad" in text.lower())] for text in texts]

    assert substitute_words(ask, list(pairs), [1] * len(pairs), candidates).texts == tuple(pairs.values())


def test_candidates_may_come_from_a_function():
    """It is asked once for each word, as that stands; the word itself, blanks and repetitions are left out."""
    asked = []

    def candidates(word):
        asked.append(word)
        return [word, "", " ", "x", "x"]

    found = substitute_words(bag, ["Good fine", "fine Good"], [1, 1], candidates)
    assert sorted(asked) == ["Good", "fine"]
    assert found.texts == ("x x", "x x")
    assert found.queries.tolist() == [1 + 2 + 2] * 2


def test_each_run_has_texts_of_its_own():
    """With a run axis each run's result is that of its network alone, and nothing is asked twice."""
    texts = ["plot good", "fine great plot", "bad", "good, great"] * 3
    seen = []

    def ask(given):
        seen.extend(given)
        return several(given)

    together = substitute_words(ask, texts, torch.ones(12, dtype=torch.long), NEUTRAL)
    assert len(seen) == len(set(seen))
    assert together.success.shape == together.queries.shape == (3, 12)
    assert isinstance(together.success, torch.Tensor)
    assert len(set(together.texts)) > 1
    for run in range(3):
        alone = substitute_words(lambda given, run=run: several(given)[run], texts, [1] * 12, NEUTRAL)
        for part in fields(alone):
            one, other = getattr(alone, part.name), getattr(together, part.name)[run]
            assert one == other if isinstance(one, tuple) else np.array_equal(one, other)


def test_samples_do_not_depend_on_their_neighbours():
    """More samples than are searched side by side, in batches of any size, come out as each alone."""
    words = list(WEIGHTS)
    rng = np.random.default_rng(0)
    texts = [" ".join(rng.choice(words, 4)) for _ in range(300)]
    whole = substitute_words(bag, texts, [1] * 300, NEUTRAL)
    small = substitute_words(bag, texts, [1] * 300, NEUTRAL, batch_size=7)
    for part in fields(whole):
        assert np.array_equal(np.array(getattr(whole, part.name), object), np.array(getattr(small, part.name), object))
    for number in (0, 255, 256, 299):
        alone = substitute_words(bag, texts[number : number + 1], [1], NEUTRAL)
        assert alone.texts[0] == whole.texts[number]
        assert alone.queries[0] == whole.queries[number]


@pytest.mark.parametrize("most", range(1, 12))
def test_no_more_is_asked_than_is_allowed(most):
    """A search stops where its queries are spent, and never changes a text without changing its answer."""
    asked = []
    texts = ["great good fine plot"]
    found = substitute_words(lambda given: asked.extend(given) or bag(given), texts, [1], NEUTRAL, max_queries=most)
    assert len(asked) == found.queries[0] <= most
    assert bool(found.success[0]) == (most >= 1 + 4 + 4) == (found.texts[0] != texts[0])


def test_no_more_words_are_replaced_than_allowed():
    """With too few the text stays; with none allowed only the clean text and the ranking are asked."""
    for most, success in ((0, False), (1, False), (2, True), (3, True)):
        found = substitute_words(bag, ["great good fine bad"], [1], NEUTRAL, max_words=most)
        assert bool(found.success[0]) == success
        assert len(found.substitutions[0]) <= most


def test_words_of_other_scripts():
    """Without blanks each character is a word, unless the user says where words are."""

    def ask(texts):
        return [[0.0, 1.0 - ("喜" in text) - ("说话" in text)] for text in texts]

    assert substitute_words(ask, ["今天放歌"], [1], {"放": ["喜"]}).texts == ("今天喜歌",)
    found = substitute_words(ask, ["今天放歌"], [1], {"放歌": ["说话"]}, spans=lambda text: [(0, 2), (2, 4)])
    assert found.texts == ("今天说话",)
    assert found.substitutions == (((1, "放歌", "说话"),),)


@given(
    st.lists(st.lists(st.sampled_from(sorted(WEIGHTS)), min_size=1, max_size=6), min_size=1, max_size=5),
    st.dictionaries(st.sampled_from(sorted(WEIGHTS)), st.lists(st.sampled_from(sorted(WEIGHTS)), max_size=3)),
    st.integers(0, 1),
)
@settings(deadline=None)
def test_what_is_returned_is_what_was_done(words, candidates, target):
    """Success is a changed answer, and texts differ from those given in the named words alone, by their candidates."""
    texts = [" ".join(each) for each in words]
    found = substitute_words(bag, texts, [target] * len(texts), candidates)
    assert (bag(found.texts).argmax(-1) != target).tolist() == found.success.tolist()
    assert (bag(tuple(texts)).argmax(-1) != target).tolist() == found.was_wrong.tolist()
    for before, after, made in zip(texts, found.texts, found.substitutions, strict=True):
        changed = before.split()
        for position, old, new in made:
            assert changed[position] == old
            assert new in candidates[old]
            changed[position] = new
        assert " ".join(changed) == after


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"texts": "good"}, InputTypeError, "texts must be several texts, got 'good'"),
        ({"texts": [], "targets": []}, InputError, "texts are none; pass one or more"),
        ({"targets": [0, 1]}, InputError, r"targets must be 1 whole numbers, one for each text, got int64\[2\]"),
        ({"targets": [0.5]}, InputError, r"targets must be 1 whole numbers, one for each text, got float64\[1\]"),
        ({"targets": [-1]}, InputError, "targets hold -1 at position 0; leave out samples whose class is not known"),
        ({"targets": [2]}, InputError, "targets hold 2, but ask returns logits of 2 classes"),
        ({"candidates": ["good"]}, InputTypeError, r"candidates must be a mapping .* or a function .* got \['good'\]"),
        ({"candidates": {"good": "bad"}}, InputTypeError, "candidates of 'good' must be a list of words, got 'bad'"),
        ({"candidates": lambda word: None}, InputTypeError, "candidates of 'good' must be a list of words, got None"),
        ({"max_words": -1}, InputError, "max_words must be a whole number, 0 or more, got -1"),
        ({"max_queries": 0}, InputError, "max_queries must be a whole number, 1 or more, got 0"),
        ({"batch_size": 1.5}, InputError, "batch_size must be a whole number, 1 or more, got 1.5"),
        ({"spans": lambda text: [(3, 9)]}, InputError, r"spans must return where words .* got \(3, 9\) behind 0"),
        ({"ask": lambda texts: np.zeros(2)}, InputError, r"ask must return logits .* of 1 texts .* got float64\[2\]"),
        ({"ask": lambda texts: np.zeros((1, 1))}, InputError, r"two classes or more, got float64\[1, 1\]"),
        ({"ask": lambda texts: [[np.nan, 0.0]]}, InputError, "what ask returns holds NaN"),
    ],
)
def test_bad_arguments_are_named(changes, error, message):
    """The message names the argument, shows the value and says what is wanted."""
    options = {"ask": bag, "texts": ["good"], "targets": [1], "candidates": NEUTRAL} | changes
    with pytest.raises(error, match=message):
        substitute_words(**options)


def test_runs_may_not_come_and_go():
    """A function that answers for another number of runs the second time is refused."""
    sizes = iter((2, 3))
    with pytest.raises(InputError, match="ask returned logits of 2 runs, and then of 3"):
        substitute_words(lambda texts: np.tile(bag(texts), (next(sizes), 1, 1)), ["good"], [1], NEUTRAL)


@given(st.text("ab天 \t!", max_size=20), st.text("ab天 \t!", max_size=20))
@settings(deadline=None)
def test_differences_make_both_texts(before, after):
    """What is the same or added is the changed text, what is the same or removed the other one up to blanks."""
    found = marked_differences(before, after)
    assert "".join(text for kind, text in found if kind != "removed") == after
    old = "".join(text for kind, text in found if kind != "added")
    assert "".join(old.split()) == "".join(before.split())
    assert all(text for _, text in found)
    if before == after:
        assert {kind for kind, _ in found} <= {"same"}


def test_differences_are_plain():
    """Kinds and words in order; replaced words are removed and then added; scripts without blanks by character."""
    assert marked_differences("play it", "play it") == (("same", "play it"),)
    assert marked_differences("a b c", "x b c d") == (
        ("removed", "a "),
        ("added", "x "),
        ("same", "b c "),
        ("added", "d"),
    )
    assert marked_differences("今天放歌", "今天唱歌") == (
        ("same", "今天"),
        ("removed", "放"),
        ("added", "唱"),
        ("same", "歌"),
    )
    assert marked_differences("", "") == ()
    with pytest.raises(InputTypeError, match="after must be a text, got 3"):
        marked_differences("a", 3)
