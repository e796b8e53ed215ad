"""Attacks that weigh a wrong answer against the distance: the search for the weight, each item its own."""

from __future__ import annotations

from typing import Protocol, final

import torch
from torch import Tensor

from reseed.perturbations.attacks.core._hunt import Hunt
from reseed.perturbations.attacks.core._settings import check_above_zero, check_counts

_PATIENCE = 10  # how many times a round asks whether its objective still falls
_FALLS = 0.9999  # by what it must at least


class Round(Protocol):
    """A minimisation of distance + weight * max(-margin, 0), where the margin is above 0 if the answer is wrong."""

    def __call__(self, hunt: Hunt, weights: Tensor, progress: Progress) -> None:
        """Minimise for everybody in the hunt, and tell the progress about each step.

        Args:
            hunt: Who is left, [item].
            weights: [item].
            progress: Whom to tell.
        """


@final
class Progress:
    """Who was answered wrongly in a round, and whose objective still falls.

    Args:
        hunt: Everybody.
        steps: Most steps of a round.
    """

    def __init__(self, hunt: Hunt, steps: int) -> None:
        self._hunt, self._steps = hunt, steps
        self.was_wrong = torch.zeros_like(hunt.is_found)
        self._rows = torch.arange(len(self.was_wrong), device=self.was_wrong.device)
        self._least = torch.full_like(hunt.best_logits[:, 0], torch.inf)

    def settled(self, step: int, is_wrong: Tensor, objective: Tensor, *tensors: Tensor) -> tuple[Tensor, ...]:
        """Note a step, and return the rest of each tensor when those have left whose objective no longer falls.

        Args:
            step: Its number, counted from 0.
            is_wrong: Whose answer was wrong, [item].
            objective: What is minimised, [item].
            tensors: What the round knows of each item, [item, ...].
        """
        self.was_wrong[self._rows[is_wrong]] = True
        if (step + 1) % max(1, self._steps // _PATIENCE):
            return tensors
        stays = objective > _FALLS * self._least
        self._rows, self._least, *rest = self._hunt.settled(
            self._rows, torch.minimum(self._least, objective), *tensors, given_up=stays
        )
        return tuple(rest)


def check_weighed(steps: int, rounds: int, rate: float, weight: float) -> None:
    """Accept the settings that all such attacks have.

    Raises:
        InputError: One is out of its range; the message names it.
    """
    check_counts(steps=steps, rounds=rounds)
    meanings = {"rate": "a step size", "weight": "the first weight of the margin"}
    check_above_zero(meanings, rate=rate, weight=weight)


def search_weights(hunt: Hunt, initial: float, rounds: int, steps: int, minimise: Round) -> None:
    """Minimise with each item's own weight, which halves towards the least one that makes the answer wrong.

    Args:
        hunt: One for the nearest wrong answers.
        initial: The first weight; it is made 10 times as large until the answer is wrong.
        rounds: How many weights are tried.
        steps: Most steps of each.
        minimise: What is done with a weight.
    """
    weights = torch.full_like(hunt.best_logits[:, 0], initial)
    least, most = torch.zeros_like(weights), torch.full_like(weights, torch.inf)
    for _ in range(rounds):
        progress = Progress(hunt, steps)
        minimise(hunt, weights, progress)
        hunt.rejoin()
        least = torch.where(progress.was_wrong, least, weights)
        most = torch.where(progress.was_wrong, weights, most)
        weights = torch.where(most < torch.inf, (least + most) / 2, weights * 10)
