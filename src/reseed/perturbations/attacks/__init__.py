"""Attacks: the smallest, or the most harmful allowed, change of an input that changes the answer."""

from reseed.perturbations.attacks._apgd import Apgd, apgd
from reseed.perturbations.attacks._art import from_art
from reseed.perturbations.attacks._asked import Asked, Model
from reseed.perturbations.attacks._attack import AbstractAttack
from reseed.perturbations.attacks._attacked import Attacked
from reseed.perturbations.attacks._budget import Budget, Norm, column, norm_of
from reseed.perturbations.attacks._carlini_wagner import CarliniWagner, carlini_wagner
from reseed.perturbations.attacks._deepfool import DeepFool, deepfool
from reseed.perturbations.attacks._ead import Ead, Rule, ead
from reseed.perturbations.attacks._efforts import Effort
from reseed.perturbations.attacks._fgsm import Fgsm, fgsm
from reseed.perturbations.attacks._foolbox import from_foolbox
from reseed.perturbations.attacks._foreign import foreign
from reseed.perturbations.attacks._given import Bounds, Given, Numbers, budget_for, given_inputs, labels_of
from reseed.perturbations.attacks._hunt import Found, Hunt, Items, Look
from reseed.perturbations.attacks._losses import Loss
from reseed.perturbations.attacks._masking import Masking, MaskingFlag, Sign
from reseed.perturbations.attacks._pgd import Pgd, pgd
from reseed.perturbations.attacks._suite import AttackSuite
from reseed.perturbations.attacks._suite_result import SuiteResult, SuiteStage

__all__ = [
    "AbstractAttack",
    "Apgd",
    "Asked",
    "AttackSuite",
    "Attacked",
    "Bounds",
    "Budget",
    "CarliniWagner",
    "DeepFool",
    "Ead",
    "Effort",
    "Fgsm",
    "Found",
    "Given",
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
    "Rule",
    "Sign",
    "SuiteResult",
    "SuiteStage",
    "apgd",
    "budget_for",
    "carlini_wagner",
    "column",
    "deepfool",
    "ead",
    "fgsm",
    "foreign",
    "from_art",
    "from_foolbox",
    "given_inputs",
    "labels_of",
    "norm_of",
    "pgd",
]
