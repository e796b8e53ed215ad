"""How much the loss changes for each unit that noise moves an input: empirical noise insensitivity."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, get_args

import numpy as np
import torch
from torch import Tensor

from reseed._arrays import Result, undefined
from reseed._draws import draw_key, item_uniform
from reseed._errors import InputError, InputTypeError
from reseed._numbers import check_whole
from reseed.perturbations.attacks import Bounds, Budget, Model, Numbers, norm_of
from reseed.robustness.boundary._probed import Probed, ascent_of_loss, log_odds_against, probed
from reseed.robustness.noise._noise_flips import gaussian_draw

NoiseFunction = Callable[[Tensor, int], Tensor]
NoiseName = Literal["uniform", "gaussian", "fgsm", "pgd"]
InsensitivityReduction = Literal["mean_of_ratios", "ratio_of_means", "none"]
_PGD_STEPS = 10
_UNIFORM, _PGD, _CALLED = 1, 2, 3  # places of the draws


NOISES: tuple[NoiseName, ...] = get_args(NoiseName)
DRAWS = 4


def noise_insensitivity(
    model: Model,
    inputs: Numbers,
    targets: Numbers,
    *,
    epsilon: float | Numbers,
    noises: Sequence[NoiseName | NoiseFunction] = NOISES,
    draws: int = DRAWS,
    reduction: InsensitivityReduction = "mean_of_ratios",
    bounds: Bounds = (0.0, 1.0),
    frozen: Numbers | None = None,
    seed: int = 0,
    batch_size: int | None = None,
) -> Result:
    """Return how much the loss changes for each unit that noise moves an input: empirical noise insensitivity (ENI).

        I = (1 / N M) sum over inputs i and noisy versions j of |l(x_i, y_i) - l(x_ij, y_i)| / ||x_i - x_ij||_inf

    where l is the cross-entropy and no version is farther than ``epsilon`` in the norm inf. It is the mean slope of the
    loss along the noise: the *lower*, the less noise matters. Each noise counts as much as another, whatever the number
    of its versions; a version that is the input itself is left out. Adversarial and random noises measure different
    things; compare numbers of the same noises only.

    Args:
        model: Whom to ask, as in `reseed.perturbations.pgd`; differentiable for the noises fgsm and pgd.
        inputs: [sample, ...], of any shape.
        targets: The right answers, [sample] or [run, sample].
        epsilon: How far noise may move a feature, in the units of the inputs; one number, or one for each feature.
        noises: ``"uniform"`` in the budget; ``"gaussian"`` of deviation epsilon / 2, clipped to the budget; ``"fgsm"``,
            a step of epsilon up the loss; ``"pgd"``, 10 steps up the loss from a random point; or a function of inputs
            [sample, ...] (a tensor) and a seed to inputs of the same shape, of which what leaves the budget is moved
            back into it.
        draws: How many versions are drawn of uniform and Gaussian noise and of functions; fgsm and pgd make one.
        reduction: ``"mean_of_ratios"``, the formula above; ``"none"``, its values for each sample, of which it is the
            mean; ``"ratio_of_means"``, for each noise the difference of the mean loss with and without it over the
            mean displacement, in which changes of opposite sign cancel, and the mean of these.
        bounds: The least and the largest value of inputs, numbers or one for each feature; None: no bounds.
        frozen: Where true features stay as they are.
        seed: Of what is drawn. A sample's draws depend on its place among the inputs alone.
        batch_size: How many samples are asked about at once; default: as many as memory allows.

    Returns:
        A float, or one for each run; of ``"none"`` [run, sample], of a single model [sample], float64, a tensor where
        inputs are one. At least 0; NaN with a warning where no version moves a sample.

    Raises:
        InputError: An argument is out of its range, or a noise returns no inputs.
        InputTypeError: One is of a wrong type.

    Examples:
        A linear network of one logit has the slope ||w||_1 at most, and nearly that where its answer is wrong:

        >>> network = torch.nn.Linear(2, 2, bias=False).eval()
        >>> _ = network.weight.data.copy_(torch.tensor([[0.0, 0.0], [3.0, -4.0]]))
        >>> inputs, targets = torch.tensor([[5.0, 1.0]]), [0]
        >>> found = noise_insensitivity(network, inputs, targets, epsilon=0.1, noises=["fgsm"], bounds=None)
        >>> f"{found:.3f}"
        '7.000'
    """
    _check(noises, draws, reduction, seed)
    if epsilon is None:
        raise InputError("epsilon is None; say how far noise may move a feature, a number above 0.")
    asked = probed(
        model, inputs, targets, bounds=bounds, frozen=frozen, batch_size=batch_size, norm="inf", epsilon=epsilon
    )
    changes: list[list[Tensor]] = [[] for _ in noises]
    lengths: list[list[Tensor]] = [[] for _ in noises]
    for rows in asked.blocks(batch_size, asked.budget.clean[0].numel()):
        for number, noise in enumerate(noises):
            versions = _versions(asked, rows, noise, number, draws, seed)
            parts = [_changed(asked, rows, points) for points in versions]
            changes[number].append(torch.stack([change for change, _ in parts]))
            lengths[number].append(torch.stack([length for _, length in parts]))
    change = [torch.cat(part, dim=2).numpy(force=True) for part in changes]
    length = [torch.cat(part, dim=2).numpy(force=True) for part in lengths]
    found = _ratios_of_means(change, length) if reduction == "ratio_of_means" else _means_of_ratios(change, length)
    if reduction == "mean_of_ratios":
        found = _mean(found, ~np.isnan(found))
    lost = int(np.isnan(found).sum())
    if lost:
        what = "samples of runs" if reduction == "none" else "runs"
        undefined(
            f"noise moves nothing in {lost} of {found.size} {what}, so that its effect is NaN there; widen bounds or "
            "epsilon, or pass other noises."
        )
    return asked.given_back(torch.from_numpy(found)) if reduction == "none" else _of_runs(asked, found)


def _of_runs(asked: Probed, found: np.ndarray) -> Result:
    return float(found[0]) if asked.asked.runs is None else asked.given_back(torch.from_numpy(found))


def _check(noises: Sequence[object], draws: int, reduction: str, seed: int) -> None:
    """Accept arguments.

    Raises:
        InputError: One is out of its range.
        InputTypeError: A noise is neither a name nor a function.
    """
    known = get_args(NoiseName)
    if isinstance(noises, str) or not noises:
        raise InputError(f"noises must be a list of one or more of {', '.join(map(repr, known))}, got {noises!r}.")
    for noise in noises:
        if isinstance(noise, str) and noise not in known:
            raise InputError(f"noises holds {noise!r}; pass {', '.join(map(repr, known))}, or functions.")
        if not isinstance(noise, str) and not callable(noise):
            raise InputTypeError(f"noises must be names or functions of inputs and a seed, got {noise!r}.")
    check_whole("draws", draws)
    if reduction not in get_args(InsensitivityReduction):
        listed = ", ".join(map(repr, get_args(InsensitivityReduction)))
        raise InputError(f"reduction must be one of {listed}, got {reduction!r}.")
    check_whole("seed", seed, 0)


def queries_of(noises: Sequence[NoiseName | NoiseFunction] = NOISES, draws: int = DRAWS) -> int:
    """Return how many times a network is asked about a sample; a gradient counts as one more."""
    climbed = {"fgsm": 2 * 1 + 1, "pgd": 2 * _PGD_STEPS + 1}
    return 1 + sum(climbed.get(noise, draws) if isinstance(noise, str) else draws for noise in noises)


def _versions(
    asked: Probed, rows: Tensor, noise: NoiseName | NoiseFunction, number: int, draws: int, seed: int
) -> Iterator[Tensor]:
    """Yield noisy versions of some samples, each [run x row, ...]."""
    runs, samples = asked.items(rows)
    word = seed & 0xFFFFFFFF
    budget = asked.budget.of(samples)
    if noise == "fgsm":
        yield _climbed(asked, budget, budget.clean, runs, samples, 1, budget.epsilon)
    elif noise == "pgd":
        start = budget.random_start(draw_key(word, 0, _PGD), samples)
        yield _climbed(asked, budget, start, runs, samples, _PGD_STEPS, 2.5 * budget.epsilon / _PGD_STEPS)
    else:
        own = asked.budget.of(rows)
        for draw in range(draws):
            if noise == "uniform":
                share = item_uniform(draw_key(word, draw, _UNIFORM), rows, own.clean.shape[1:]).to(own.clean.dtype)
                points = own.lower + share * (own.upper - own.lower)
            elif noise == "gaussian":
                points = own.clean + gaussian_draw(word, draw, rows, own.clean) * own.share * (own.epsilon / 2)
            else:
                points = _called(noise, own.clean, draw_key(word, draw, _CALLED + number) & 0xFFFFFFFF, number)
            yield budget.project(points.repeat(asked.runs, *[1] * (points.ndim - 1)))


def _called(noise: NoiseFunction, clean: Tensor, seed: int, number: int) -> Tensor:
    """Return what a function makes of inputs.

    Raises:
        InputError: It is no tensor of finite numbers of their shape.
    """
    found: object = noise(clean, seed)  # strangers return what they like
    if not isinstance(found, Tensor) or found.shape != clean.shape:
        shown = tuple(found.shape) if isinstance(found, Tensor) else f"a {type(found).__name__}"
        raise InputError(
            f"noise {number} returned {shown} for inputs of {tuple(clean.shape)}; it must return a tensor of the same "
            "shape."
        )
    if not bool(found.isfinite().all()):
        raise InputError(f"noise {number} returned NaN or infinite values; it must return finite inputs.")
    return found.detach().to(clean)


def _climbed(
    asked: Probed, budget: Budget, points: Tensor, runs: Tensor, samples: Tensor, steps: int, length: float
) -> Tensor:
    targets = asked.targets[runs, samples]
    for _ in range(steps):
        _, slope = ascent_of_loss(asked.asked, points, targets, runs)
        points = budget.project(points + length * budget.ascent(slope))
    return points


def _changed(asked: Probed, rows: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Return by how much the loss is larger at points, and how far they are, both [run, row], float64."""
    runs, samples = asked.items(rows)
    targets = asked.targets[runs, samples]
    with torch.no_grad():
        logits = asked.asked.logits(points, runs)
    before = asked.logits[runs, samples]
    change = _loss(logits, targets) - _loss(before, targets)
    length = norm_of(points.double() - asked.budget.clean[samples].double(), "inf")
    change = torch.where(length > 0, change, 0.0)
    return change.view(asked.runs, len(rows)), length.view(asked.runs, len(rows))


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    odds = log_odds_against(logits.double(), targets)
    return torch.logaddexp(odds, torch.zeros_like(odds))  # exact where p_y is within rounding of 1


def _means_of_ratios(change: list[np.ndarray], length: list[np.ndarray]) -> np.ndarray:
    """Return the mean over noises of the mean over their versions, [run, sample]."""
    noises = []
    for up, far in zip(change, length, strict=True):
        ratios = np.divide(np.abs(up), far, out=np.zeros_like(up), where=far > 0)
        noises.append(_mean(ratios, far > 0, axis=0))
    stacked = np.stack(noises)
    return _mean(stacked, ~np.isnan(stacked), axis=0)


def _ratios_of_means(change: list[np.ndarray], length: list[np.ndarray]) -> np.ndarray:
    """Return the mean over noises of |mean change of the loss| / mean displacement, [run]."""
    noises = []
    for up, far in zip(change, length, strict=True):
        total, moved = np.abs(up.sum((0, 2))), far.sum((0, 2))
        noises.append(np.divide(total, moved, out=np.full_like(total, np.nan), where=moved > 0))
    stacked = np.stack(noises)
    return _mean(stacked, ~np.isnan(stacked), axis=0)


def _mean(values: np.ndarray, counted: np.ndarray, axis: int = -1) -> np.ndarray:
    """Return the mean of what is counted; NaN where nothing is."""
    total = np.where(counted, values, 0.0).sum(axis)
    count = counted.sum(axis)
    found: np.ndarray = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    return found
