"""Rashomon sets, ambiguity, discrepancy, and their sweeps over epsilon."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from reseed._errors import InputError
from reseed.instability import (
    ambiguity,
    ambiguous_samples,
    churn,
    discrepancy,
    rashomon_set,
    rashomon_sweep,
    viable_prediction_range,
)

labels_of_runs = hnp.arrays(np.int64, st.tuples(st.integers(2, 8), st.integers(1, 12)), elements=st.integers(0, 3))


@pytest.fixture
def random():
    """A generator of random numbers."""
    return np.random.default_rng(0)


def test_the_set_keeps_equal_losses_and_the_base():
    """The limit itself is within the set, and with epsilon 0 the base remains with its equals."""
    losses = [0.5, 0.25, 0.75, 0.25]
    assert rashomon_set(losses, epsilon=0.25).tolist() == [True, True, False, True]
    assert rashomon_set(losses, epsilon=0).tolist() == [False, True, False, True]
    assert rashomon_set(losses, epsilon=0, base=0).tolist() == [True, True, False, True]


def test_rounding_does_not_exclude_a_loss_at_the_limit():
    """0.7 + 0.1 is less than 0.8 in floating point, and 0.8 is within the set all the same."""
    assert 0.7 + 0.1 < 0.8
    assert rashomon_set([0.7, 0.8], epsilon=0.1).tolist() == [True, True]
    assert rashomon_set([0.7, 0.8 + 1e-9], epsilon=0.1).tolist() == [True, False]


def test_tensors_give_tensors():
    """Masks and indicators come back where the argument was."""
    mask = rashomon_set(torch.tensor([0.1, 0.2, 0.9]), epsilon=0.2)
    assert mask.dtype == torch.bool
    assert ambiguous_samples(torch.tensor([[0, 1], [0, 2], [1, 1]]), keep=mask).tolist() == [False, True]


@settings(max_examples=60, deadline=None)
@given(labels_of_runs, st.data())
def test_definitions_by_brute_force(labels, data):
    """Ambiguity and discrepancy are the double loops of their definitions, for every base and set."""
    base = data.draw(st.integers(0, len(labels) - 1))
    keep = np.array(data.draw(st.lists(st.booleans(), min_size=len(labels), max_size=len(labels))))
    keep[base] = keep[base - 1] = True
    runs = [run for run in range(len(labels)) if keep[run]]
    any_change = [any(labels[run][i] != labels[base][i] for run in runs) for i in range(labels.shape[1])]
    assert ambiguous_samples(labels, base=base, keep=keep).tolist() == any_change
    assert ambiguity(labels, base=base, keep=keep) == pytest.approx(sum(any_change) / len(any_change), rel=1e-15)
    assert discrepancy(labels, base=base, keep=keep) == max(churn(labels[run], labels[base]) for run in runs)
    assert discrepancy(labels, base=base, keep=keep) <= ambiguity(labels, base=base, keep=keep)


def test_two_runs_have_one_churn(random):
    """With two runs ambiguity, discrepancy and churn are one number, whichever is the base."""
    labels = random.integers(0, 3, (2, 200))
    for base in (0, 1):
        assert ambiguity(labels, base=base) == discrepancy(labels, base=base) == churn(labels[0], labels[1])


def test_gold_labels_are_another_reference(random):
    """Against gold labels the measures count errors; strings mean the same as the integers they stand for."""
    labels, gold = random.integers(0, 3, (5, 100)), random.integers(0, 3, 100)
    wrong = labels != gold
    assert ambiguity(labels, reference="gold", targets=gold) == pytest.approx(wrong.any(axis=0).mean())
    assert discrepancy(labels, reference="gold", targets=gold) == pytest.approx(wrong.mean(axis=1).max())
    names = np.array(["cat", "zebra", "dog"])
    as_text = ambiguity(names[labels], reference="gold", targets=names[gold])
    assert as_text == ambiguity(labels, reference="gold", targets=gold)


@pytest.mark.parametrize("reference", ["base", "gold"])
@pytest.mark.parametrize("base", ["best", 3])
def test_a_sweep_is_its_single_steps(random, base, reference):
    """Every epsilon of a sweep, in any order, gives what filtering and measuring anew gives."""
    labels, losses = random.integers(0, 3, (9, 150)), random.integers(0, 6, 9) / 8
    probabilities = random.dirichlet(np.ones(3), (9, 150))
    epsilons = [0.5, 0.125, 0.25, 10.0, 0.3]
    options = {"reference": reference, "targets": random.integers(0, 3, 150) if reference == "gold" else None}
    found = rashomon_sweep(labels, losses, epsilons, base=base, probabilities=probabilities, **options)
    for place, epsilon in enumerate(epsilons):
        keep = rashomon_set(losses, epsilon=epsilon, base=base)
        assert found.survivors[place] == keep.sum()
        assert found.ambiguity[place] == ambiguity(labels, base=found.base, keep=keep, **options)
        assert found.discrepancy[place] == discrepancy(labels, base=found.base, keep=keep, **options)
        width = viable_prediction_range(probabilities, keep=keep).width.max(axis=1).mean()
        assert found.mean_viable_range[place] == pytest.approx(width, rel=1e-14)
    for measure in (found.survivors, found.ambiguity, found.discrepancy, found.mean_viable_range):
        assert (np.diff(measure[np.argsort(epsilons)]) >= 0).all()


def test_a_lone_survivor_has_no_multiplicity():
    """One survivor gives NaN with a warning that counts it, in single measures and in sweeps."""
    labels, keep = [[0, 1], [1, 1]], [True, False]
    for measure in (ambiguity, discrepancy, ambiguous_samples):
        with pytest.warns(RuntimeWarning, match="keep leaves 1 runs, fewer than the 2 that can disagree"):
            assert np.isnan(measure(labels, keep=keep)).all()
    with pytest.warns(RuntimeWarning, match=r"fewer than two of 2 runs survive at epsilon \[0.0\]; the sweep is NaN"):
        found = rashomon_sweep(labels, [0.1, 0.2], [0.0, 0.1])
    assert found.survivors.tolist() == [1, 2]
    assert np.isnan(found.ambiguity).tolist() == [True, False]


def test_no_samples_give_nan():
    """Without samples there is no share."""
    empty = np.zeros((3, 0), np.int64)
    for measure in (ambiguity, discrepancy):
        with pytest.warns(RuntimeWarning, match="labels holds no samples"):
            assert np.isnan(measure(empty))
    with pytest.warns(RuntimeWarning, match="labels holds no samples; the sweep is NaN"):
        assert np.isnan(rashomon_sweep(empty, [0, 0, 0], [1.0]).discrepancy).all()


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: rashomon_set([0.1], epsilon=-0.1), r"epsilon must be at least 0, got \[-0.1\]; pass how much loss"),
        (lambda: rashomon_set([0.1, np.inf], epsilon=1), "losses holds inf for run 1; leave the run that diverged out"),
        (lambda: rashomon_set([[0.1]], epsilon=1), r"losses must hold one number for each run, got float64\[1, 1\]"),
        (lambda: rashomon_set([0.1], epsilon=1, base=1), r"base=1 is not one of the 1 runs; pass an index in 0..0"),
        (lambda: rashomon_sweep([[0]], [0.1], [np.nan]), r"epsilons must be at least 0, got \[nan\]"),
        (lambda: rashomon_sweep([[0]], [0.1, 0.2], [0]), "losses holds 2 numbers but labels holds 1 runs; pass one"),
        (
            lambda: rashomon_sweep([[0], [0]], [0, 0], [0], probabilities=[[[1.0]]]),
            r"probabilities is float64\[1, 1, 1\] but labels are \[2, 1\]; pass the same runs and samples",
        ),
        (lambda: ambiguity([[0], [1]], keep=[1, 1]), r"keep must be a boolean mask over the 2 runs, got int64\[2\]"),
        (
            lambda: discrepancy([[0], [1], [1]], keep=[False, True, True]),
            r"base=0 is not among the runs that keep leaves, \[1, 2\]; pass one of these",
        ),
        (lambda: ambiguity([[0]], reference="truth"), "reference='truth' is unknown; pass 'base' or 'gold'"),
        (lambda: ambiguity([[0]], reference="gold"), "reference='gold' needs targets; pass targets with"),
        (lambda: ambiguity([[0]], targets=[0]), "reference='base' takes no targets; pass targets with"),
        (
            lambda: ambiguity([[0]], reference="gold", targets=[0, 1]),
            r"labels of one run is int64\[1\] but targets is int64\[2\]; pass two arrays over the same samples",
        ),
    ],
)
def test_bad_arguments_are_named(call, text):
    """Messages name the argument, show the value and say what to pass."""
    with pytest.raises(InputError, match=text):
        call()
