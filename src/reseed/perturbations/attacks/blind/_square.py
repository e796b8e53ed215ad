"""Random search with windows that shrink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, final

import torch
from torch import Tensor

from reseed._draws import draw_key, item_uniform
from reseed._errors import InputError
from reseed.perturbations.attacks.blind._windows import Frame, Window, bump, share_of
from reseed.perturbations.attacks.core._asked import Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Norm, column
from reseed.perturbations.attacks.core._given import Bounds, Numbers
from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._losses import Loss, check_loss
from reseed.perturbations.attacks.core._settings import check_counts


@final
@dataclass(frozen=True)
class Square(AbstractAttack):
    """The square attack; see `square`.

    Attributes:
        steps: How many changes are tried.
        share: Of the area that a window has at first.
        loss: What is made large.
    """

    norms: ClassVar[tuple[Norm, ...]] = ("inf", "2")
    needs_gradients: ClassVar[bool] = False

    steps: int = 1000
    share: float = 0.3
    loss: Loss = "margin"

    def __post_init__(self) -> None:
        check_loss(self.loss)
        check_counts(steps=self.steps)
        if not 0 < self.share <= 1:
            raise InputError(f"share must be in (0, 1], of the area that a window has at first, got {self.share!r}.")

    def hunt(self, hunt: Hunt, seed: int) -> None:
        """Try one change after the other, and keep those that help."""
        loss, frame = hunt.usable(self.loss), Frame.of(hunt.clean)
        begun, changed = (_stripes, _square) if hunt.budget.norm == "inf" else (_bumps, _moved)
        points = hunt.budget.project(begun(hunt, frame, draw_key(seed, 0, 1)))
        value = hunt.look(points, loss, steps=0).value
        points, value = hunt.settled(points, value)
        for step in range(self.steps):
            if hunt.is_over:
                return
            share = share_of(step, self.steps, self.share)
            there = hunt.budget.project(changed(hunt, points, frame, share, draw_key(seed, step, 0)))
            look = hunt.look(there, loss)
            points = torch.where(column(look.value > value, points), there, points)
            points, value = hunt.settled(points, torch.fmax(look.value, value))


def _drawn(hunt: Hunt, key: int, *shape: int) -> Tensor:
    return item_uniform(key, hunt.items.samples, shape)


def _signs(uniform: Tensor, like: Tensor) -> Tensor:
    return torch.where(uniform < 0.5, -1.0, 1.0).to(like.dtype)


def _stripes(hunt: Hunt, frame: Frame, key: int) -> Tensor:
    """Return vertical stripes at the edge of the budget, [item, ...]."""
    high = _drawn(hunt, key, frame.channels, 1, frame.width) < 0.5
    lower, upper = frame.seen(hunt.budget.lower), frame.seen(hunt.budget.upper)
    return torch.where(high, upper, lower).view_as(hunt.clean)


def _square(hunt: Hunt, points: Tensor, frame: Frame, share: float, key: int) -> Tensor:
    """Return points of which a window is at the edge of the budget, each channel at one end, [item, ...]."""
    uniform = _drawn(hunt, key, 3 + frame.channels)
    window = Window.drawn(uniform[:, :3], frame.size(share), frame, hunt.budget).mask
    lower, upper, before = map(frame.seen, (hunt.budget.lower, hunt.budget.upper, points))
    high = (uniform[:, 3:] < 0.5)[:, :, None, None]
    there = torch.where(window, torch.where(high, upper, lower), before)
    is_same = (there == before).flatten(1).all(1).view(-1, 1, 1, 1)  # what would change nothing is turned round
    return torch.where(is_same & window, torch.where(high, lower, upper), there).view_as(points)


def _bumps(hunt: Hunt, frame: Frame, key: int) -> Tensor:
    """Return a grid of some five by five bumps with random signs, of the length of the budget, [item, ...]."""
    clean = hunt.clean
    height, width = (max(1, side // 5) for side in (frame.height, frame.width))
    rows, columns = -(-frame.height // height), -(-frame.width // width)
    signs = _signs(_drawn(hunt, key, frame.channels, rows, columns), clean)
    signs = signs.repeat_interleave(height, 2).repeat_interleave(width, 3)
    pattern = bump(height, width).to(clean).repeat(rows, columns)
    return _of_length(hunt, (signs * pattern)[:, :, : frame.height, : frame.width].reshape(clean.shape))


def _moved(hunt: Hunt, points: Tensor, frame: Frame, share: float, key: int) -> Tensor:
    """Return points whose change was taken from one window and put as a bump into another, [item, ...].

    Only what is in the windows is computed with, as [item, channel, place]: they are small most of the time.
    """
    uniform = _drawn(hunt, key, 7 + frame.channels)
    size = frame.size(share, 3)
    here, other = (Window.drawn(part, size, frame, hunt.budget) for part in (uniform[:, :3], uniform[:, 3:6]))
    change = frame.seen(points - hunt.clean).flatten(2)
    tiny = torch.finfo(change.dtype).tiny
    whole = (change**2).sum((1, 2), keepdim=True)
    old, taken = here.of(change), other.of(change) * ~here.holds(other.places)[:, None]
    kept = (old**2).sum(2, keepdim=True) + (taken**2).sum(2, keepdim=True)
    left = (hunt.budget.epsilon**2 - whole).clamp_min(0) / frame.channels
    pattern = bump(*size).to(change)
    fresh = pattern.flatten().expand(len(change), 1, -1)
    if size[0] == size[1]:
        fresh = torch.where((uniform[:, 6] < 0.5).view(-1, 1, 1), fresh, pattern.T.flatten())
    fresh = fresh * _signs(uniform[:, 7:], change)[:, :, None]
    fresh = fresh + old / (old**2).sum((1, 2), keepdim=True).sqrt().clamp_min(tiny)
    if hunt.budget.free is not None:
        free = hunt.budget.free.expand(points.shape[1:]).reshape(1, frame.channels, -1)
        fresh = fresh * here.of(free.expand(len(change), -1, -1))
    length = (fresh**2).sum(2, keepdim=True).sqrt()
    there = other.put(change, torch.zeros_like(taken))
    there = here.put(there, fresh * ((left + kept).sqrt() / length.clamp_min(tiny)))
    return _of_length(hunt, there.view_as(points))


def _of_length(hunt: Hunt, change: Tensor) -> Tensor:
    """Return points that differ from the inputs by a change brought to the length of the budget, [item, ...]."""
    change = hunt.budget.masked(change)
    length = torch.linalg.vector_norm(change.flatten(1), dim=1).clamp_min(torch.finfo(change.dtype).tiny)
    return hunt.clean + change * column(hunt.budget.epsilon / length, change)


def square(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers,
    norm: Norm = "inf",
    bounds: Bounds = (0.0, 1.0),
    steps: int = 1000,
    share: float = 0.3,
    loss: Loss = "margin",
    goal: Numbers | None = None,
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Attacked:
    """Change inputs by random search: a change of a window is kept if it helps (Andriushchenko et al. 2020).

    It begins with vertical stripes at the edge of the budget, and sets a square of all rows and columns that a window
    covers to one end of the budget in each channel (norm inf); for the norm 2 it begins with a grid of bumps, and takes
    what the change has in one window into another. Windows shrink by the published schedule, stretched to ``steps``.
    It asks for labels and margins alone, so gradients that vanish do not stop it. A step asks once.

    The last two axes of an input are the height and the width, those before them channels. Inputs of one axis, such as
    tables, have windows of features that stand together. For the norm 2 windows have three rows and columns or more, as
    published, which is coarse for images of some ten pixels a side.

    Args:
        model: See `pgd`, as for all others; a function needs no gradients.
        inputs: [sample, ...].
        targets: The right answers, [sample].
        epsilon: How far inputs may be changed; for the norm inf also one for each feature.
        norm: ``"inf"`` or ``"2"``.
        bounds: The least and the largest value of inputs.
        steps: Most changes that are tried.
        share: Which share of the area the first windows have.
        loss: What is made large.
        goal: The answers wanted, [sample].
        frozen: Where true features stay as they are.
        seed: Of what is drawn.
        batch_size: How many samples are attacked at once.

    Returns:
        What was found of each sample; see `Attacked`.

    Raises:
        InputError: An argument is out of its range or does not fit the others.
        InputTypeError: One is of a wrong type.

    Examples:
        >>> weights = torch.tensor([[1.0, -1.0], [-1.0, 1.0]])
        >>> inputs, targets = torch.tensor([[0.575, 0.425]]), torch.tensor([0])
        >>> [square(lambda x: x @ weights, inputs, targets, epsilon=each).success.item() for each in (0.074, 0.076)]
        [False, True]
    """
    attack = Square(steps, share, loss)
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
