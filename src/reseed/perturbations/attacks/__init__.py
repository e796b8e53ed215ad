"""Attacks: the smallest, or the most harmful allowed, change of an input that changes the answer."""

from reseed.perturbations.attacks._asked import Asked, Model
from reseed.perturbations.attacks._attack import AbstractAttack
from reseed.perturbations.attacks._attacked import Attacked
from reseed.perturbations.attacks._budget import Budget, Norm, norm_of
from reseed.perturbations.attacks._efforts import Effort
from reseed.perturbations.attacks._fgsm import Fgsm, fgsm
from reseed.perturbations.attacks._given import Bounds, Numbers
from reseed.perturbations.attacks._hunt import Found, Hunt, Items, Look
from reseed.perturbations.attacks._losses import Loss
from reseed.perturbations.attacks._masking import Masking, MaskingFlag, Sign
from reseed.perturbations.attacks._pgd import Pgd, pgd
from reseed.perturbations.attacks._suite import AttackSuite
from reseed.perturbations.attacks._suite_result import SuiteResult, SuiteStage

__all__ = [
    "AbstractAttack",
    "Asked",
    "AttackSuite",
    "Attacked",
    "Bounds",
    "Budget",
    "Effort",
    "Fgsm",
    "Found",
    "Hunt",
    "Items",
    "Look",
    "Loss",
    "Masking",
    "MaskingFlag",
    "Model",
    "Norm",
    "Numbers",
    "Pgd",
    "Sign",
    "SuiteResult",
    "SuiteStage",
    "fgsm",
    "norm_of",
    "pgd",
]
