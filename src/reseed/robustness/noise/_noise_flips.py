"""How often Gaussian noise changes an answer."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from reseed._arrays import Result
from reseed._draws import draw_key, item_normal
from reseed._errors import InputError
from reseed._numbers import check_whole
from reseed.perturbations.attacks import Bounds, Model, Numbers
from reseed.robustness.boundary._probed import probed

_GAUSSIAN = 0  # place of the draws


def noise_flip_rate(
    model: Model,
    inputs: Numbers,
    *,
    sigma: float,
    draws: int = 100,
    bounds: Bounds = (0.0, 1.0),
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Result:
    """Return which share of noisy versions of each input is answered otherwise than the input itself.

        (1 / M) sum over j of 1[F(clip(x_i + sigma e_ij)) != F(x_i)],  e_ij Gaussian

    All runs are asked about the same versions. The standard error of a rate r is sqrt(r (1 - r) / draws).

    Args:
        model: Whom to ask, as in `reseed.perturbations.pgd`; no gradients are needed.
        inputs: [sample, ...], of any shape.
        sigma: Standard deviation of the noise on each feature, in the units of the inputs.
        draws: How many versions are drawn of each input.
        bounds: The least and the largest value of inputs, numbers or one for each feature; None: no bounds.
        frozen: Where true features stay as they are.
        seed: Of the draws. A sample's draws depend on its place among the inputs alone, and more draws begin with
            those of fewer.
        batch_size: How many samples are asked about at once; default: as many as memory allows.

    Returns:
        [run, sample], of a single model [sample], float64 in [0, 1]; a tensor where inputs are one.

    Raises:
        InputError: An argument is out of its range.
        InputTypeError: One is of a wrong type.

    Examples:
        >>> network = torch.nn.Linear(2, 2).eval()
        >>> inputs = torch.rand(8, 2)
        >>> noise_flip_rate(network, inputs, sigma=1e-9).max().item()
        0.0
    """
    if not 0 < sigma < math.inf:
        raise InputError(f"sigma must be above 0 and finite, in the units of the inputs, got {sigma!r}.")
    check_whole("draws", draws)
    check_whole("seed", seed, 0)
    asked = probed(model, inputs, None, bounds=bounds, frozen=frozen, batch_size=batch_size)
    parts = []
    for rows in asked.blocks(batch_size, asked.budget.clean[0].numel()):
        runs, samples = asked.items(rows)
        own = asked.budget.of(rows)
        flips = torch.zeros(asked.runs, len(rows), dtype=torch.float64, device=rows.device)
        for draw in range(draws):
            noise = own.masked(gaussian_draw(seed & 0xFFFFFFFF, draw, rows, own.clean))
            points = own.project(own.clean + sigma * noise)
            with torch.no_grad():
                logits = asked.asked.logits(points.repeat(asked.runs, *[1] * (points.ndim - 1)), runs)
            flips += (logits.argmax(1) != asked.answers[runs, samples]).view_as(flips)
        parts.append(flips / draws)
    return asked.given_back(torch.cat(parts, dim=1))


def gaussian_draw(word: int, draw: int, rows: Tensor, like: Tensor) -> Tensor:
    """Return standard normal numbers for each of some samples, [row, ...]."""
    return item_normal(draw_key(word, draw, _GAUSSIAN), rows, like.shape[1:]).to(like.dtype)
