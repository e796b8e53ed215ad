"""How far inputs move along random directions before the answer changes: empirical boundary distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, final, get_args

import torch
from torch import Tensor

from reseed._errors import InputError
from reseed._numbers import check_whole, is_whole
from reseed.perturbations.attacks import Bounds, Model, Numbers
from reseed.robustness.boundary._directions import orthonormal_directions
from reseed.robustness.boundary._distances import Distances
from reseed.robustness.boundary._probed import Probed, batches, probed

Units = Literal["rms", "l2"]
_DIRECTIONS = 100


def noise_distance(
    model: Model,
    inputs: Numbers,
    targets: Numbers | None = None,
    *,
    directions: int | None = None,
    longest: float = 0.5,
    units: Units = "rms",
    steps: int = 32,
    tolerance: float | None = None,
    both_senses: bool = True,
    by_direction: bool = False,
    bounds: Bounds = (0.0, 1.0),
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Distances:
    """Return how far inputs move along random directions until the answer changes: empirical boundary distance (EBD).

        d_i = min over v in V of min {t > 0: F(clip(x_i + t v)) != y_i}

    where V are orthonormal random directions, the same for all samples and runs. Each is searched at ``steps`` equal
    distances, and the step in which the first change lies is halved to ``tolerance``; what is returned is the far end,
    at which the answer has changed. A change and a change back within one step are not seen.

    This is the distance of a *noise*, not of an adversary: a random direction meets a boundary far behind the nearest
    point of it. In high dimensions it is several times the minimal distance, see `boundary_distance`.

    Args:
        model: Whom to ask, as in `reseed.perturbations.pgd`; no gradients are needed.
        inputs: [sample, ...], of any shape.
        targets: The right answers, [sample] or [run, sample]; a sample that is answered wrongly is at distance 0.
            Default: what the networks answer, so that every sample has a distance.
        directions: How many, at most as many as there are features that may change; default: 100, or all.
        longest: How far to look, in ``units``.
        units: ``"rms"``: the root mean square of the change over features, sqrt(mean v^2), which can be compared
            between inputs of different size; ``"l2"``: its length, sqrt(D) times as much. That is before the point is
            clipped to the bounds.
        steps: At how many distances each direction is looked at.
        tolerance: How exact the distance is; default: a 64th of a step.
        both_senses: Whether to look along -v as well as v.
        by_direction: Whether to return the distance along each direction too. Else directions in which the boundary
            is behind the nearest one are left, which changes no result.
        bounds: The least and the largest value of inputs, numbers or one for each feature; None: no bounds.
        frozen: Where true features stay as they are; directions are drawn among the others.
        seed: Of the directions.
        batch_size: How many samples are asked about at once; default: as many as memory allows.

    Returns:
        See `Distances`; its censored samples have no change up to ``longest`` along any direction.

    Raises:
        InputError: There are more directions than features, or an argument is out of its range.
        InputTypeError: One is of a wrong type.

    Examples:
        A linear network whose boundary is 0.3 away, looked at along all directions of a basis:

        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0]]))
        >>> found = noise_distance(network, torch.tensor([[0.3, 0.0]]), units="l2", longest=9.0, bounds=None,
        ...                        tolerance=1e-6, by_direction=True)
        >>> f"{(found.by_direction**-2).sum() ** -0.5:.3f}"
        '0.300'
    """
    search = _Search(longest, units, steps, tolerance, both_senses)
    asked = probed(model, inputs, targets, bounds=bounds, frozen=frozen, batch_size=batch_size)
    check_whole("seed", seed, 0)
    lines = _directions(asked, directions, seed) * search.length(asked.budget.dimensions)
    lines = torch.cat([lines, -lines]) if both_senses else lines
    count = len(lines) // search.senses
    kept = count if by_direction else 1
    parts = [search.of(asked, rows, lines, kept) for rows in asked.blocks(batch_size, len(lines))]
    found, queries = (torch.cat(part, dim=1) for part in zip(*parts, strict=True))
    nearest = found.amin(-1)
    censored = nearest == math.inf
    return Distances(
        asked.given_back(nearest.clamp_max(longest)),
        asked.given_back(censored),
        asked.given_back(queries),
        by_direction=asked.given_back(found) if by_direction else None,
    )


def _directions(asked: Probed, count: int | None, seed: int) -> Tensor:
    """Return directions that change what may change, [direction, ...]."""
    budget = asked.budget
    most = budget.dimensions
    if count is None:
        count = min(_DIRECTIONS, most)
    if not is_whole(count) or not 1 <= count <= most:
        raise InputError(
            f"directions must be a whole number from 1 to {most}, the number of features that may change, got "
            f"{count!r}: no more directions are at right angles to each other."
        )
    drawn = orthonormal_directions(count, most, seed)
    shape = budget.clean.shape[1:]
    if budget.free is not None:
        whole = drawn.new_zeros(count, math.prod(shape))
        whole[:, budget.free.expand(shape).flatten().cpu()] = drawn
        drawn = whole
    return drawn.to(budget.clean.device, budget.clean.dtype).view(count, *shape)


@final
@dataclass(frozen=True)
class _Search:
    """How directions are looked along."""

    longest: float
    units: Units
    steps: int
    tolerance: float | None
    both_senses: bool

    def __post_init__(self) -> None:
        if self.units not in get_args(Units):
            raise InputError(f"units must be 'rms' or 'l2', got {self.units!r}.")
        if not 0 < self.longest < math.inf:
            raise InputError(f"longest must be above 0 and finite, in the units {self.units}, got {self.longest!r}.")
        check_whole("steps", self.steps)
        if self.tolerance is not None and not self.tolerance > 0:
            raise InputError(f"tolerance must be above 0, in the units {self.units}, got {self.tolerance!r}.")

    @property
    def senses(self) -> int:
        return 2 if self.both_senses else 1

    def length(self, dimensions: int) -> float:
        """The l2 length of one unit."""
        return math.sqrt(dimensions) if self.units == "rms" else 1.0

    @property
    def halvings(self) -> int:
        step = self.longest / self.steps
        return 6 if self.tolerance is None else max(0, math.ceil(math.log2(step / self.tolerance)))

    def of(self, asked: Probed, rows: Tensor, lines: Tensor, kept: int) -> tuple[Tensor, Tensor]:
        """Return distances [run, row, kept] and queries [run, row] of some samples.

        An item is a line of a sample and run. Items are in groups of which only the nearest is wanted: all lines of a
        sample, or both senses of a direction.

        Args:
            asked: Who is asked.
            rows: Which samples.
            lines: Directions and their opposites, of the length of one unit, [line, ...].
            kept: How many distances are wanted of a sample: 1, or one for each direction.
        """
        owners, samples = asked.items(rows)
        right = asked.targets[owners, samples]
        begun = (asked.answers[owners, samples] == right).nonzero().flatten()
        count, device = len(lines), rows.device
        items = (begun[:, None] * count + torch.arange(count, device=device)).flatten()
        queries = torch.ones(len(owners), dtype=torch.int64, device=device)

        def groups(some: Tensor) -> Tensor:
            return some // count * kept + some % count % kept

        def changed(some: Tensor, distances: Tensor) -> Tensor:
            owner = some // count
            queries.add_(owner.bincount(minlength=len(owners)))
            found = torch.empty(len(some), dtype=torch.bool, device=device)
            for part in batches(owners[owner], asked.runs, lines[0].numel()):
                own = owner[part]
                points = _moved(asked, samples[own], lines[some[part] % count], distances[part])
                with torch.no_grad():
                    answers = asked.asked.logits(points, owners[own]).argmax(1)
                found[part] = answers != right[own]
            return found

        near = torch.zeros(len(owners) * kept, dtype=torch.float64, device=device)
        far = torch.zeros_like(near)
        far[groups(items)] = math.inf
        nearest = items[:0]
        for step in range(1, self.steps + 1):
            if not len(items):
                break
            distance = self.longest * step / self.steps
            hits = items[changed(items, far.new_full((len(items),), distance))]
            near[groups(hits)] = self.longest * (step - 1) / self.steps
            far[groups(hits)] = distance
            nearest = torch.cat([nearest, hits])
            items = items[far[groups(items)] == math.inf]
        nearest = nearest.sort().values
        for _ in range(self.halvings if len(nearest) else 0):
            middle = (near + far) / 2
            group = groups(nearest)
            hit = changed(nearest, middle[group])
            is_hit = torch.zeros_like(far, dtype=torch.bool)
            is_hit[group[hit]] = True
            far = torch.where(is_hit, middle, far)
            near = torch.where(is_hit, near, middle)
            nearest = nearest[hit | ~is_hit[group]]  # the others of the group change behind it
        return far.view(asked.runs, len(rows), kept), queries.view(asked.runs, len(rows))


def _moved(asked: Probed, samples: Tensor, lines: Tensor, distances: Tensor) -> Tensor:
    """Return samples moved along lines [item, ...], which are written over, and put into the box."""
    budget = asked.budget
    points = lines.mul_(distances.to(lines.dtype).view(-1, *[1] * (lines.ndim - 1))).add_(budget.clean[samples])
    return points.clamp_(budget.lower.amin(0), budget.upper.amax(0))  # what is frozen does not move on a line
