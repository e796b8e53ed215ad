"""Attacks: the smallest, or the most harmful allowed, change of an input that changes the answer."""

from reseed.perturbations.attacks._answers import check_answers, check_labels, gradient_of
from reseed.perturbations.attacks._apgd import Apgd, apgd
from reseed.perturbations.attacks._art import from_art
from reseed.perturbations.attacks._asked import Asked, Model
from reseed.perturbations.attacks._attack import AbstractAttack
from reseed.perturbations.attacks._attacked import Attacked
from reseed.perturbations.attacks._boundary import Boundary, boundary
from reseed.perturbations.attacks._budget import Budget, Norm, column, norm_of
from reseed.perturbations.attacks._carlini_wagner import CarliniWagner, carlini_wagner
from reseed.perturbations.attacks._deepfool import DeepFool, deepfool
from reseed.perturbations.attacks._ead import Ead, Rule, ead
from reseed.perturbations.attacks._efforts import Effort, check_effort
from reseed.perturbations.attacks._fgsm import Fgsm, fgsm
from reseed.perturbations.attacks._foolbox import from_foolbox
from reseed.perturbations.attacks._foreign import foreign
from reseed.perturbations.attacks._gaussian_noise import GaussianNoise, gaussian_noise
from reseed.perturbations.attacks._given import Bounds, Given, Numbers, budget_for, given_inputs, labels_of
from reseed.perturbations.attacks._hunt import Found, Hunt, Items, Look
from reseed.perturbations.attacks._losses import Loss
from reseed.perturbations.attacks._masking import Masking, MaskingFlag, Sign
from reseed.perturbations.attacks._nes import Nes, nes
from reseed.perturbations.attacks._pgd import Pgd, pgd
from reseed.perturbations.attacks._spsa import Spsa, spsa
from reseed.perturbations.attacks._square import Square, square
from reseed.perturbations.attacks._suite import AttackSuite
from reseed.perturbations.attacks._suite_result import SuiteResult, SuiteStage
from reseed.perturbations.attacks._uniform_noise import UniformNoise, uniform_noise

__all__ = [
    "AbstractAttack",
    "Apgd",
    "Asked",
    "AttackSuite",
    "Attacked",
    "Boundary",
    "Bounds",
    "Budget",
    "CarliniWagner",
    "DeepFool",
    "Ead",
    "Effort",
    "Fgsm",
    "Found",
    "GaussianNoise",
    "Given",
    "Hunt",
    "Items",
    "Look",
    "Loss",
    "Masking",
    "MaskingFlag",
    "Model",
    "Nes",
    "Norm",
    "Numbers",
    "Pgd",
    "Rule",
    "Sign",
    "Spsa",
    "Square",
    "SuiteResult",
    "SuiteStage",
    "UniformNoise",
    "apgd",
    "boundary",
    "budget_for",
    "carlini_wagner",
    "check_answers",
    "check_effort",
    "check_labels",
    "column",
    "deepfool",
    "ead",
    "fgsm",
    "foreign",
    "from_art",
    "from_foolbox",
    "gaussian_noise",
    "given_inputs",
    "gradient_of",
    "labels_of",
    "nes",
    "norm_of",
    "pgd",
    "spsa",
    "square",
    "uniform_noise",
]
