"""Attacks: the smallest, or the most harmful allowed, change of an input that changes the answer."""

from reseed.perturbations.attacks._asked import Asked, Model
from reseed.perturbations.attacks._attack import AbstractAttack
from reseed.perturbations.attacks._attacked import Attacked
from reseed.perturbations.attacks._budget import Budget, Norm, column, norm_of
from reseed.perturbations.attacks._fgsm import Fgsm, fgsm
from reseed.perturbations.attacks._given import Bounds, Given, Numbers, budget_for, given_inputs, labels_of
from reseed.perturbations.attacks._hunt import Found, Hunt, Items, Look
from reseed.perturbations.attacks._losses import Loss
from reseed.perturbations.attacks._pgd import Pgd, pgd

__all__ = [
    "AbstractAttack",
    "Asked",
    "Attacked",
    "Bounds",
    "Budget",
    "Fgsm",
    "Found",
    "Given",
    "Hunt",
    "Items",
    "Look",
    "Loss",
    "Model",
    "Norm",
    "Numbers",
    "Pgd",
    "budget_for",
    "column",
    "fgsm",
    "given_inputs",
    "labels_of",
    "norm_of",
    "pgd",
]
