"""Several runs on each of several training sets."""

import itertools

import numpy as np
import pytest
import scipy.stats
import torch

from reseed._errors import InputError
from reseed.instability import nested_instability


@pytest.fixture
def probabilities():
    """Random distributions [training_set, run, sample, class] of 3 sets, 4 runs, 6 samples and 5 classes."""
    return np.random.default_rng(0).dirichlet(np.ones(5), (3, 4, 6))


def _mean_kl(models):
    """Mean of scipy's Kullback-Leibler divergence over ordered pairs of models [model, class]."""
    return np.mean([scipy.stats.entropy(p, q) for p, q in itertools.permutations(models, 2)])


def test_values_are_mean_divergences_of_pairs(probabilities):
    """Both measures are those of every ordered pair compared with scipy."""
    found = nested_instability(probabilities)
    for sample in range(6):
        inside = np.mean([_mean_kl(of_set[:, sample]) for of_set in probabilities])
        between = _mean_kl(probabilities.mean(axis=1)[:, sample])
        assert found.inconsistency[sample] == pytest.approx(inside, rel=1e-12)
        assert found.instability[sample] == pytest.approx(between, rel=1e-12)
    assert found.mean_inconsistency == pytest.approx(found.inconsistency.mean())
    assert found.mean_instability == pytest.approx(found.instability.mean())
    assert (found.training_sets, found.runs) == (3, 4)


def test_equal_runs_are_consistent(probabilities):
    """Where all runs on a set are equal, inconsistency is exactly 0, and instability is that of one run."""
    same = np.repeat(probabilities[:, :1], 4, axis=1)
    found = nested_instability(same)
    assert (found.inconsistency == 0).all()
    assert found.instability[0] == pytest.approx(_mean_kl(same[:, 0, 0]), rel=1e-12)


def test_equal_set_means_are_stable(probabilities):
    """Where the runs of all sets are the same, in any order, instability is 0 and inconsistency is not."""
    found = nested_instability(np.stack([probabilities[0], probabilities[0]]))
    assert (found.instability == 0).all()
    assert found.mean_inconsistency > 0.1
    shuffled = nested_instability(np.stack([probabilities[0], probabilities[0][::-1]]))
    np.testing.assert_allclose(shuffled.instability, 0, atol=1e-15)


def test_known_value():
    """Between (1/2, 1/2) and (3/4, 1/4) the mean of both divergences is ln(3) / 8."""
    found = nested_instability([[[[0.5, 0.5]], [[0.75, 0.25]]]] * 2)
    assert found.mean_inconsistency == pytest.approx(np.log(3) / 8, rel=1e-12)
    assert found.mean_instability == 0


def test_zeros_are_infinitely_far_unless_epsilon():
    """A class that one run rules out and another does not makes the divergence infinite; epsilon makes it finite."""
    sure = np.array([[[[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]]]] * 2)
    assert nested_instability(sure).mean_inconsistency == np.inf
    found = nested_instability(sure, epsilon=0.03)
    p, q = [0.98, 0.01, 0.01], [0.01, 0.98, 0.01]
    assert found.mean_inconsistency == pytest.approx(scipy.stats.entropy(p, q), rel=1e-12)
    assert found.mean_instability == 0


def test_a_class_that_all_rule_out_costs_nothing(probabilities):
    """Adding a class of probability 0 everywhere changes nothing."""
    wider = np.concatenate([probabilities, np.zeros((3, 4, 6, 1))], axis=-1)
    expected, found = nested_instability(probabilities), nested_instability(wider)
    np.testing.assert_allclose(found.inconsistency, expected.inconsistency, rtol=1e-12)
    np.testing.assert_allclose(found.instability, expected.instability, rtol=1e-12)


def test_order_of_runs_sets_and_classes_does_not_matter(probabilities):
    """Permuting any axis but samples leaves both measures as they are."""
    expected = nested_instability(probabilities)
    for axis in (0, 1, 3):
        found = nested_instability(np.flip(probabilities, axis))
        np.testing.assert_allclose(found.inconsistency, expected.inconsistency, rtol=1e-10)
        np.testing.assert_allclose(found.instability, expected.instability, rtol=1e-10)


def test_more_runs_lower_instability_without_data_noise():
    """Where sets do not differ, what instability shows is the seed's noise in the means, and falls with runs."""
    draws = np.random.default_rng(3).dirichlet(np.full(4, 20.0), (2, 64, 100))
    few, many = nested_instability(draws[:, :2]), nested_instability(draws)
    assert many.mean_instability < few.mean_instability / 8
    assert many.mean_inconsistency == pytest.approx(few.mean_inconsistency, rel=0.15)


def test_blocks_do_not_show(probabilities, monkeypatch):
    """Worked on sample by sample, the numbers are the same."""
    whole = nested_instability(probabilities)
    monkeypatch.setattr("reseed.instability.sources._nested._BLOCK", 1)
    pieces = nested_instability(probabilities)
    np.testing.assert_allclose(pieces.inconsistency, whole.inconsistency, rtol=1e-12)
    np.testing.assert_allclose(pieces.instability, whole.instability, rtol=1e-12)


def test_tensors_give_tensors(probabilities):
    """Torch in, torch out, with the numbers of numpy."""
    found = nested_instability(torch.from_numpy(probabilities))
    assert isinstance(found.instability, torch.Tensor)
    np.testing.assert_array_equal(found.inconsistency.numpy(), nested_instability(probabilities).inconsistency)


def test_what_has_no_value_is_nan(probabilities):
    """One run has no inconsistency, one set no instability, no samples no mean; each with a warning."""
    with pytest.warns(RuntimeWarning, match="one run on each training set; inconsistency is NaN"):
        found = nested_instability(probabilities[:, :1])
    assert np.isnan(found.inconsistency).all()
    assert np.isfinite(found.instability).all()
    with pytest.warns(RuntimeWarning, match="a single training set; instability is NaN"):
        found = nested_instability(probabilities[:1])
    assert np.isnan(found.mean_instability)
    assert np.isfinite(found.mean_inconsistency)
    with pytest.warns(RuntimeWarning, match="holds no samples; the means are NaN"):
        found = nested_instability(probabilities[:, :, :0])
    assert np.isnan([found.mean_inconsistency, found.mean_instability]).all()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda p: {"probabilities": p[0]}, r"must be \[training_set, run, sample, class\] .* got float64\[4, 6, 5\]"),
        (lambda p: {"probabilities": p[:, :0]}, r"with one or more of each, got float64\[3, 0, 6, 5\]"),
        (lambda p: {"probabilities": 2 * p}, r"probabilities sums to 2 at position \(0, 0, 0\), not to 1"),
        (lambda p: {"probabilities": p, "epsilon": 0.0}, r"epsilon must be strictly between 0 and 1, got 0.0"),
        (lambda p: {"probabilities": p, "epsilon": 1.5}, r"epsilon must be strictly between 0 and 1, got 1.5"),
    ],
)
def test_errors_say_what_is_wrong_and_what_to_pass(probabilities, change, text):
    """Each error names the argument, shows its value and says what to pass instead."""
    with pytest.raises(InputError, match=text):
        nested_instability(**change(probabilities))
