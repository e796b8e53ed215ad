"""Attacks: the smallest, or the most harmful allowed, change of an input that changes the answer."""

from reseed.perturbations.attacks.blind._boundary import Boundary, boundary
from reseed.perturbations.attacks.blind._gaussian_noise import GaussianNoise, gaussian_noise
from reseed.perturbations.attacks.blind._nes import Nes, nes
from reseed.perturbations.attacks.blind._spsa import Spsa, spsa
from reseed.perturbations.attacks.blind._square import Square, square
from reseed.perturbations.attacks.blind._uniform_noise import UniformNoise, uniform_noise
from reseed.perturbations.attacks.core._answers import check_answers, check_labels, gradient_of
from reseed.perturbations.attacks.core._asked import Asked, Model
from reseed.perturbations.attacks.core._attack import AbstractAttack
from reseed.perturbations.attacks.core._attacked import Attacked
from reseed.perturbations.attacks.core._budget import Budget, Norm, column, norm_of
from reseed.perturbations.attacks.core._given import Bounds, Given, Numbers, budget_for, given_inputs, labels_of
from reseed.perturbations.attacks.core._hunt import Found, Hunt, Items, Look
from reseed.perturbations.attacks.core._losses import Loss
from reseed.perturbations.attacks.gradients._apgd import Apgd, apgd
from reseed.perturbations.attacks.gradients._carlini_wagner import CarliniWagner, carlini_wagner
from reseed.perturbations.attacks.gradients._deepfool import DeepFool, deepfool
from reseed.perturbations.attacks.gradients._ead import Ead, Rule, ead
from reseed.perturbations.attacks.gradients._fgsm import Fgsm, fgsm
from reseed.perturbations.attacks.gradients._pgd import Pgd, pgd
from reseed.perturbations.attacks.libraries._art import from_art
from reseed.perturbations.attacks.libraries._foolbox import from_foolbox
from reseed.perturbations.attacks.libraries._foreign import foreign
from reseed.perturbations.attacks.suite._efforts import Effort, check_effort
from reseed.perturbations.attacks.suite._masking import Masking, MaskingFlag, Sign
from reseed.perturbations.attacks.suite._suite import AttackSuite
from reseed.perturbations.attacks.suite._suite_result import SuiteResult, SuiteStage

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
