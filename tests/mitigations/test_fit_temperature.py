"""The temperature that calibrates best: closed forms, an independent minimiser, and ends."""

import math

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from reseed import InputError
from reseed.mitigations import fit_temperature, tempered


def loss(logits, targets, temperature):
    """Return the mean negative log-likelihood in double precision."""
    rows = np.arange(len(targets))
    return -log_softmax(np.asarray(logits, np.float64) / temperature, axis=1)[rows, targets].mean()


def searched(logits, targets):
    """Return the temperature in [0.1, 10] of the least loss, by grids that close in on it."""
    low, high = math.log(0.1), math.log(10.0)
    for _ in range(12):
        grid = np.linspace(low, high, 41)
        best = int(np.argmin([loss(logits, targets, math.exp(point)) for point in grid]))
        low, high = grid[max(best - 1, 0)], grid[min(best + 1, 40)]
    return math.exp((low + high) / 2)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("factor", [0.4, 1.0, 3.0])
def test_it_is_where_a_search_over_a_grid_ends(seed, factor):
    """Logits that are the truth's times a factor are brought back by about that factor, as a search finds it."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(400, 6)) * 2
    shares = np.exp(log_softmax(logits, axis=1))
    targets = np.array([rng.choice(6, p=row) for row in shares])
    found = fit_temperature(factor * logits, targets)
    assert found == pytest.approx(searched(factor * logits, targets), rel=1e-5)
    assert found == pytest.approx(factor, rel=0.25)


@pytest.mark.parametrize("odds", [2, 9])
def test_equal_answers_get_the_odds_of_being_right(odds):
    """One right answer more for each wrong one: the probability is the share that is right."""
    logits, targets = np.tile([4.0, 0.0], (odds + 1, 1)), [0] * odds + [1]
    assert fit_temperature(logits, targets) == pytest.approx(4 / math.log(odds), rel=1e-9)


def test_types_and_constants_do_not_matter():
    """Tensors, single precision, and a number added to all logits of a sample give the same."""
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(50, 3)), rng.integers(0, 3, 50)
    expected = fit_temperature(logits, targets)
    moved = logits + rng.normal(size=(50, 1)) * 1e3
    assert fit_temperature(moved, targets) == pytest.approx(expected, rel=1e-6)
    assert fit_temperature(torch.from_numpy(logits).float(), torch.from_numpy(targets)) == pytest.approx(
        expected, rel=1e-4
    )


def test_logarithms_of_probabilities_are_logits():
    """What `tempered` does to the probabilities has the least loss of all temperatures."""
    rng = np.random.default_rng(1)
    probabilities, targets = rng.dirichlet(np.ones(4), 80), rng.integers(0, 4, 80)
    temperature = fit_temperature(np.log(probabilities), targets)
    scaled = tempered(torch.from_numpy(probabilities), temperature=temperature).numpy()
    assert -np.log(scaled[np.arange(80), targets]).mean() == pytest.approx(
        loss(np.log(probabilities), targets, temperature)
    )


def test_it_ends_where_no_temperature_is_best():
    """All right: the sharpest; all wrong: the flattest; no difference between classes: none is better than 1."""
    logits = [[3.0, 0.0, 1.0], [0.0, 2.0, 1.0]]
    assert fit_temperature(logits, [0, 1]) == 0.1
    assert fit_temperature(logits, [1, 0]) == 10.0
    assert fit_temperature(np.ones((5, 3)), [0, 1, 2, 0, 1]) == 1.0
    assert fit_temperature(np.zeros((4, 1)), [0, 0, 0, 0]) == 1.0


def test_samples_without_a_target_do_not_count():
    """They are left out, whatever the logits say of them."""
    rng = np.random.default_rng(2)
    logits, targets = rng.normal(size=(60, 3)), rng.integers(0, 3, 60)
    targets[:20] = -1
    assert fit_temperature(logits, targets) == fit_temperature(logits[20:], targets[20:])


def test_huge_logits_do_not_overflow():
    """The loss is taken without powers that double precision does not hold."""
    assert fit_temperature([[1e30, 0.0], [0.0, 1e30]], [0, 1]) == 0.1


@pytest.mark.parametrize(
    ("logits", "targets", "words"),
    [
        ([1.0, 2.0], [0], "pass logits"),
        ([[1.0, 2.0]], [0, 1], "pass logits"),
        ([[1.0, 2.0]], [0.5], "pass logits"),
        ([[1.0, math.inf]], [0], "not finite"),
        ([[1.0, 2.0]], [2], "logits has 2 classes"),
        ([[1.0, 2.0]], [-2], "logits has 2 classes"),
        ([[1.0, 2.0]], [-1], "no known target"),
    ],
)
def test_what_cannot_be_fitted_is_an_error(logits, targets, words):
    """The message says what is wrong and what to pass."""
    with pytest.raises(InputError, match=words):
        fit_temperature(logits, targets)
