"""A walk along the boundary that is led by answers alone."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar, final

import torch
from torch import Tensor

from reseed._arrays import to_numpy
from reseed._draws import draw_key, item_normal, item_uniform
from reseed._errors import InputError
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Budget, Norm, column, norm_of
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._settings import check_above_zero, check_counts

_HALVINGS = 10  # between the input and the wrong answer with which the walk begins
_EVERY = 4  # steps, after which the sideways part alone is asked about, too
_SIDEWAYS, _CLOSER = 0.5, 0.25  # which share of steps should succeed (Brendel et al. 2018)
_LEAST = 1e-7  # steps towards the input that are shorter change nothing


@final
@dataclass(frozen=True)
class Boundary(AbstractAttack):
    """The boundary attack; see `boundary`.

    Attributes:
        steps: How many steps are tried.
        draws: How often a wrong answer to begin with is looked for.
        sideways: The length of the first step along the boundary, as a share of the distance.
        closer: That of the first step towards the input.
        starts: Other inputs to begin with, [start, ...].
    """

    norms: ClassVar[tuple[Norm, ...]] = ("2",)
    is_minimal: ClassVar[bool] = True
    needs_gradients: ClassVar[bool] = False

    steps: int = 1000
    draws: int = 100
    sideways: float = 0.1
    closer: float = 0.1
    starts: Any = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        check_counts(steps=self.steps, draws=self.draws)
        meanings = dict.fromkeys(("sideways", "closer"), "a share of the distance")
        check_above_zero(meanings, sideways=self.sideways, closer=self.closer)

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Find a wrong answer, and walk from it towards the input."""
        points, has_begun = self._begun(hunt, seed)
        (points,) = hunt.settled(points, given_up=~has_begun)
        if hunt.is_over:
            return
        points = _halved(hunt, points)
        sideways = points.new_full((len(points),), math.log(self.sideways))
        closer = torch.full_like(sideways, math.log(self.closer))
        for step in range(self.steps):
            turned, there = _proposed(hunt, points, sideways.exp(), closer.exp(), draw_key(seed, step, 1))
            if step % _EVERY == 0:
                wrong = _is_wrong(hunt, torch.stack([turned, there]), steps=1)
                sideways = sideways + (wrong[0].to(sideways.dtype) - _SIDEWAYS)
                is_wrong = wrong[1]
            else:
                (is_wrong,) = _is_wrong(hunt, there[None], steps=1)
            closer = (closer + 0.2 * (is_wrong.to(closer.dtype) - _CLOSER)).clamp_max(math.log(0.5))
            is_nearer = norm_of(there - hunt.clean, "2") < norm_of(points - hunt.clean, "2")
            points = torch.where(column(is_wrong & is_nearer, points), there, points)
            is_still = hunt.is_found & (closer < math.log(_LEAST))
            points, sideways, closer = hunt.settled(points, sideways.clamp_max(0.0), closer, given_up=is_still)
            if hunt.is_over:
                return
        (points,) = hunt.settled(points, given_up=hunt.is_found)
        if not hunt.is_over:  # wrong answers were too far away, but what lies on the way to them may be one, too
            hunt.look(hunt.budget.project(points), steps=0)

    def _begun(self, hunt: Hunt, seed: int) -> tuple[Tensor, Tensor]:
        """Return a point of each item that is answered wrongly, [item, ...], and whether there is one, [item]."""
        begun = hunt.clean.clone()
        has_begun = torch.zeros(len(begun), dtype=torch.bool, device=begun.device)
        places = torch.arange(len(begun), device=begun.device)
        given = begun[:0] if self.starts is None else _given_starts(self.starts, hunt.clean)
        order = _from_near_to_far(given, hunt.clean)
        for number in range(self.draws if self.starts is None else min(self.draws, len(given))):
            if self.starts is None:
                points = _noise(hunt.budget, hunt.items.samples, number, draw_key(seed, number, 0))
            else:
                points = _boxed(hunt.budget, given[order[:, number]])
            (is_wrong,) = _is_wrong(hunt, points[None], steps=0)
            begun[places[is_wrong]], has_begun[places[is_wrong]] = points[is_wrong], True
            places, order = hunt.settled(places, order, given_up=is_wrong)
            if hunt.is_over:
                break
        hunt.rejoin()
        return begun, has_begun


def _is_wrong(hunt: Hunt, points: Tensor, *, steps: int) -> Tensor:
    """Return whether the answers at points [probe, item, ...] are wrong, [probe, item]; all the walk is told."""
    return hunt.look_at_many(points, steps=steps).is_wrong


def _boxed(budget: Budget, points: Tensor) -> Tensor:
    return torch.minimum(torch.maximum(points, budget.lower), budget.upper)


def _noise(budget: Budget, samples: Tensor, number: int, key: int) -> Tensor:
    """Return points drawn uniformly from the box, [item, ...]; of features without bounds from ever farther away."""
    clean, shape = budget.clean, budget.clean.shape[1:]
    inside = budget.lower + item_uniform(key, samples, shape).to(clean.dtype) * (budget.upper - budget.lower)
    size = column((clean.flatten(1) ** 2).mean(1).sqrt().clamp_min(1.0), clean)
    around = clean + size * 2.0 ** (number % 20 - 3) * item_normal(key, samples, shape).to(clean.dtype)
    return _boxed(budget, torch.where(inside.isfinite(), inside, around))


def _given_starts(starts: Numbers, clean: Tensor) -> Tensor:
    found = torch.as_tensor(to_numpy(starts, "starts")).to(clean)
    if found.ndim != clean.ndim or found.shape[1:] != clean.shape[1:] or not len(found):
        raise InputError(
            f"starts has the shape {tuple(found.shape)}, and a sample has {tuple(clean.shape[1:])}; pass one or more "
            "inputs of that shape, [start, ...]."
        )
    if not bool(found.isfinite().all()):
        raise InputError("starts hold NaN or infinite values; leave these out.")
    return found


def _from_near_to_far(starts: Tensor, clean: Tensor) -> Tensor:
    """Return the places of starts in the order of their distances from each input, [item, start]."""
    if not len(starts):
        return clean.new_zeros(len(clean), 0, dtype=torch.int64)
    return torch.stack([norm_of(clean - start, "2") for start in starts], 1).argsort(dim=1, stable=True)


def _halved(hunt: Hunt, points: Tensor) -> Tensor:
    """Return wrongly answered points nearer the inputs, on the way from points to them, [item, ...]."""
    low, high = hunt.clean, points
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        (is_wrong,) = _is_wrong(hunt, middle[None], steps=0)
        where = column(is_wrong, middle)
        low, high = torch.where(where, low, middle), torch.where(where, middle, high)
    return high


def _proposed(hunt: Hunt, points: Tensor, sideways: Tensor, closer: Tensor, key: int) -> tuple[Tensor, Tensor]:
    """Return points turned around the inputs at the same distance, and these brought closer; each [item, ...]."""
    clean, shape, tiny = hunt.clean, points.shape[1:], torch.finfo(points.dtype).tiny
    change = (points - clean).flatten(1)
    length = torch.linalg.vector_norm(change, dim=1, keepdim=True).clamp_min(tiny)
    drawn = hunt.budget.masked(item_normal(key, hunt.items.samples, shape).to(points.dtype)).flatten(1)
    drawn = drawn - change * ((drawn * change).sum(1, keepdim=True) / length**2)
    drawn = drawn * (length / torch.linalg.vector_norm(drawn, dim=1, keepdim=True).clamp_min(tiny))
    turned = (change + sideways[:, None] * drawn) / (1 + sideways[:, None] ** 2).sqrt()
    turned = _boxed(hunt.budget, clean + turned.view_as(points))
    now = torch.linalg.vector_norm((turned - clean).flatten(1), dim=1, keepdim=True).clamp_min(tiny)
    share = ((1 - closer[:, None]) * length / now).clamp_max(1.0)  # of a box that has brought it closer nothing is lost
    return turned, _boxed(hunt.budget, clean + (turned - clean) * column(share, points))


def boundary(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers | None = None,
    norm: Norm = "2",
    bounds: Bounds = (0.0, 1.0),
    steps: int = 1000,
    draws: int = 100,
    sideways: float = 0.1,
    closer: float = 0.1,
    starts: Numbers | None = None,
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Look for the nearest wrong answer by a walk along the boundary (Brendel et al. 2018); labels are all it needs.

    It begins with a wrong answer far away, halves the way to it ten times, and then tries steps: a random one sideways,
    at the same distance from the input, and from there one closer. What is wrong and nearer is kept. The sizes of both
    steps are adapted so that half of the steps sideways and a quarter of those closer succeed. A step asks once, every
    fourth step twice. The distance comes down slowly where inputs have many features; it bounds the smallest from
    above.

    Args:
        model: See `pgd`, as for all others; a function needs no gradients, and its logits may be one-hot labels.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed; None: no limit.
        norm: ``"2"``.
        bounds: The least and the largest value of inputs.
        steps: Most steps.
        draws: How often a wrong answer to begin with is looked for: noise is drawn, uniform in the box, and normal
            where there are no bounds, or one of ``starts`` is tried. Samples without one stay as they are.
        sideways: The length of the first step sideways, as a share of the distance.
        closer: That of the first step closer.
        starts: Inputs to begin with instead of noise, [start, ...], such as those of other classes: each sample begins
            with the nearest that is answered wrongly. With a goal noise seldom finds one.
        goal: The answers wanted, [sample].
        frozen: Where true features stay as they are.
        seed: Of what is drawn.
        batch_size: How many samples are attacked at once.

    Returns:
        What was found of each sample; see `Attacked`. ``distance`` is that of the nearest wrong answer.

    Raises:
        InputError: An argument is out of its range or does not fit the others.
        InputTypeError: One is of a wrong type.

    Examples:
        A boundary at 0.3 from the input, of two features:

        >>> model = lambda x: torch.stack([x[:, 0] < 0.8, x[:, 0] >= 0.8], dim=1).float()
        >>> found = boundary(model, torch.full((1, 2), 0.5), torch.tensor([0]), steps=300)
        >>> found.success, bool(0.3 <= found.distance <= 0.301)
        (tensor([True]), True)
    """
    attack = Boundary(steps, draws, sideways, closer, starts)
    return attack(
        model,
        inputs,
        targets,
        epsilon=epsilon,
        norm=norm,
        bounds=bounds,
        goal=goal,
        frozen=frozen,
        seed=seed,
        batch_size=batch_size,
    )
