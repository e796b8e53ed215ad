"""Seed streams."""

import numpy as np
import pytest

from reseed._errors import RecipeError
from reseed.training import DEFAULT_VARY, STREAMS, SeedPlan, check_vary, generator
from reseed.training._seeds import derived


def test_words_are_distinct_32_bit_numbers():
    """A thousand runs of all streams get different words, each in 32 bits."""
    plan = SeedPlan(0, frozenset(STREAMS))
    words = [getattr(plan.seeds(run), stream) for run in range(1000) for stream in STREAMS]
    assert len(set(words)) == len(words)
    assert all(0 <= word < 2**32 for word in words)


def test_words_are_those_of_a_spawned_seed_sequence():
    """A word is what numpy's own spawning of the base seed gives."""
    child = np.random.SeedSequence(7).spawn(4)[3].spawn(5)[STREAMS.index("order")]
    assert SeedPlan(7).seeds(3).order == child.generate_state(1)[0]


def test_streams_that_do_not_vary_keep_the_words_of_run_zero():
    """Only the named streams differ between runs, and run 0 is the same whatever varies."""
    plan = SeedPlan(3, frozenset({"dropout"}))
    first, later = plan.seeds(0), plan.seeds(9)
    assert first.dropout != later.dropout
    assert (first.init, first.order, first.augment, first.data) == (later.init, later.order, later.augment, later.data)
    assert first == SeedPlan(3).seeds(0)


def test_a_resample_fixes_the_training_sample():
    """All runs of resample j share the data word of run j; the other words are those of runs without it."""
    plan, varied = SeedPlan(3, resample=2), SeedPlan(3, frozenset({"data"}))
    assert {plan.seeds(run).data for run in range(5)} == {varied.seeds(2).data}
    assert [plan.seeds(run).init for run in range(5)] == [SeedPlan(3).seeds(run).init for run in range(5)]
    assert (plan.bootstrap, varied.bootstrap, SeedPlan(3).bootstrap) == (True, True, False)


def test_a_resample_that_makes_no_sense_is_refused():
    """A negative number, or one beside a training sample that varies, raises."""
    with pytest.raises(RecipeError, match="resample must be a non-negative integer or None, got -1"):
        SeedPlan(resample=-1)
    with pytest.raises(RecipeError, match="vary names data, but resample=0 fixes the training sample"):
        SeedPlan(vary=frozenset({"data"}), resample=0)


def test_data_does_not_vary_by_default():
    """Everything but the training sample varies unless asked otherwise."""
    assert set(STREAMS) - {"data"} == DEFAULT_VARY


@pytest.mark.parametrize(
    ("vary", "message"),
    [
        ((), "vary is empty, so all runs would be equal; choose among init, order, dropout, augment, data"),
        (("init", "weather"), r"vary names unknown streams \['weather'\]\. Choose among init"),
    ],
)
def test_bad_vary_is_refused(vary, message):
    """Unknown or no streams raise and list the known ones."""
    with pytest.raises(RecipeError, match=message):
        check_vary(vary)


def test_negative_seed_is_refused():
    """A base seed below zero raises."""
    with pytest.raises(RecipeError, match="seed must be a non-negative integer, got -1"):
        SeedPlan(-1)


def test_generator_is_a_pure_function_of_its_counters():
    """Equal counters give equal numbers, other counters others."""
    assert generator(5, 1).integers(0, 2**60) == generator(5, 1).integers(0, 2**60)
    assert generator(5, 1).integers(0, 2**60) != generator(5, 2).integers(0, 2**60)


def state(seed):
    """Where numpy's default generator of a seed begins."""
    return str(np.random.default_rng(seed).bit_generator.state)


@pytest.mark.parametrize("word", [0, 7, 2**32 - 1])
def test_no_seeding_by_a_word_meets_our_generators(word):
    """Numbers, tuples, padded tuples and spawned children of a word are other generators than ours, at any counter."""
    theirs = [word, (word,), (word, 0), (word, 1), (word, 0, 0, 0), (word, 0, 0, 0, 0)]
    theirs += [child for seed in (word, (word, 0)) for child in np.random.SeedSequence(seed).spawn(5)]
    theirs += [np.random.SeedSequence(word, spawn_key=key) for key in ((0, 0), (1, 0), (0, 1))]
    states = {state(seed) for seed in theirs}
    ours = {str(generator(word, *key).bit_generator.state) for key in ((), (0,), (1,), (2,), (0, 0))}
    assert len(ours) == 5
    assert not ours & states


def test_the_first_version_of_draws_stays_what_it_was():
    """Version 1 is the generator of the tuple of word and counters, which was that of the word itself at counter 0."""
    assert str(generator(5, 0, draws=1).bit_generator.state) == state(5)
    assert str(generator(5, 3, draws=1).bit_generator.state) == state((5, 3))
    old = SeedPlan(draws=1).seeds(2)
    assert old.words == SeedPlan().seeds(2).words
    teacher = derived(old, "teacher", 1)
    key = (int.from_bytes(b"teacher", "little"), 1)
    assert teacher.order == np.random.SeedSequence((old.order, *key)).generate_state(1)[0]
    assert teacher.draws == 1
    assert teacher.order != derived(SeedPlan().seeds(2), "teacher", 1).order


def test_an_unknown_version_of_draws_is_refused():
    """A version that is not known raises, and names those that are."""
    with pytest.raises(RecipeError, match="draws is 3, but this version of reseed knows 1 and 2"):
        SeedPlan(draws=3)
