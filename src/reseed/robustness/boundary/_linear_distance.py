"""How far the boundary would be if the network were linear: the cheap look."""

from __future__ import annotations

import torch
from torch import Tensor

from reseed._arrays import Result
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.perturbations.attacks import Model, Norm, Numbers, gradient_of
from reseed.robustness.boundary._probed import Probed, probed

_DUAL: dict[str, float] = {"inf": 1.0, "2": 2.0, "1": float("inf")}


def linear_boundary_distance(
    model: Model,
    inputs: Numbers,
    *,
    norm: Norm = "2",
    candidates: int = 9,
    frozen: Numbers | None = None,
    batch_size: int | None = None,
) -> Result:
    """Return how far each input is from another answer by its gradients alone.

        min over j != a of (z_a - z_j) / ||gradient of (z_a - z_j)||_q

    where a is the answer and q the dual norm: 1 for inf, 2 for 2, inf for 1. Of a linear network that is the minimal
    distance, without bounds; of others a guess from the input itself, which may be above or below it. It costs a
    forward pass and a backward pass for each candidate.

    Args:
        model: Whom to ask, as in `reseed.perturbations.pgd`; it must be differentiable.
        inputs: [sample, ...], of any shape.
        norm: Of the distance: ``"inf"``, ``"2"`` or ``"1"``.
        candidates: How many other classes are looked at, those with the largest logits.
        frozen: Where true features stay as they are.
        batch_size: How many samples are asked about at once; default: as many as memory allows.

    Returns:
        [run, sample], of a single model [sample], float64; a tensor where inputs are one. Infinite where no other class
        comes nearer in any direction.

    Raises:
        InputError: An argument is out of its range, or the model gives no gradients.
        InputTypeError: One is of a wrong type.

    Examples:
        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.tensor([[3.0, 4.0], [-3.0, -4.0]]))
        >>> inputs = torch.tensor([[0.5, 0.25]])
        >>> [f"{linear_boundary_distance(network, inputs, norm=norm).item():.4f}" for norm in ("inf", "2", "1")]
        ['0.3571', '0.5000', '0.6250']
    """
    if norm not in _DUAL:
        raise InputError(f"norm must be one of {', '.join(map(repr, _DUAL))}, got {norm!r}.")
    check_whole("candidates", candidates)
    asked = probed(model, inputs, None, bounds=None, frozen=frozen, batch_size=batch_size)
    each = asked.budget.clean[0].numel()
    parts = [_nearest(asked, rows, _DUAL[norm], candidates) for rows in asked.blocks(batch_size, each)]
    return asked.given_back(torch.cat(parts, dim=1))


def _nearest(asked: Probed, rows: Tensor, dual: float, candidates: int) -> Tensor:
    runs, samples = asked.items(rows)
    own = asked.targets[runs, samples][:, None]
    with torch.enable_grad():
        points = asked.budget.clean[samples].requires_grad_()
        logits = asked.asked.logits(points, runs)
        others = logits.detach().scatter(1, own, -torch.inf).topk(min(candidates, logits.shape[1] - 1), dim=1).indices
        gaps = logits.gather(1, own) - logits.gather(1, others)
        nearest = torch.full((len(samples),), torch.inf, dtype=torch.float64, device=points.device)
        for number in range(others.shape[1]):
            slope = gradient_of(gaps[:, number], points, again=number + 1 < others.shape[1])
            slope = asked.budget.masked(slope).flatten(1).double()
            steepness = torch.linalg.vector_norm(slope, dual, dim=1)
            distance = gaps[:, number].detach().double().clamp_min(0) / steepness
            nearest = torch.where(steepness > 0, torch.minimum(nearest, distance), nearest)
    return nearest.view(asked.runs, len(rows))
