"""Words put in place of others until the answer changes: a greedy search that needs answers alone."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from reseed._arrays import ArrayLike, Result, brief, float_array, give_back, to_numpy
from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.perturbations.texts._candidates import Candidates, Lexicon
from reseed.perturbations.texts._corrupt import checked_texts
from reseed.perturbations.texts._words import Span, bare_word_spans

_TOGETHER = 256  # samples that are searched side by side


class Substitution(NamedTuple):
    """A word that was put in place of another.

    Attributes:
        position: Which word of the text, counted from 0.
        before: The word that stood there.
        after: The word that stands there now.
    """

    position: int
    before: str
    after: str


@final
@dataclass(frozen=True, eq=False)
class SubstitutedWords:
    """Texts in which words were put in place of others.

    Everything has the run as its first axis where answers have one.

    Attributes:
        texts: The texts, [sample] or [run][sample]: those that were given where the search did not change the answer.
        success: Whether the answer is another one than the target, of samples that were wrong already too.
        was_wrong: Whether it was so before anything was substituted.
        substitutions: What was put in place of what, for each text.
        queries: How many texts the search of a sample had answered, the one that was given among them.
    """

    texts: tuple[Any, ...]
    success: Result
    was_wrong: Result
    substitutions: tuple[Any, ...]
    queries: Result

    @property
    def changed(self) -> Result:
        """Whether the search itself made the answer wrong: ``success`` without ``was_wrong``."""
        return self.success & ~self.was_wrong


def substitute_words(
    ask: Callable[[tuple[str, ...]], ArrayLike],
    texts: Sequence[str],
    targets: ArrayLike,
    candidates: Candidates,
    *,
    max_words: int | None = None,
    max_queries: int | None = None,
    spans: Callable[[str], Sequence[Span]] = bare_word_spans,
    batch_size: int = 1024,
) -> SubstitutedWords:
    """Put words in place of others, greedily, until the answer to a text is no longer its target.

    With the margin of a text, its target's logit less the largest other one: words that have candidates are ranked by
    how much the margin falls when they are left out. Then, one after the other, each is replaced by the candidate that
    makes the margin smallest, if it becomes smaller at all, until the answer changes. A text whose answer is wrong
    already comes back as it is, and so does one whose answer does not change.

    Nothing is drawn: of equal words the first is taken, and of equal candidates. Where answers have a run axis each run
    is searched for texts of its own; what several runs want to know of one text is asked once.

    The texts are as natural as the candidates: whoever chooses these says which changes should not matter.

    Args:
        ask: Takes texts, returns logits [sample, class], or [run, sample, class] of several networks, such as
            ``lambda texts: networks.predict(inputs.transform(texts))`` of a study's `Networks` and `StudyInputs`.
        texts: The texts, [sample].
        targets: The class that the answer shall leave, [sample].
        candidates: What may stand in place of a word: a mapping, in which words are looked up as they are and then in
            small letters, whose candidates get the case of the word; or a function of the word as it stands.
        max_words: How many words of a text are replaced at most; default: all.
        max_queries: How many texts are answered for a sample at most; default: as many as it takes.
        spans: Where the words of a text are; default: between blanks, without punctuation around them, each character
            where a script writes no blanks.
        batch_size: How many texts are asked at once at most.

    Returns:
        The texts, and how they were found.

    Raises:
        InputError: Targets or limits are out of range, or what ``ask`` returns are no logits of so many texts.
        InputTypeError: Texts or candidates are none.

    Examples:
        >>> def ask(texts):  # how bad, how good
        ...     return np.array([[text.count("bad"), 0.5 + text.count("good") + text.count("fine")] for text in texts])
        >>> found = substitute_words(ask, ["A good plot.", "bad, all bad"], [1, 0], {"good": ["fine", "nice", "bad"]})
        >>> found.texts, found.success.tolist()
        (('A bad plot.', 'bad, all bad'), [True, False])
        >>> found.substitutions[0], found.queries.tolist()
        ((Substitution(position=1, before='good', after='bad'),), [4, 1])
    """
    given, lexicon = checked_texts(texts), Lexicon(candidates)
    gold = _targets(targets, len(given))
    most = _Limits(_limit("max_words", max_words, 0), _limit("max_queries", max_queries, 1))
    asked = _Asked(ask, _limit("batch_size", batch_size, 1))
    found: list[list[_Outcome]] = []  # [sample][run]
    for first in range(0, len(given), _TOGETHER):
        part = slice(first, first + _TOGETHER)
        found += _search_side_by_side(asked, given[part], gold[part], lexicon, most, spans)
    if asked.has_runs is None:
        raise InputError("texts are none; pass one or more.")
    rows = [[each[run] for each in found] for run in range(len(found[0]))]

    def shaped(values: list[list[Any]]) -> tuple[Any, ...]:
        return tuple(map(tuple, values)) if asked.has_runs else tuple(values[0])

    def array(values: list[list[Any]]) -> Result:
        return give_back(np.array(values if asked.has_runs else values[0]), targets)

    return SubstitutedWords(
        shaped([[one.text for one in row] for row in rows]),
        array([[one.success for one in row] for row in rows]),
        array([[one.was_wrong for one in row] for row in rows]),
        shaped([[one.substitutions for one in row] for row in rows]),
        array([[one.queries for one in row] for row in rows]),
    )


@final
@dataclass(frozen=True)
class _Limits:
    words: int | None
    queries: int | None


@final
@dataclass(frozen=True)
class _Outcome:
    text: str
    success: bool
    was_wrong: bool
    substitutions: tuple[Substitution, ...]
    queries: int


class _Answer(NamedTuple):
    """What is known of a text: how far its answer is from leaving the target, and whether it has."""

    margin: float
    is_wrong: bool


_Words: TypeAlias = list[tuple[Span, tuple[str, ...]]]
_Search: TypeAlias = Generator[list[str], list[_Answer], _Outcome]


def _search_side_by_side(
    asked: _Asked,
    texts: tuple[str, ...],
    targets: NDArray[np.int64],
    lexicon: Lexicon,
    most: _Limits,
    spans: Callable[[str], Sequence[Span]],
) -> list[list[_Outcome]]:
    """Return what comes out of each text, [sample][run]; what the searches want to know is asked together."""
    asked.forget()
    known = asked.answers([(text, int(target)) for text, target in zip(texts, targets, strict=True)])
    searches, wanted = {}, {}
    outcomes: dict[tuple[int, int], _Outcome] = {}
    for sample, answers in enumerate(known):
        words = _words(texts[sample], spans, lexicon)
        for run, answer in enumerate(answers):
            searches[sample, run] = _search(texts[sample], answer, words, most)

    def advance(place: tuple[int, int], answers: list[_Answer] | None) -> None:
        try:
            search = searches[place]
            wanted[place] = next(search) if answers is None else search.send(answers)
        except StopIteration as end:
            outcomes[place] = end.value
            wanted.pop(place, None)

    for place in searches:
        advance(place, None)
    while wanted:
        questions = {
            place: [(text, int(targets[place[0]])) for text in asked_for] for place, asked_for in wanted.items()
        }
        asked.answers([question for each in questions.values() for question in each])
        for (sample, run), each in questions.items():
            advance((sample, run), [answers[run] for answers in asked.answers(each)])
    return [[outcomes[sample, run] for run in range(len(answers))] for sample, answers in enumerate(known)]


def _words(text: str, spans: Callable[[str], Sequence[Span]], lexicon: Lexicon) -> _Words:
    """Return where the words of a text are, with what may stand in their place."""
    found, last = [], 0
    for start, end in spans(text):
        if not last <= start < end <= len(text):
            raise InputError(
                f"spans must return where words begin and end, one after the other; got ({start}, {end}) behind {last} "
                f"in a text of {len(text)} characters."
            )
        found.append(((start, end), lexicon.of(text[start:end])))
        last = end
    return found


def _search(text: str, clean: _Answer, words: _Words, most: _Limits) -> _Search:
    """Search for one text and one run: yields texts, is sent their answers, and returns what it found."""
    queries = 1
    unchanged = _Outcome(text, clean.is_wrong, clean.is_wrong, (), queries)

    def left() -> int | None:
        return None if most.queries is None else most.queries - queries

    if clean.is_wrong:
        return unchanged
    order = [place for place, (_, candidates) in enumerate(words) if candidates]
    if len(order) > 1:
        order = order[: left()]
        answers = (yield [_written(text, words, {place: ""}) for place in order]) if order else []
        queries += len(order)
        order = [order[rank] for rank in np.argsort([answer.margin for answer in answers], kind="stable")]
    now, margin = dict[int, str](), clean.margin
    for place in order:
        candidates = words[place][1][: left()]
        if not candidates or len(now) == most.words:
            break
        answers = yield [_written(text, words, now | {place: candidate}) for candidate in candidates]
        queries += len(candidates)
        best = min(range(len(answers)), key=lambda number: (not answers[number].is_wrong, answers[number].margin))
        if answers[best].margin >= margin and not answers[best].is_wrong:
            continue
        now[place], margin = candidates[best], answers[best].margin
        if answers[best].is_wrong:
            made = tuple(Substitution(at, text[slice(*words[at][0])], now[at]) for at in sorted(now))
            return _Outcome(_written(text, words, now), True, False, made, queries)
    return _Outcome(text, False, False, (), queries)


def _written(text: str, words: _Words, now: dict[int, str]) -> str:
    """Return a text with some of its words replaced."""
    pieces, last = [], 0
    for place in sorted(now):
        start, end = words[place][0]
        pieces += [text[last:start], now[place]]
        last = end
    return "".join([*pieces, text[last:]])


@final
class _Asked:
    """Answers to texts: each is asked once among those that are searched side by side."""

    def __init__(self, ask: Callable[[tuple[str, ...]], ArrayLike], batch_size: int | None) -> None:
        self._ask, self._batch = ask, batch_size or 1
        self._known: dict[tuple[str, int], list[_Answer]] = {}
        self._runs = 0
        self.has_runs: bool | None = None

    def forget(self) -> None:
        """Forget all answers, which take memory."""
        self._known.clear()

    def answers(self, questions: Sequence[tuple[str, int]]) -> list[list[_Answer]]:
        """Return the answers [question][run] to texts with their targets."""
        new = list(dict.fromkeys(question for question in questions if question not in self._known))
        for first in range(0, len(new), self._batch):
            part = new[first : first + self._batch]
            targets = np.array([target for _, target in part])
            margins, is_wrong = self._asked(tuple(text for text, _ in part), targets)
            for place, question in enumerate(part):
                pairs = zip(margins[:, place].tolist(), is_wrong[:, place].tolist(), strict=True)
                self._known[question] = [_Answer(*pair) for pair in pairs]
        return [self._known[question] for question in questions]

    def _asked(self, texts: tuple[str, ...], targets: NDArray[np.int64]) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return margins and whether answers are wrong, [run, sample]."""
        logits = float_array(self._ask(texts), "what ask returns")
        if logits.ndim not in (2, 3) or logits.shape[-2] != len(texts) or logits.shape[-1] < 2:
            raise InputError(
                f"ask must return logits [sample, class] or [run, sample, class] of {len(texts)} texts and two classes "
                f"or more, got {brief(logits)}."
            )
        if targets.max() >= logits.shape[-1]:
            raise InputError(f"targets hold {targets.max()}, but ask returns logits of {logits.shape[-1]} classes.")
        self.has_runs = logits.ndim == 3
        logits = logits.reshape(-1, *logits.shape[-2:])
        self._runs = self._runs or len(logits)
        if not self._runs == len(logits) > 0:
            raise InputError(f"ask returned logits of {self._runs} runs, and then of {len(logits)}.")
        is_wrong = logits.argmax(-1) != targets
        rows = np.arange(len(texts))
        own = logits[:, rows, targets]
        others = logits.copy()
        others[:, rows, targets] = -np.inf
        return own - others.max(-1), is_wrong


def _targets(targets: ArrayLike, count: int) -> NDArray[np.int64]:
    found = to_numpy(targets, "targets")
    if found.shape != (count,) or (count and found.dtype.kind not in "iu"):
        raise InputError(f"targets must be {count} whole numbers, one for each text, got {brief(found)}.")
    if count and found.min() < 0:
        raise InputError(
            f"targets hold {found.min()} at position {int(found.argmin())}; leave out samples whose class is not known."
        )
    return found.astype(np.int64)


def _limit(name: str, value: int | None, least: int) -> int | None:
    if value is not None and (not is_whole(value) or value < least):
        raise InputError(f"{name} must be a whole number, {least} or more, got {value!r}.")
    return value
