"""Which of several methods no other one beats at no higher cost."""

from collections.abc import Sequence

from reseed._errors import InputError


def pareto_front(costs: Sequence[Sequence[float]], gains: Sequence[float]) -> tuple[bool, ...]:
    """Returns which candidates are on the Pareto front: no other is as cheap in every cost and gains as much.

    A candidate is off the front if another one costs at most as much in every respect, gains at least as much, and is
    better in one of these. Candidates with an unknown (NaN) cost or gain are off it and keep nobody off.

    Args:
        costs: costs of each candidate [candidate, cost], lower is better.
        gains: what each gains [candidate], higher is better.

    Returns:
        Whether each candidate is on the front.

    Raises:
        InputError: Costs and gains are of different numbers of candidates, or candidates of different numbers of costs.

    Example:
        >>> pareto_front([(1, 1), (2, 1), (2, 1), (5, 5)], [0.0, 30.0, 20.0, 55.0])
        (True, True, False, True)
    """
    if len(costs) != len(gains):
        raise InputError(
            f"costs holds {len(costs)} candidates but gains {len(gains)}; pass one of each for a candidate."
        )
    for place, cost in enumerate(costs):
        if len(cost) != len(costs[0]):
            raise InputError(
                f"costs holds {len(cost)} costs of candidate {place} but {len(costs[0])} of candidate 0; pass as many "
                "of each, NaN for one that is not known."
            )
    points = [(*cost, -gain) for cost, gain in zip(costs, gains, strict=True)]
    known = [all(value == value for value in point) for point in points]

    def beats(other: tuple[float, ...], point: tuple[float, ...]) -> bool:
        return other != point and all(a <= b for a, b in zip(other, point, strict=True))

    return tuple(
        is_known and not any(has and beats(other, point) for other, has in zip(points, known, strict=True))
        for point, is_known in zip(points, known, strict=True)
    )
