"""How many small steps up the loss an answer stands: the second empirical boundary distance."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.perturbations.attacks import Bounds, Model, Numbers
from reseed.robustness.boundary._distances import Distances
from reseed.robustness.boundary._probed import Probed, ascent_of_loss, probed


def sign_step_distance(
    model: Model,
    inputs: Numbers,
    targets: Numbers | None = None,
    *,
    step: float = 0.0005,
    most_steps: int = 1000,
    bounds: Bounds = (0.0, 1.0),
    frozen: Numbers | None = None,
    batch_size: int | None = None,
) -> Distances:
    """Return how many steps up the loss change the answer: empirical boundary distance along gradients (EBD-2).

        x <- clip(x + step sign(gradient of the cross-entropy at y)),  until F(x) differs from F of the clean input

    The distance is steps x ``step``, the length of the path in the norm inf: at least the distance from the input,
    and more where the path bends. A sample leaves when its answer has changed, and also, censored, when it comes back
    to a point where it was: its later points are known.

    Args:
        model: Whom to ask, as in `reseed.perturbations.pgd`; it must be differentiable.
        inputs: [sample, ...], of any shape.
        targets: The right answers y, [sample] or [run, sample], whose loss is climbed; default: what the networks
            answer. A sample that is answered wrongly still walks until that answer changes.
        step: How far each feature moves in a step, in the units of the inputs.
        most_steps: After how many steps to stop.
        bounds: The least and the largest value of inputs, numbers or one for each feature; None: no bounds.
        frozen: Where true features stay as they are.
        batch_size: How many samples are asked about at once; default: as many as memory allows.

    Returns:
        See `Distances`, with ``steps``; its censored samples have the same answer after ``most_steps`` steps, and
        stand at most_steps x step. Their mean counts them so; `Distances.mean` with ``drop_censored`` leaves them out.

    Raises:
        InputError: An argument is out of its range, or the model gives no gradients.
        InputTypeError: One is of a wrong type.

    Examples:
        A linear network whose boundary is 0.3 away in each of two features, in steps of 0.04:

        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.tensor([[1.0, 1.0], [-1.0, -1.0]]))
        >>> found = sign_step_distance(network, torch.tensor([[0.3, 0.3]]), step=0.04, bounds=None)
        >>> found.steps.item(), f"{found.distance.item():.2f}"
        (8, '0.32')
    """
    if not 0 < step < float("inf"):
        raise InputError(f"step must be above 0 and finite, in the units of the inputs, got {step!r}.")
    check_whole("most_steps", most_steps)
    asked = probed(model, inputs, targets, bounds=bounds, frozen=frozen, batch_size=batch_size)
    each = asked.budget.clean[0].numel()
    parts = [_walked(asked, rows, step, most_steps) for rows in asked.blocks(batch_size, each)]
    steps, censored, queries = (torch.cat(part, dim=1) for part in zip(*parts, strict=True))
    return Distances(
        asked.given_back(steps.double() * step),
        asked.given_back(censored),
        asked.given_back(queries),
        steps=asked.given_back(steps),
    )


def _walked(asked: Probed, rows: Tensor, step: float, most_steps: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return steps, whether no other answer was found, and queries of some samples, all [run, row]."""
    runs, samples = asked.items(rows)
    targets, answers = asked.targets[runs, samples], asked.answers[runs, samples]
    budget = asked.budget.of(samples)
    taken = torch.full_like(samples, most_steps)
    censored = torch.ones_like(samples, dtype=torch.bool)
    queries = torch.ones_like(samples)
    left = torch.arange(len(samples), device=samples.device)
    points = before = budget.clean
    for number in range(most_steps):
        logits, slope = ascent_of_loss(asked.asked, points, targets[left], runs[left])
        queries[left] += 2
        found = logits.argmax(1) != answers[left]
        there = budget.project(points + step * budget.masked(slope).sign())
        circles = ~found & (_same(there, points) | _same(there, before))
        if number & (number - 1) == 0:  # powers of two, so that circles of every length are seen
            before = points
        taken[left[found]], censored[left[found]] = number, False
        stay = (~(found | circles)).nonzero().flatten()
        if len(stay) < len(left):
            left, there, before, budget = left[stay], there[stay], before[stay], budget.of(stay)
        points = there
        if not len(left):
            break
    else:
        with torch.no_grad():
            found = asked.asked.logits(points, runs[left]).argmax(1) != answers[left]
        queries[left] += 1
        censored[left[found]] = False
    shape = (asked.runs, len(rows))
    return taken.view(shape), censored.view(shape), queries.view(shape)


def _same(points: Tensor, others: Tensor) -> Tensor:
    return (points == others).flatten(1).all(1)
