"""How far an input may be changed: a norm ball within a box, with features that stay as they are."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, final, get_args

import torch
from torch import Tensor

from reseed._draws import item_normal, item_uniform

Norm = Literal["inf", "2", "1"]
NORMS: tuple[Norm, ...] = get_args(Norm)
_PER_ITEM = ("clean", "lower", "upper", "radius")


def norm_of(difference: Tensor, norm: Norm) -> Tensor:
    """Return the norm of each item's difference, [item], in double precision.

    Examples:
        >>> difference = torch.tensor([[3.0, -4.0]])
        >>> [norm_of(difference, norm).item() for norm in ("inf", "2", "1")]
        [4.0, 5.0, 7.0]
    """
    flat = difference.flatten(1).double()
    length: Tensor = torch.linalg.vector_norm(flat, float(norm), dim=1)
    return length


def column(values: Tensor, like: Tensor) -> Tensor:
    """Return values [item] so that they broadcast over an item's axes."""
    return values.view(-1, *[1] * (like.ndim - 1))


@final
@dataclass(frozen=True, eq=False)
class Budget:
    """Where the changed inputs of some items may lie.

    Attributes:
        norm: Of the distance from the clean inputs.
        epsilon: How far, one number; infinite where there is no limit. Of limits that differ by feature, which the
            norm ``inf`` alone has, the largest.
        share: The limit of each feature over the largest, broadcastable to [item, ...]; 1 where they do not differ.
        clean: The inputs, [item, ...].
        lower: The least allowed values, [item, ...]: the box, for the norm ``inf`` together with the ball.
        upper: The largest.
        radius: What is left of ``epsilon`` when rounding has had its part, so that no point leaves the ball, [item].
        free: What may change, broadcastable to [item, ...], or None where everything may.
    """

    norm: Norm
    epsilon: float
    share: Tensor
    clean: Tensor
    lower: Tensor
    upper: Tensor
    radius: Tensor
    free: Tensor | None

    def of(self, kept: Tensor) -> Budget:
        """Return the budget of some of the items, by their places."""
        parts: dict[str, Any] = {name: getattr(self, name).index_select(0, kept) for name in _PER_ITEM}
        return replace(self, **parts)

    def joined(self, other: Budget) -> Budget:
        """Return the budget of all items of two parts."""
        parts: dict[str, Any] = {n: torch.cat([getattr(self, n), getattr(other, n)]) for n in _PER_ITEM}
        return replace(self, **parts)

    @property
    def dimensions(self) -> int:
        """How many numbers of an item may change."""
        shape = self.clean.shape[1:]
        return math.prod(shape) if self.free is None else int(self.free.expand(shape).sum())

    def masked(self, direction: Tensor) -> Tensor:
        """Return a direction [item, ...] with nothing where nothing may change."""
        return direction if self.free is None else direction * self.free

    def project(self, points: Tensor) -> Tensor:
        """Return an allowed point near each, [item, ...].

        Without limits that both hold it is the nearest; for the norms 2 and 1 it is that of the ball, put into the box.
        """
        if self.norm != "inf" and self.epsilon < math.inf:
            difference = self.masked(points - self.clean)
            points = self.clean + (_to_ball_2 if self.norm == "2" else _to_ball_1)(difference, self.radius)
        return torch.clamp(points, self.lower, self.upper)

    def holds(self, points: Tensor) -> Tensor:
        """Return which points are allowed, to 1e-6 of the budget; the box they never leave. [item]."""
        if self.norm == "inf" or self.epsilon == math.inf:
            return torch.ones(len(points), dtype=torch.bool, device=points.device)  # the box is the ball
        return self.distance(points) <= self.epsilon * (1 + 1e-6)

    def distance(self, points: Tensor) -> Tensor:
        """Return how far points are from the clean inputs, [item]."""
        return norm_of(points.double() - self.clean.double(), self.norm)

    def ascent(self, gradient: Tensor, at: Tensor | None = None) -> Tensor:
        """Return the step of norm 1 along which a linear function grows most, [item, ...].

        For the norm inf the sign, as far as each feature's share of the budget allows, for 2 the gradient over its
        norm, for 1 the largest coordinates alone, a hundredth of them (as the sparse step of Tramer and Boneh 2019).

        Args:
            gradient: Of the function, [item, ...].
            at: Where the step begins: what the box stops there has no part in it. None: as if there were no box.
        """
        gradient = self.masked(gradient)
        if at is not None:
            stopped = ((gradient > 0) & (at >= self.upper)) | ((gradient < 0) & (at <= self.lower))
            gradient = gradient.masked_fill(stopped, 0)
        if self.norm == "inf":
            return gradient.sign() * self.share if self.share.ndim else gradient.sign()
        flat = gradient.flatten(1)
        if self.norm == "2":
            tiny = torch.finfo(gradient.dtype).tiny
            flat = flat / flat.abs().amax(1, keepdim=True).clamp_min(tiny)  # squares of tiny numbers are 0
            length: Tensor = torch.linalg.vector_norm(flat, dim=1, keepdim=True)
            return (flat / length.clamp_min(tiny)).view_as(gradient)
        count = max(1, self.dimensions // 100)
        largest = flat.abs().topk(count, dim=1).indices
        return torch.zeros_like(flat).scatter(1, largest, flat.gather(1, largest).sign() / count).view_as(gradient)

    def random_start(self, key: int, samples: Tensor) -> Tensor:
        """Return a point drawn uniformly from each item's ball, moved into the box, [item, ...]."""
        shape, dtype = self.clean.shape[1:], self.clean.dtype
        if self.norm == "inf":
            share = item_uniform(key, samples, shape).to(dtype)
            return self.project(self.lower + share * (self.upper - self.lower))
        radius = item_uniform(key + 1, samples, (1,))[:, 0].to(dtype) ** (1 / self.dimensions)
        if self.norm == "2":
            drawn = self.masked(item_normal(key, samples, shape).to(dtype))
        else:  # exponential numbers with random signs are uniform on the sphere of the norm 1
            both = item_uniform(key, samples, (2, math.prod(shape))).to(dtype)
            drawn = (-torch.log1p(-both[:, 0]) * (both[:, 1] - 0.5).sign()).view_as(self.clean)
            drawn = self.masked(drawn)
        length = torch.linalg.vector_norm(drawn.flatten(1), float(self.norm), dim=1)
        scale = self.epsilon * radius / length.clamp_min(torch.finfo(dtype).tiny)
        return self.project(self.clean + drawn * column(scale, drawn))


def ball_and_box(
    clean: Tensor, exact: Tensor, epsilon: Tensor, low: Tensor, high: Tensor, norm: Norm, free: Tensor | None
) -> tuple[Tensor, Tensor]:
    """Return the least and the largest values that are allowed, [item, ...].

    They are rounded towards the clean inputs, in the coarser of the two types, so that points between them are inside
    as the model takes them and as they are given back.

    Args:
        clean: The inputs in the type of the model, [item, ...].
        exact: The inputs in the type that they were given in, [item, ...].
        epsilon: The budget, one number or one for each feature, in double precision.
        low: The box's lower bounds, one number or one for each feature.
        high: Its upper bounds.
        norm: Whose ball is a part of the box where it is ``inf``.
        free: What may change, or None.
    """
    centre = exact.double()
    lower, upper = low.double().expand_as(centre), high.double().expand_as(centre)
    if norm == "inf":
        lower, upper = torch.maximum(lower, centre - epsilon), torch.minimum(upper, centre + epsilon)
    rounded = []
    for limit, inwards in ((lower, math.inf), (upper, -math.inf)):
        near = limit.to(coarser(clean, exact))
        outside = near.double() < limit if inwards > 0 else near.double() > limit
        near = torch.where(outside, torch.nextafter(near, torch.full_like(near, inwards)), near).to(clean.dtype)
        rounded.append(near if free is None else torch.where(free, near, clean))
    return torch.minimum(rounded[0], clean), torch.maximum(rounded[1], clean)


def radius_of(clean: Tensor, exact: Tensor, epsilon: float, norm: Norm) -> Tensor:
    """Return how far points may be from clean inputs so that rounding takes none out of the ball, [item].

    The inputs and the points are each off by half a unit in the last place.
    """
    unit = torch.finfo(coarser(clean, exact)).eps
    return (epsilon * (1 - unit) - unit * norm_of(clean, norm)).clamp_min(0)


def coarser(clean: Tensor, exact: Tensor) -> torch.dtype:
    """Return the type of two that has fewer digits."""
    return max(clean.dtype, exact.dtype, key=lambda kind: torch.finfo(kind).eps)


def _to_ball_2(difference: Tensor, radius: Tensor) -> Tensor:
    length = norm_of(difference, "2").clamp_min(torch.finfo(torch.float64).tiny)
    return difference * column((radius / length).clamp_max(1).to(difference.dtype), difference)


def _to_ball_1(difference: Tensor, radius: Tensor) -> Tensor:
    """Return the nearest points of the ball of the norm 1 (Duchi et al. 2008)."""
    flat, radius = difference.flatten(1).double(), radius[:, None]
    size = flat.abs()
    outside = size.sum(1, keepdim=True) > radius
    if not bool(outside.any()):
        return difference
    ranked = size.sort(dim=1, descending=True).values
    over = (ranked.cumsum(1) - radius) / torch.arange(1, size.shape[1] + 1, device=size.device, dtype=size.dtype)
    count = (ranked > over).sum(1, keepdim=True).clamp_min(1)
    shrunk = flat.sign() * (size - over.gather(1, count - 1)).clamp_min(0)
    return torch.where(outside, shrunk, flat).to(difference.dtype).view_as(difference)
