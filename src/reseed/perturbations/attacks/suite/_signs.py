"""The search for signs of masked gradients, on a few samples that the seed chooses."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from reseed._arrays import to_numpy
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._budget import Budget, Norm
from reseed.perturbations.attacks.core._given import Bounds, Given, budget_for
from reseed.perturbations.attacks.core._losses import margin
from reseed.perturbations.attacks.gradients._fgsm import Fgsm
from reseed.perturbations.attacks.suite._arena import Arena
from reseed.perturbations.attacks.suite._efforts import is_many, is_one_step
from reseed.perturbations.attacks.suite._masking import Masking, MaskingFlag, Sign, flag_of
from reseed.perturbations.attacks.suite._tally import Tally

LOOKED_AT = 64  # samples of each run: a share of a twentieth shows in three of them
_ROUNDING = 1e-4  # of the largest logit: sums in another order differ by less


def flag_at(arena: Arena, name: Sign, places: Tensor, shown: Tensor) -> MaskingFlag:
    """Return a sign that items at some places show, [item]."""
    runs = (places // arena.samples).cpu().numpy()
    return flag_of(name, shown.cpu().numpy(), runs, arena.runs)


def look_for_masking(
    tally: Tally, attacks: Sequence[AbstractAttack], given: Given, bounds: Bounds, *, has_frozen: bool
) -> Masking:
    """Look for every sign that the attacks allow to look for.

    Args:
        tally: What they found.
        attacks: They.
        given: The inputs.
        bounds: Of the inputs.
        has_frozen: Whether some features may not change; then no budget is large enough to be sure of an end.
    """
    arena = tally.arena
    everyone = torch.arange(len(tally.first), device=tally.first.device)
    flags = list(_signs_of_answers(arena, arena.some(everyone, LOOKED_AT)))
    right = (~tally.was_wrong).nonzero().flatten()
    if not len(right):
        return Masking(tuple(flags))
    chosen = arena.some(right, LOOKED_AT)
    flags += _signs_of_gradients(arena, chosen)
    many = _numbers(attacks, is_many)
    if many:
        flags.append(_one_step_beats_many(tally, attacks, chosen))
    if 0 < sum(attack.needs_gradients for attack in attacks) < len(attacks):
        flags.append(_blind_beats_gradients(tally, attacks, right))
    if many and not has_frozen:
        flags.append(_huge_budget_survived(arena, attacks[many[0]], chosen, given, bounds))
    return Masking(tuple(flags))


def _signs_of_answers(arena: Arena, chosen: Tensor) -> Iterator[MaskingFlag]:
    """Ask about clean samples twice.

    Args:
        arena: Whom.
        chosen: The places of some items, ascending, whatever was answered.
    """
    differs, probable = [], []
    batches = list(arena.batches(chosen))
    for batch in batches:
        points, runs = arena.budget.clean[batch % arena.samples], batch // arena.samples
        with torch.no_grad():
            first, second = (arena.asked.logits(points, runs) for _ in range(2))
        scale = first.abs().amax(1, keepdim=True)
        differs.append(((first - second).abs() > _ROUNDING * scale).any(1))
        probable.append((first >= 0).all(1) & ((first.sum(1) - 1).abs() < 1e-4))
    order = torch.cat(batches)
    yield flag_at(arena, "answers_differ", order, torch.cat(differs))
    yield flag_at(arena, "probabilities", order, torch.cat(probable))


def _signs_of_gradients(arena: Arena, chosen: Tensor) -> Iterator[MaskingFlag]:
    """Look at the gradients of the margin and of the cross-entropy; nothing where the model has none.

    Args:
        arena: Whom.
        chosen: The places of some items that are answered rightly, ascending.
    """
    is_zero, is_saturated = [], []
    batches = list(arena.batches(chosen))
    for batch in batches:
        points = arena.budget.clean[batch % arena.samples].detach().requires_grad_()
        targets = arena.targets[batch]
        with torch.enable_grad():
            logits = arena.asked.logits(points, batch // arena.samples)
            if not logits.requires_grad:
                return
            loss = torch.nn.functional.cross_entropy(logits, targets, reduction="none")
            slopes = [
                torch.autograd.grad(value.sum(), points, retain_graph=number == 0, allow_unused=True)[0]
                for number, value in enumerate((margin(logits, targets), loss))
            ]
        of_margin, of_loss = (_is_zero(slope, batch) for slope in slopes)
        is_zero.append(of_margin)
        is_saturated.append(of_loss & ~of_margin)
    order = torch.cat(batches)
    yield flag_at(arena, "zero_gradients", order, torch.cat(is_zero))
    yield flag_at(arena, "saturated_loss", order, torch.cat(is_saturated))


def _one_step_beats_many(tally: Tally, attacks: Sequence[AbstractAttack], chosen: Tensor) -> MaskingFlag:
    """Try many steps on samples that one step fools."""
    arena = tally.arena
    many, ones = _numbers(attacks, is_many), _numbers(attacks, is_one_step)
    fooled = chosen[arena.success(Fgsm(), chosen)]
    if ones:
        fooled = arena.some(tally.success[ones[0]].nonzero().flatten(), LOOKED_AT)
    return flag_at(arena, "one_step_beats_many", fooled, ~tally.fooled_by(attacks, many, fooled))


def _blind_beats_gradients(tally: Tally, attacks: Sequence[AbstractAttack], right: Tensor) -> MaskingFlag:
    """Try attacks with gradients on samples that those without have fooled."""
    white = [number for number, attack in enumerate(attacks) if attack.needs_gradients]
    blind = [number for number in range(len(attacks)) if number not in white]
    is_fooled = torch.stack([tally.success[number] for number in blind]).any(0)
    is_known = torch.stack([tally.tried[number] for number in white]).all(0)
    is_known |= torch.stack([tally.success[number] for number in white]).any(0)
    if bool((is_fooled & ~is_known).any()):  # else nothing has to be asked
        right = tally.arena.some(right, LOOKED_AT)
    shown = is_fooled[right]
    shown[shown.clone()] = ~tally.fooled_by(attacks, white, right[shown])
    return flag_at(tally.arena, "blind_beats_gradients", right, shown)


def _huge_budget_survived(
    arena: Arena, attack: AbstractAttack, chosen: Tensor, given: Given, bounds: Bounds
) -> MaskingFlag:
    """Attack samples where every input is allowed."""
    kept, samples = torch.unique(chosen % arena.samples, return_inverse=True)
    some = replace(given, exact=given.exact[kept], placed=given.placed[kept])
    budget = _everything(some, arena.budget.norm, bounds)
    targets = arena.targets.view(arena.runs, arena.samples)[:, kept].flatten()
    everywhere = replace(arena, budget=budget, targets=targets)
    places = chosen // arena.samples * len(kept) + samples
    return flag_at(everywhere, "huge_budget_survived", places, ~everywhere.success(attack, places))


def _everything(given: Given, norm: Norm, bounds: Bounds) -> Budget:
    """Return a budget that holds every input of the box, or ten times the spread of the inputs where there is none."""
    least, most = given.exact.aminmax()
    reach = 10 * max(float(most - least), 1.0)
    if bounds is not None:
        spread = float(np.max(np.asarray(to_numpy(bounds[1], "bounds")) - np.asarray(to_numpy(bounds[0], "bounds"))))
        reach = spread if math.isfinite(spread) else reach
    dimensions = given.placed[0].numel()
    reach *= {"inf": 1.0, "2": dimensions**0.5, "1": float(dimensions)}[norm]
    return budget_for(given, reach, norm, bounds, None, is_minimal=False)


def _is_zero(slope: Tensor | None, batch: Tensor) -> Tensor:
    return torch.ones_like(batch, dtype=torch.bool) if slope is None else (slope == 0).flatten(1).all(1)


def _numbers(attacks: Sequence[AbstractAttack], is_one: Callable[[AbstractAttack], bool]) -> list[int]:
    return [number for number, attack in enumerate(attacks) if is_one(attack)]
