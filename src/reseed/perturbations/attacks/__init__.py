"""Attacks: the smallest, or the most harmful allowed, change of an input that changes the answer."""

from reseed.perturbations.attacks._apgd import Apgd, apgd
from reseed.perturbations.attacks._asked import Asked, Model
from reseed.perturbations.attacks._attack import AbstractAttack
from reseed.perturbations.attacks._attacked import Attacked
from reseed.perturbations.attacks._boundary import Boundary, boundary
from reseed.perturbations.attacks._budget import Budget, Norm, column, norm_of
from reseed.perturbations.attacks._carlini_wagner import CarliniWagner, carlini_wagner
from reseed.perturbations.attacks._deepfool import DeepFool, deepfool
from reseed.perturbations.attacks._ead import Ead, Rule, ead
from reseed.perturbations.attacks._fgsm import Fgsm, fgsm
from reseed.perturbations.attacks._gaussian_noise import GaussianNoise, gaussian_noise
from reseed.perturbations.attacks._given import Bounds, Given, Numbers, budget_for, given_inputs, labels_of
from reseed.perturbations.attacks._hunt import Found, Hunt, Items, Look
from reseed.perturbations.attacks._losses import Loss
from reseed.perturbations.attacks._nes import Nes, nes
from reseed.perturbations.attacks._pgd import Pgd, pgd
from reseed.perturbations.attacks._spsa import Spsa, spsa
from reseed.perturbations.attacks._square import Square, square
from reseed.perturbations.attacks._uniform_noise import UniformNoise, uniform_noise

__all__ = [
    "AbstractAttack",
    "Apgd",
    "Asked",
    "Attacked",
    "Boundary",
    "Bounds",
    "Budget",
    "CarliniWagner",
    "DeepFool",
    "Ead",
    "Fgsm",
    "Found",
    "GaussianNoise",
    "Given",
    "Hunt",
    "Items",
    "Look",
    "Loss",
    "Model",
    "Nes",
    "Norm",
    "Numbers",
    "Pgd",
    "Rule",
    "Spsa",
    "Square",
    "UniformNoise",
    "apgd",
    "boundary",
    "budget_for",
    "carlini_wagner",
    "column",
    "deepfool",
    "ead",
    "fgsm",
    "gaussian_noise",
    "given_inputs",
    "labels_of",
    "nes",
    "norm_of",
    "pgd",
    "spsa",
    "square",
    "uniform_noise",
]
