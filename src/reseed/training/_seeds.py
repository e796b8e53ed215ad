"""Seed streams: one 32-bit word for each (run, stream)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import numpy as np

from reseed._arguments import argument
from reseed._bounds import check_bound
from reseed._errors import RecipeError
from reseed._near import did_you_mean
from reseed._numbers import is_whole
from reseed.mitigations import Peers
from reseed.training._subset import Subset

Stream = Literal["init", "order", "dropout", "augment", "data"]
"""What a seed decides: initial weights, batch order, dropout masks, augmentation, the training sample."""

STREAMS: tuple[Stream, ...] = get_args(Stream)
DEFAULT_VARY: frozenset[Stream] = frozenset(STREAMS) - {"data"}

DRAWS = 2
"""The newest version of what generators draw for a word, see `generator`."""
FIRST_DRAWS = 1
"""That of studies which do not say."""
# In every spawn key of ours: whatever anybody else seeds with a word, and spawns from it, is another stream.
_OURS = int.from_bytes(b"reseed", "little")


@dataclass(frozen=True)
class Seeds:
    """The words of one run, one for each stream, each in [0, 2**32), and what is drawn for them.

    Attributes:
        init: The word of initial weights.
        order: That of the batch order.
        dropout: That of dropout masks.
        augment: That of augmentation, and of what mitigations draw.
        data: That of the training sample.
        draws: The version of what generators draw, see `generator`.
        subset: Which part of the training set the run trains on, drawn from ``data``; None: the whole set.
    """

    init: int
    order: int
    dropout: int
    augment: int
    data: int
    draws: int = DRAWS
    subset: Subset | None = None

    @property
    def words(self) -> dict[str, int]:
        """The words by stream."""
        return {stream: getattr(self, stream) for stream in STREAMS}

    def generator(self, stream: Stream, *counters: int) -> np.random.Generator:
        """Return a fresh generator of a stream, see `generator`."""
        return generator(self.words[stream], *counters, draws=self.draws)


@dataclass(frozen=True)
class SeedPlan:
    """Which streams differ between runs, and the words that they get.

    Words come from ``numpy.random.SeedSequence(base, spawn_key=(run, stream))``. One word has 32 bits because
    torch's CPU generator reads only the low 32 bits of a seed: longer seeds look distinct and are not.
    Streams that are not varied keep the words of run 0, so run 0 is the same training whatever varies.

    Args:
        base: The study's base seed, a non-negative integer.
        vary: The streams that differ between runs.
        resample: None, or the number of one bootstrap resample of the training set, which all runs train on: that of
            run number ``resample`` where ``data`` varies.
        draws: The version of what generators draw for these words, see `generator`. A study that is there goes on with
            the version that it began with, whatever is said here.
        folds: None, or into how many folds the training set is divided, of which every run leaves one out: run r fold
            r mod ``folds`` of the division number r // ``folds``. So each block of so many runs leaves out every sample
            at least once; once, where their number is divisible by ``folds``.
        share: None, or the share in (0, 1) of the training set that each run trains on, drawn without replacement.

    Raises:
        RecipeError: ``base`` or ``resample`` is negative, ``vary`` is empty or names an unknown stream, or it names
            ``data`` although something else says what the training sample is; or ``draws`` is unknown; or ``folds`` or
            ``share`` is none; or several of ``resample``, ``folds`` and ``share`` are given.

    Examples:
        >>> plan = SeedPlan(base=0, vary=frozenset({"order"}))
        >>> plan.seeds(0).init == plan.seeds(7).init, plan.seeds(0).order == plan.seeds(7).order
        (True, False)
    """

    base: int = 0
    vary: frozenset[Stream] = DEFAULT_VARY
    resample: int | None = None
    draws: int = DRAWS
    folds: int | None = None
    share: float | None = None

    def __post_init__(self) -> None:
        if not is_whole(self.base) or self.base < 0:
            raise RecipeError(f"{argument('seed')} must be a non-negative integer, got {self.base!r}.")
        check_bound("seed", self.base, argument("seed"), RecipeError)
        object.__setattr__(self, "base", int(self.base))  # numpy's integers are no JSON
        check_vary(self.vary)
        check_draws(self.draws)
        self._check_sample()

    def _check_sample(self) -> None:
        if self.resample is not None and self.resample < 0:
            raise RecipeError(f"resample must be a non-negative integer or None, got {self.resample}.")
        if self.folds is not None and (not is_whole(self.folds) or self.folds < 2):
            raise RecipeError(
                f"{argument('folds')} must be a whole number of 2 or more, or None, got {self.folds!r}; pass 5."
            )
        if self.share is not None and not 0 < self.share < 1:
            raise RecipeError(
                f"{argument('share')} must be a share of the training set, in (0, 1), or None, got {self.share!r}."
            )
        given = {name: value for name in ("resample", "folds", "share") if (value := getattr(self, name)) is not None}
        if len(given) > 1:
            raise RecipeError(f"{' and '.join(given)} each say what a run trains on; pass one of them.")
        if given and "data" in self.vary:
            ((name, value),) = given.items()
            raise RecipeError(
                f"{argument('vary')} names data, but {name}={value} fixes the training sample; leave one of them out."
            )

    @property
    def bootstrap(self) -> bool:
        """Whether runs train on a bootstrap resample instead of on the whole training set."""
        return "data" in self.vary or self.resample is not None

    @property
    def leaves_out(self) -> bool:
        """Whether there are training samples that a run does not see."""
        return self.bootstrap or self.folds is not None or self.share is not None

    def seeds(self, run: int) -> Seeds:
        """Return the words of run number ``run``."""
        words = {stream: self._word(run if stream in self.vary else 0, stream) for stream in STREAMS}
        if self.resample is not None:
            words["data"] = self._word(self.resample, "data")
        subset = None
        if self.folds is not None:
            words["data"] = self._word(run // self.folds, "data")
            subset = Subset(run % self.folds, self.folds)
        if self.share is not None:
            words["data"] = self._word(run, "data")
            subset = Subset(share=self.share)
        return Seeds(**words, draws=self.draws, subset=subset)

    def shared_seeds(self, use: str = "shared") -> Seeds:
        """Return words that belong to no run: from them derive those of teachers that all runs share.

        Args:
            use: What for; every use has its own words.
        """
        return derived(SeedPlan(self.base, frozenset(STREAMS), draws=self.draws).seeds(0), use)

    def _word(self, run: int, stream: Stream) -> int:
        sequence = np.random.SeedSequence(self.base, spawn_key=(run, STREAMS.index(stream)))
        return int(sequence.generate_state(1, np.uint32)[0])


def derived(seeds: Seeds, *place: int | str, fresh: Iterable[str] = ("init", "order", "dropout", "augment")) -> Seeds:
    """Return words that are a function of others and of a place, such as a teacher's or a peer's.

    Args:
        seeds: The run's words.
        *place: What tells this training from the run's other ones: numbers and names.
        fresh: The streams that get new words; the others keep the run's. The training sample is the run's own.

    Examples:
        >>> seeds = SeedPlan().seeds(0)
        >>> one, other = derived(seeds, "teacher", 0), derived(seeds, "teacher", 1)
        >>> one.init == other.init, one.data == seeds.data
        (False, True)
    """
    key = tuple(int.from_bytes(part.encode(), "little") if isinstance(part, str) else part for part in place)
    words: dict[str, Any] = {
        stream: int(_sequence(getattr(seeds, stream), key, seeds.draws).generate_state(1, np.uint32)[0])
        for stream in fresh
    }
    return replace(seeds, **words)


def seeds_of_peers(seeds: Seeds, peers: Peers) -> list[Seeds]:
    """Return the words of a run's networks, the first of which has the run's own."""
    others = (derived(seeds, "peer", place, fresh=peers.fresh) for place in range(1, peers.count))
    return [seeds, *others]


def word_of_place(word: int, place: int) -> int:
    """Return the init word of a network's place in its run, where one word is given for all runs.

    Args:
        word: The init word of all runs.
        place: The place, from 0, which has that very word.

    Examples:
        >>> word_of_place(7, 0), word_of_place(7, 1) == word_of_place(7, 2)
        (7, False)
    """
    return derived(Seeds(word, 0, 0, 0, 0), "peer", place, fresh=("init",)).init if place else word


def check_vary(vary: Iterable[str]) -> frozenset[Stream]:
    """Return ``vary`` as a set of streams.

    Raises:
        RecipeError: It is empty or names an unknown stream.
    """
    names = frozenset(vary)
    unknown = sorted(names - set(STREAMS))
    if unknown:
        hint = did_you_mean(unknown[0], STREAMS)
        raise RecipeError(
            f"{argument('vary')} names unknown streams {unknown}.{hint} Choose among {', '.join(STREAMS)}."
        )
    if not names:
        raise RecipeError(
            f"{argument('vary')} is empty, so all runs would be equal; choose among {', '.join(STREAMS)}."
        )
    return frozenset(stream for stream in STREAMS if stream in names)


def check_draws(draws: int) -> None:
    """Accept a version of draws.

    Raises:
        RecipeError: This version of reseed does not know it.
    """
    if draws not in (FIRST_DRAWS, DRAWS):
        raise RecipeError(
            f"draws is {draws!r}, but this version of reseed knows {FIRST_DRAWS} and {DRAWS}; go on with the version "
            "that began the study."
        )


def generator(word: int, *counters: int, draws: int = DRAWS) -> np.random.Generator:
    """Return a fresh generator that is a pure function of a stream's word and the given counters.

    Words are handed to the user's own trainings as seeds, so that no generator of ours may be one that a user makes of
    a word: since version 2 it is that of a ``SeedSequence`` with a spawn key of reseed's own. In version 1 the
    generator of ``(word, 0)`` is ``numpy.random.default_rng(word)``.

    Args:
        word: The stream's.
        *counters: What tells this generator from the stream's other ones.
        draws: The version, 1 or 2.

    Examples:
        >>> generator(7, 0, draws=1).random() == np.random.default_rng(7).random()
        True
        >>> generator(7, 0).random() == np.random.default_rng(7).random()
        False
    """
    return np.random.default_rng(_sequence(word, counters, draws))


def _sequence(word: int, key: tuple[int, ...], draws: int) -> np.random.SeedSequence:
    if draws == FIRST_DRAWS:
        return np.random.SeedSequence((word, *key))
    return np.random.SeedSequence(word, spawn_key=(_OURS, *key))
