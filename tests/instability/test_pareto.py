"""The Pareto front, against its definition."""

import numpy as np
import pytest

from reseed._errors import InputError
from reseed.instability import pareto_front


def test_the_definition_holds_for_random_points():
    """A candidate is on the front exactly if no other is as good in all respects and better in one."""
    rng = np.random.default_rng(0)
    costs, gains = rng.integers(0, 4, (40, 2)), rng.integers(0, 4, 40)
    points = np.column_stack([costs, -gains])
    expected = [not any((other <= point).all() and (other < point).any() for other in points) for point in points]
    assert list(pareto_front(costs.tolist(), gains.tolist())) == expected


def test_equals_stand_side_by_side():
    """Candidates that are equal in everything keep each other neither on nor off."""
    assert pareto_front([(1, 1), (1, 1)], [2, 2]) == (True, True)


def test_unknown_costs_are_off_and_beat_nobody():
    """A cost that is not known keeps a candidate off the front and nobody else."""
    nan = float("nan")
    assert pareto_front([(nan, 1), (2, 1), (1, 1)], [90, 5, nan]) == (False, True, False)


@pytest.mark.parametrize(
    ("costs", "gains", "text"),
    [
        ([(1, 1)], [1.0, 2.0], "costs holds 1 candidates but gains 2; pass one of each"),
        ([(1, 1), (2,)], [1.0, 2.0], "costs holds 1 costs of candidate 1 but 2 of candidate 0; pass as many of each"),
    ],
)
def test_candidates_that_do_not_fit_are_named(costs, gains, text):
    """Numbers that differ are an InputError that says which."""
    with pytest.raises(InputError, match=text):
        pareto_front(costs, gains)
