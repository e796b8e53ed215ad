"""What is done to inputs on purpose: attacks, common corruptions of images, noise on features, errors in texts.

Everything is a function of its arguments and a seed; a sample's draw is the same alone and in every batch.
"""

from reseed.perturbations.attacks import (
    AbstractAttack,
    Apgd,
    Attacked,
    CarliniWagner,
    DeepFool,
    Ead,
    Fgsm,
    Hunt,
    Pgd,
    apgd,
    carlini_wagner,
    deepfool,
    ead,
    fgsm,
    pgd,
)

__all__ = [
    "AbstractAttack",
    "Apgd",
    "Attacked",
    "CarliniWagner",
    "DeepFool",
    "Ead",
    "Fgsm",
    "Hunt",
    "Pgd",
    "apgd",
    "carlini_wagner",
    "deepfool",
    "ead",
    "fgsm",
    "pgd",
]
