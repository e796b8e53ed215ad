"""Components of variance: what the seed does, and what the training set adds."""

import itertools

import numpy as np
import pytest
import torch

from reseed._errors import InputError
from reseed.instability import nested_variance


@pytest.fixture
def probabilities():
    """Random distributions [training_set, run, sample, class] of 3 sets, 4 runs, 6 samples and 5 classes."""
    return np.random.default_rng(0).dirichlet(np.ones(5), (3, 4, 6))


def test_components_are_mean_squared_distances_of_pairs(probabilities):
    """Both components are those of every pair of runs compared one by one."""
    found = nested_variance(probabilities)
    runs = list(itertools.product(range(3), range(4)))
    for sample in range(6):

        def half(one, other, sample=sample):
            return ((probabilities[*one, sample] - probabilities[*other, sample]) ** 2).sum() / 2

        pairs = list(itertools.permutations(runs, 2))
        seed = np.mean([half(a, b) for a, b in pairs if a[0] == b[0]])
        total = np.mean([half(a, b) for a, b in pairs if a[0] != b[0] and a[1] != b[1]])
        assert found.seed[sample] == pytest.approx(seed, rel=1e-12)
        assert found.data[sample] == pytest.approx(total - seed, rel=1e-9, abs=1e-14)
    assert found.mean_total == pytest.approx(found.seed.mean() + found.data.mean())
    assert (found.training_sets, found.runs) == (3, 4)


@pytest.mark.parametrize("is_crossed", [True, False])
def test_components_are_unbiased(is_crossed):
    """Over many samples they meet the variances that predictions were drawn with, few runs or many."""
    rng = np.random.default_rng(1)
    samples = 40_000
    of_set = rng.normal(0, 0.03, (3, 1, samples))
    of_seed = rng.normal(0, 0.02, (1 if is_crossed else 3, 2, samples))
    p = np.clip(0.5 + of_set + of_seed + rng.normal(0, 0.01, (3, 2, samples)), 0, 1)
    found = nested_variance(np.stack([p, 1 - p], axis=-1))
    assert found.mean_seed == pytest.approx(2 * (0.02**2 + 0.01**2), rel=0.02)
    assert found.mean_data == pytest.approx(2 * 0.03**2, rel=0.02)


def test_equal_runs_and_equal_sets(probabilities):
    """Equal runs leave exactly nothing to the seed; sets of the same runs nothing to the data but noise below 0."""
    same = np.repeat(probabilities[:, :1], 4, axis=1)
    assert (nested_variance(same).seed == 0).all()
    assert nested_variance(same).mean_data == pytest.approx(same[:, 0].var(axis=0, ddof=1).sum(axis=-1).mean())
    alike = nested_variance(np.stack([probabilities[0]] * 3))
    np.testing.assert_allclose(alike.data, 0, atol=1e-16)


def test_blocks_do_not_show(probabilities, monkeypatch):
    """Worked on sample by sample, the numbers are the same."""
    whole = nested_variance(probabilities)
    monkeypatch.setattr("reseed.instability.sources._nested_variance._BLOCK", 1)
    np.testing.assert_allclose(nested_variance(probabilities).data, whole.data, rtol=1e-12)


def test_tensors_give_tensors(probabilities):
    """Torch in, torch out, with the numbers of numpy."""
    found = nested_variance(torch.from_numpy(probabilities))
    assert isinstance(found.data, torch.Tensor)
    np.testing.assert_array_equal(found.seed.numpy(), nested_variance(probabilities).seed)


def test_no_samples_have_no_mean():
    """Means over nothing are NaN, with a warning."""
    with pytest.warns(RuntimeWarning, match="holds no samples; the means are NaN"):
        assert np.isnan(nested_variance(np.zeros((2, 2, 0, 3))).mean_total)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda p: p[0], r"must be \[training_set, run, sample, class\] .* got float64\[4, 6, 5\]"),
        (lambda p: p[:1], r"with two or more training sets and runs, got float64\[1, 4, 6, 5\]"),
        (lambda p: p[:, :1], r"with two or more training sets and runs, got float64\[3, 1, 6, 5\]"),
        (lambda p: 2 * p, r"probabilities sums to 2 at position \(0, 0, 0\), not to 1"),
    ],
)
def test_errors_say_what_is_wrong(probabilities, change, text):
    """Each error shows the shape or the value and says what is wanted."""
    with pytest.raises(InputError, match=text):
        nested_variance(change(probabilities))
