"""How far inputs are from another answer, looked for with gradients."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed._draws import draw_key, item_normal
from reseed._errors import InputError
from reseed._numbers import is_whole
from reseed.perturbations.attacks import (
    AbstractAttack,
    Bounds,
    Budget,
    DeepFool,
    Hunt,
    Items,
    Model,
    Norm,
    Numbers,
    Pgd,
    budget_for,
    column,
    norm_of,
)
from reseed.robustness.boundary._distances import Distances
from reseed.robustness.boundary._nearest import nearest_on_plane
from reseed.robustness.boundary._probed import probed

_KEPT = 3  # other classes that are looked at again after the first look
_LOOKS = 4  # along each way
_GAIN = 1e-3  # a step that gains less, as a share of the distance, is idle
_NEAR = 1e-3  # how far before and behind a linear network's boundary the network's own is looked for first


def boundary_distance(
    model: Model,
    inputs: Numbers,
    targets: Numbers | None = None,
    *,
    norm: Norm = "2",
    longest: float | None = None,
    steps: int = 8,
    candidates: int = 9,
    bisections: int = 8,
    restarts: int = 1,
    bounds: Bounds = (0.0, 1.0),
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Distances:
    """Return how far the nearest other answer is that gradients lead to.

    `reseed.perturbations.deepfool` comes to a first boundary. Each step then takes the network for linear where the
    boundary was met, goes from the *input* to the nearest point of that linear boundary within the bounds, and looks
    along this way for the network's own boundary. Of a linear network the first step is exact. What has no other answer
    then is attacked by `reseed.perturbations.pgd` within ``longest``. The distance is that of a point whose answer was
    seen to differ: an upper bound of the minimal one.

    Args:
        model: Whom to ask, as in `reseed.perturbations.pgd`; it must be differentiable.
        inputs: [sample, ...], of any shape.
        targets: The right answers, [sample] or [run, sample]; a sample that is answered wrongly is at distance 0.
            Default: what the networks answer, so that every sample has a distance.
        norm: ``"2"`` or ``"inf"``.
        longest: How far to look, in the units of the inputs and the norm; default: the size of the box.
        steps: How often the network is taken for linear.
        candidates: How many other classes are looked at first, those with the largest logits.
        bisections: How often the network is asked along the best way found, most often to halve it.
        restarts: How often the search begins anew, from a random point about as far away as the best one found.
        bounds: The least and the largest value of inputs, numbers or one for each feature; None: no bounds, which
            need ``longest``.
        frozen: Where true features stay as they are.
        seed: Of random points. A sample's draws depend on its place among the inputs alone.
        batch_size: How many samples are asked about at once; default: as many as memory allows.

    Returns:
        See `Distances`; of its censored samples no other answer was found within ``longest``.

    Raises:
        InputError: An argument is out of its range, or the model gives no gradients.
        InputTypeError: One is of a wrong type.

    Examples:
        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.tensor([[3.0, 4.0], [-3.0, -4.0]]))
        >>> inputs = torch.tensor([[0.5, 0.25]])
        >>> for norm in ("2", "inf"):
        ...     print(f"{boundary_distance(network, inputs, norm=norm, bounds=(-1, 1)).distance.item():.3f}")
        0.500
        0.357
    """
    search = _Nearest(steps, candidates, bisections, restarts)
    search.check(norm, seed)
    if longest is not None and not 0 < longest < math.inf:
        raise InputError(f"longest must be above 0 and finite, in the units of the inputs, got {longest!r}.")
    asked = probed(model, inputs, targets, bounds=bounds, frozen=frozen, batch_size=batch_size)
    longest = _size_of_box(asked.budget, norm) if longest is None else longest
    budget = budget_for(asked.given, longest, norm, bounds, frozen, is_minimal=False)
    parts = []
    for rows in asked.blocks(batch_size, budget.clean[0].numel() * min(candidates, asked.logits.shape[-1])):
        runs, samples = asked.items(rows)
        items = Items(asked.targets[runs, samples], None, runs, samples)
        found = search.search(asked.asked, budget.of(samples), items, seed)
        nearest = torch.where(found.success, found.distance, longest)
        parts.append([each.view(asked.runs, -1) for each in (nearest, ~found.success, found.queries)])
    distance, censored, queries = (torch.cat(part, dim=1) for part in zip(*parts, strict=True))
    return Distances(asked.given_back(distance), asked.given_back(censored), asked.given_back(queries))


def _size_of_box(budget: Budget, norm: Norm) -> float:
    size = float(norm_of((budget.upper - budget.lower)[:1], norm))
    if size == math.inf:
        raise InputError("longest is None, and the inputs have no bounds; say how far to look.")
    return size


@final
@dataclass(frozen=True)
class _Nearest(AbstractAttack):
    """Looks for the nearest wrong answer; see `boundary_distance`."""

    norms: ClassVar[tuple[Norm, ...]] = ("2", "inf")
    is_minimal: ClassVar[bool] = True
    steps: int
    candidates: int
    bisections: int
    restarts: int

    def __post_init__(self) -> None:
        for each in fields(self):
            value, least = getattr(self, each.name), int(each.name != "restarts")
            if not is_whole(value) or value < least:
                raise InputError(f"{each.name} must be a whole number of {least} or more, got {value!r}.")

    @property
    def name(self) -> str:
        """What messages call it."""
        return "boundary_distance"

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Look from wherever attacks come, and from random points; then along the best way."""
        DeepFool(candidates=self.candidates).hunt(hunt, seed)
        if _left_with(hunt, hunt.is_found):
            self._approach(hunt, hunt.best)
        was_found = hunt.is_found
        if _left_with(hunt, ~was_found):
            Pgd(random_start=False, loss="margin").hunt(hunt, seed)
            hunt.rejoin()
            if _left_with(hunt, hunt.is_found & ~was_found):
                self._approach(hunt, hunt.best)
        for restart in range(self.restarts):
            if _left_with(hunt, hunt.is_found):
                self._approach(hunt, _random_start(hunt, draw_key(seed, restart, 0)))
        if _left_with(hunt, hunt.is_found):
            _along(hunt, hunt.best, self.bisections)
            hunt.rejoin()

    def _approach(self, hunt: Hunt, points: Tensor) -> None:
        """Take the network for linear at points [item, ...], and at what was found from there."""
        rest = hunt.best_logits.scatter(1, hunt.items.targets[:, None], -torch.inf)
        others = rest.topk(min(self.candidates, hunt.classes - 1), dim=1).indices
        idle = torch.zeros_like(hunt.items.runs)
        for step in range(self.steps):
            before = hunt.best_distance.where(hunt.is_found, torch.inf)
            there, others = _linear(hunt, points, others, first=step == 0)
            points = _along(hunt, there, _LOOKS)
            now = hunt.best_distance.where(hunt.is_found, torch.inf)
            idle = torch.where(now < before * (1 - _GAIN), 0, idle + 1)
            points, others, idle = hunt.settled(points, others, idle, given_up=hunt.is_found & (idle >= 2))
            if hunt.is_over:
                break
        hunt.rejoin()


def _left_with(hunt: Hunt, some: Tensor) -> bool:
    """Leave only some items in the hunt until the next `Hunt.rejoin`, and return whether there are any."""
    hunt.settled(given_up=~some)
    if hunt.is_over:
        hunt.rejoin()
        return False
    return True


def _linear(hunt: Hunt, points: Tensor, others: Tensor, *, first: bool) -> tuple[Tensor, Tensor]:
    """Return the nearest point with another answer as if the network were linear, and the classes to look at next."""
    gaps, slopes = hunt.look_at_gaps(points, others)
    moved = points - hunt.clean
    found = [
        nearest_on_plane(hunt.budget, slope, (moved * slope).flatten(1).sum(1) - gap)
        for gap, slope in zip(gaps.unbind(1), slopes, strict=True)
    ]
    places, far = torch.stack([place for place, _ in found]), torch.stack([each for _, each in found], dim=1)
    items = torch.arange(len(points), device=points.device)
    there = places[far.argmin(1), items]
    is_lost = (far == math.inf).all(1) & (moved != 0).flatten(1).any(1)  # they go on along the way they came
    if first:
        others = others.gather(1, far.argsort(dim=1, stable=True)[:, :_KEPT])
    return torch.where(column(is_lost, points), points, there), others


def _along(hunt: Hunt, there: Tensor, looks: int) -> Tensor:
    """Return where on the way from each clean input through a point the answer changes; so far as is seen, [item, ...].

    The change is looked for just behind and just before the point, then ever farther from it until it is between two
    places, then by halving.
    """
    clean, way = hunt.clean, there - hunt.clean
    near = torch.zeros(len(way), dtype=way.dtype, device=way.device)
    far = torch.full_like(near, math.inf)
    scale = torch.full_like(near, 1 + _NEAR)
    for look in range(looks):
        is_wrong = hunt.look(hunt.budget.project(clean + column(scale, way) * way)).is_wrong
        near, far = torch.where(is_wrong, near, scale), torch.where(is_wrong, scale, far)
        reach = _NEAR * 4**look
        before = torch.maximum(far - 3 * reach, far / 2)  # no middle is the point itself, where rounding would decide
        inside = torch.where(near == 0, before, (near + far) / 2)
        scale = torch.where(far == math.inf, 1 + 4 * reach, inside)
    return hunt.budget.project(clean + column(far.where(far < math.inf, near), way) * way)


def _random_start(hunt: Hunt, key: int) -> Tensor:
    """Return a random point of each item about as far from the input as the best one found, [item, ...]."""
    clean = hunt.clean
    drawn = hunt.budget.masked(item_normal(key, hunt.items.samples, clean.shape[1:]).to(clean.dtype))
    length = hunt.best_distance / norm_of(drawn, hunt.budget.norm)
    return hunt.budget.project(clean + column(length.to(clean.dtype), clean) * drawn)
