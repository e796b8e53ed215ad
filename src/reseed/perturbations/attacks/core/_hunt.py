"""The search for wrong answers to a batch of items: what was asked, what was found, and who has left."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import Any, final
from warnings import warn

import torch
from torch import Tensor

from reseed.perturbations.attacks.core._answers import check_answers, check_labels, gradient_of, warn_of_probabilities
from reseed.perturbations.attacks.core._asked import Asked
from reseed.perturbations.attacks.core._budget import Budget
from reseed.perturbations.attacks.core._losses import Loss, margin, usable_loss, value_of

Measure = Callable[[Budget, Tensor], Tensor]
_AT_ONCE = 1 << 22  # numbers of the points that the model is asked about together


@final
@dataclass(frozen=True, eq=False)
class Items:
    """What is attacked: each item is a sample, asked of one run.

    Attributes:
        targets: The right answers, [item].
        goal: The answers that are wanted, [item], or None.
        runs: Whose each item is, ascending, [item].
        samples: The numbers of the samples, which their draws depend on, [item].
    """

    targets: Tensor
    goal: Tensor | None
    runs: Tensor
    samples: Tensor

    def of(self, kept: Tensor) -> Items:
        """Return some of the items, by their places."""
        goal = None if self.goal is None else self.goal.index_select(0, kept)
        targets, runs, samples = (each.index_select(0, kept) for each in (self.targets, self.runs, self.samples))
        return Items(targets, goal, runs, samples)

    def of_slice(self, rows: slice) -> Items:
        """Return some of the items that follow each other."""
        goal = None if self.goal is None else self.goal[rows]
        return Items(self.targets[rows], goal, self.runs[rows], self.samples[rows])

    def joined(self, other: Items) -> Items:
        """Return all items of two parts."""
        goal = None if self.goal is None or other.goal is None else torch.cat([self.goal, other.goal])
        both = (torch.cat([getattr(self, name), getattr(other, name)]) for name in ("targets", "runs", "samples"))
        targets, runs, samples = both
        return Items(targets, goal, runs, samples)


@final
@dataclass(frozen=True, eq=False)
class Found:
    """What a hunt found of each item: see `Attacked`; all tensors begin with [item]."""

    inputs: Tensor
    success: Tensor
    was_wrong: Tensor
    steps: Tensor
    queries: Tensor
    distance: Tensor
    logits: Tensor


@final
@dataclass(frozen=True, eq=False)
class Look:
    """What was seen at a point of each item that is left.

    Attributes:
        logits: [item, class].
        value: The loss, which is to become large, [item].
        gradient: Its gradient in the inputs, [item, ...]; nothing where none was asked for.
        is_wrong: Whether the answer is wrong (or the goal) there, inside the budget or not, [item].
    """

    logits: Tensor
    value: Tensor
    gradient: Tensor
    is_wrong: Tensor


@final
@dataclass(frozen=True, eq=False)
class _State:
    """What is known of items; all begin with [item]. ``near`` is the margin of another answer, above 0 if wrong."""

    place: Tensor
    queries: Tensor
    steps: Tensor
    logits: Tensor
    near: Tensor
    is_found: Tensor
    was_wrong: Tensor
    distance: Tensor
    items: Items

    def of(self, kept: Tensor) -> _State:
        parts: dict[str, Any] = {}
        for each in fields(self):
            value = getattr(self, each.name)
            parts[each.name] = value.index_select(0, kept) if isinstance(value, Tensor) else value.of(kept)
        return _State(**parts)

    def joined(self, other: _State) -> _State:
        parts: dict[str, Any] = {}
        for each in fields(self):
            first, second = getattr(self, each.name), getattr(other, each.name)
            parts[each.name] = torch.cat([first, second]) if isinstance(first, Tensor) else first.joined(second)
        return _State(**parts)

    def sorted(self) -> _State:
        """Return the items in the order in which they came."""
        return self.of(self.place.argsort())


@final
class Hunt:
    """A batch of items that are still in the hunt, with the best that was seen of each.

    An attack asks by `look`, and after it calls `settled`, which takes those out of the batch that need no more. It
    never changes a tensor in place that it has passed to `look`.

    Args:
        asked: The model.
        budget: Where points may lie.
        items: Whose they are.
        is_minimal: Whether the nearest wrong answer is looked for, rather than any within the budget.
        measure: By what the nearest is the nearest, of the budget and points [item, ...] to [item]; default: the
            distance in the budget's norm.
    """

    def __init__(
        self, asked: Asked, budget: Budget, items: Items, *, is_minimal: bool, measure: Measure = Budget.distance
    ) -> None:
        self._asked, self._is_minimal, self._measure = asked, is_minimal, measure
        with torch.no_grad():
            logits = asked.logits(budget.clean, items.runs)
        check_labels(items.targets, "targets", logits.shape[1])
        if items.goal is not None:
            check_labels(items.goal, "goal", logits.shape[1])
        check_answers(logits)
        warn_of_probabilities(logits)
        if not is_minimal:  # the nearest wrong answer is one by a hair, which rounding would make right
            asked.compare(budget.clean, items.runs, logits)
        near = _nearness(logits, items)
        zeros = torch.zeros_like(items.runs)
        self._state = _State(
            place=torch.arange(len(zeros), device=zeros.device),
            queries=zeros + 1,
            steps=zeros,
            logits=logits,
            near=near,
            is_found=near > 0,
            was_wrong=near > 0,
            distance=torch.zeros_like(near, dtype=torch.float64),
            items=items,
        )
        # What is large is kept of all items: it would take longer to copy than to ask a small network.
        self._whole, self._left, self._best = budget, budget, budget.clean.clone()
        self.classes = logits.shape[1]
        self._done: list[_State] = []
        self._resting: list[_State] = []
        self.settled()

    @property
    def budget(self) -> Budget:
        """Where points of those who are left may lie."""
        return self._left

    def alone(self, run: int) -> Callable[[Tensor], Tensor]:
        """Return one run's network as a model of its own, inputs to logits."""
        return self._asked.alone(run)

    @property
    def items(self) -> Items:
        """Who is left."""
        return self._state.items

    @property
    def clean(self) -> Tensor:
        """The inputs that nothing was done to, [item, ...]."""
        return self._left.clean

    @property
    def is_over(self) -> bool:
        """Whether nobody is left."""
        return not len(self._state.place)

    @property
    def is_found(self) -> Tensor:
        """Of whom a wrong answer is known, [item]."""
        return self._state.is_found

    @property
    def best(self) -> Tensor:
        """The best point of each, [item, ...]: wrong ones before others, then the nearest, or the largest margin.

        Before the first look they are the clean inputs.
        """
        return self._best.index_select(0, self._state.place)

    @property
    def best_logits(self) -> Tensor:
        """The logits at `best`, [item, class]."""
        return self._state.logits

    @property
    def best_distance(self) -> Tensor:
        """How far `best` is from the clean inputs, by the measure of the hunt, where `is_found`, [item]."""
        return self._state.distance

    def usable(self, loss: Loss) -> Loss:
        """Return a loss, or the margin, with a warning, where there are too few classes for it."""
        found = usable_loss(loss, self.classes, has_goal=self.items.goal is not None)
        if found != loss:
            needed = "three classes, with a goal four" if self.items.goal is not None else "three classes"
            warn(f"loss 'dlr' needs {needed}, and there are {self.classes}: the margin is used.", stacklevel=4)
        return found

    def look(self, points: Tensor, loss: Loss = "margin", *, gradient: bool = False, steps: int = 1) -> Look:
        """Ask about a point of each item, and remember it where it is the best.

        Args:
            points: [item, ...]; inside the budget, or they are not remembered.
            loss: What the value and its gradient are of; see `usable`.
            gradient: Whether the gradient is wanted, which counts as one more query.
            steps: How many steps were taken to come here.
        """
        parts = [
            self._look(points[rows], loss, self.items.of_slice(rows), gradient=gradient)
            for rows in self._asked.batches(points, self.items.runs)
        ]
        logits, value, slope = parts[0] if len(parts) == 1 else map(torch.cat, zip(*parts, strict=True))
        is_wrong = self._remember(points.detach(), logits, steps=steps, queries=1 + gradient)
        return Look(logits, value, slope, is_wrong)

    def _look(self, points: Tensor, loss: Loss, items: Items, *, gradient: bool) -> tuple[Tensor, Tensor, Tensor]:
        """Return logits, value and gradient at some points, of wrong answers the network's own logits."""
        ask, slope = self._asked.logits if self._is_minimal else self._asked.quick_logits, points[:0]
        with torch.enable_grad() if gradient else torch.no_grad():
            asked = points.detach().requires_grad_() if gradient else points
            logits = ask(asked, items.runs)
            value = value_of(loss, logits, items.targets, items.goal)
            if gradient:
                slope = gradient_of(value, asked)
        logits, value = logits.detach(), value.detach()
        if self._asked.has_quick and not self._is_minimal:
            rows = (_nearness(logits, items) > 0).nonzero().flatten()
            if len(rows):
                with torch.no_grad():
                    own = self._asked.logits(points.detach().index_select(0, rows), items.runs.index_select(0, rows))
                logits = logits.index_copy(0, rows, own)
        return logits, value, slope

    def look_at_many(self, points: Tensor, loss: Loss = "margin", *, steps: int = 0) -> Look:
        """Ask about several points of each item, and remember those that are the best.

        It is as if they had been looked at one after the other, without gradients.

        Args:
            points: [probe, item, ...]; inside the box. Those outside the ball are answered, and not remembered.
            loss: What the values are of; see `usable`.
            steps: How many steps were taken to come here.

        Returns:
            What was seen, with [probe, item, ...] for [item, ...]; no gradient.
        """
        items, found, values, wrong = self.items, [], [], []
        for part in torch.split(points, max(1, _AT_ONCE // max(1, points[0].numel()))):
            count, places = len(part), torch.arange(len(items.samples), device=points.device)
            with torch.no_grad():  # the probes of an item stand together, since runs must ascend
                whole = self._asked.logits(part.transpose(0, 1).flatten(0, 1), items.runs.repeat_interleave(count))
            logits = whole.reshape(-1, count, whole.shape[1]).transpose(0, 1)
            every = items.of(places.repeat(count))
            values.append(value_of(loss, logits.flatten(0, 1), every.targets, every.goal).view(count, -1))
            near = _nearness(logits.flatten(0, 1), every).view(count, -1)
            is_usable = torch.stack([self.budget.holds(each) for each in part]) & ~near.isnan()
            row = self._best_of(part, torch.where(is_usable, near, -torch.inf))
            self._remember(part[row, places], logits[row, places], steps=steps, queries=count)
            found.append(logits)
            wrong.append(near > 0)
            steps = 0
        return Look(torch.cat(found), torch.cat(values), points[:0], torch.cat(wrong))

    def _best_of(self, points: Tensor, near: Tensor) -> Tensor:
        """Return which of several points of each item would be kept had they come one after the other, [item]."""
        number = torch.arange(len(points), device=points.device)[:, None]
        is_found = near > 0
        if self._is_minimal:
            distance = torch.stack([self._measure(self.budget, each) for each in points])
            rank = torch.where(is_found, -distance, -torch.inf)
        else:
            rank = torch.where(is_found, torch.inf, -torch.inf)
        rank = torch.where(is_found.any(0), rank, near)
        return torch.where(rank == rank.amax(0), number, len(points) - 1).amin(0)

    def look_at_gaps(self, points: Tensor, others: Tensor, *, steps: int = 1) -> tuple[Tensor, Tensor]:
        """Ask about a point of each item, and return how far other classes are ahead, with the gradients of that.

        Args:
            points: [item, ...].
            others: Classes, [item, other].
            steps: How many steps were taken to come here.

        Returns:
            z_c - z_y for each class c of ``others``, where y is the target, [item, other]; their gradients in the
            inputs, [other, item, ...].
        """
        items = self.items
        with torch.enable_grad():
            asked = points.detach().requires_grad_()
            logits = self._asked.logits(asked, items.runs)
            gaps = logits.gather(1, others) - logits.gather(1, items.targets[:, None])
            slopes = [gradient_of(gaps[:, number], asked, again=True) for number in range(others.shape[1])]
        self._remember(points.detach(), logits.detach(), steps=steps, queries=1 + others.shape[1])
        return gaps.detach(), torch.stack(slopes)

    def settled(self, *tensors: Tensor, given_up: Tensor | None = None) -> tuple[Tensor, ...]:
        """Take those out of the batch who need no more, and return the rest of each tensor, all [item, ...].

        Who was wrong from the beginning leaves, and whoever was found, unless the nearest is looked for.

        Args:
            tensors: What the attack itself knows of each item that was there.
            given_up: Who rests as well until `rejoin`, [item].
        """
        state = self._state
        done = state.was_wrong if self._is_minimal else state.is_found
        rest = torch.zeros_like(done) if given_up is None else given_up & ~done
        stay = ~(done | rest)
        if bool(stay.all()):
            return tensors
        for some, where in ((done, self._done), (rest, self._resting)):
            if bool(some.any()):
                where.append(state.of(some.nonzero().flatten()))
        kept = stay.nonzero().flatten()
        self._state = state.of(kept)
        self._left = self._whole.of(self._state.place)
        return tuple(each.index_select(0, kept) for each in tensors)

    def rejoin(self) -> None:
        """Take those back into the batch that rested."""
        if self._resting:
            for state in self._resting:
                self._state = self._state.joined(state)
            self._state = self._state.sorted()
            self._left = self._whole.of(self._state.place)
            self._resting = []

    def close(self) -> Found:
        """Return what was found of all items, in the order in which they came."""
        state = self._state
        for done in (*self._done, *self._resting):
            state = state.joined(done)
        state = state.sorted()
        distance = self._whole.distance(self._best)
        return Found(self._best, state.is_found, state.was_wrong, state.steps, state.queries, distance, state.logits)

    def _remember(self, points: Tensor, logits: Tensor, *, steps: int, queries: int) -> Tensor:
        """Keep points that are better than all before, and return whose answers are wrong."""
        state = self._state
        near = _nearness(logits, state.items)
        is_wrong = near > 0
        is_found, distance = is_wrong, state.distance
        is_allowed = self._left.holds(points)
        if bool(is_wrong.any()):
            is_found = is_wrong & is_allowed
            if self._is_minimal:
                distance = torch.where(is_found, self._measure(self._left, points), distance)
        if self._is_minimal:
            better = is_found & (~state.is_found | (distance < state.distance))
            better |= is_allowed & ~is_found & ~state.is_found & (near > state.near)
        else:
            better = is_allowed & ~state.is_found & (is_found | (near > state.near))
        rows = better.nonzero().flatten()
        if len(rows) == len(better):
            self._best.index_copy_(0, state.place, points)
        elif len(rows):
            self._best.index_copy_(0, state.place.index_select(0, rows), points.index_select(0, rows))
        self._state = replace(
            state,
            queries=state.queries + queries,
            steps=state.steps + steps,
            logits=torch.where(better[:, None], logits, state.logits),
            near=torch.where(better, near, state.near),
            distance=torch.where(better & is_found, distance, state.distance),
            is_found=state.is_found | is_found,
        )
        return is_wrong


def _nearness(logits: Tensor, items: Items) -> Tensor:
    """Return by how much the answer is wrong, or the goal, above 0 if it is; ties go to the lowest class, [item]."""
    wanted = items.targets if items.goal is None else items.goal
    near = margin(logits, wanted) * (1 if items.goal is None else -1)
    if bool((near.abs() > 0).all()):  # no ties, no numbers that are none
        return near
    is_found = (logits.argmax(1) != wanted) == (items.goal is None)
    return torch.where(is_found, near.clamp_min(torch.finfo(near.dtype).tiny), near.clamp_max(0))
