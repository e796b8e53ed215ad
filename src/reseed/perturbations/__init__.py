"""What is done to inputs on purpose: attacks, common corruptions of images, noise on features, errors in texts.

Everything is a function of its arguments and a seed; a sample's draw is the same alone and in every batch.
"""

from reseed.perturbations.attacks import (
    AbstractAttack,
    Attacked,
    AttackSuite,
    Fgsm,
    Hunt,
    Masking,
    Pgd,
    SuiteResult,
    fgsm,
    pgd,
)

__all__ = [
    "AbstractAttack",
    "AttackSuite",
    "Attacked",
    "Fgsm",
    "Hunt",
    "Masking",
    "Pgd",
    "SuiteResult",
    "fgsm",
    "pgd",
]
