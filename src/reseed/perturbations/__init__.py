"""What is done to inputs on purpose: attacks, common corruptions of images, noise on features, errors in texts.

Everything is a function of its arguments and a seed; a sample's draw is the same alone and in every batch.
"""

from reseed.perturbations.attacks import (
    AbstractAttack,
    Apgd,
    Attacked,
    AttackSuite,
    CarliniWagner,
    DeepFool,
    Ead,
    Fgsm,
    Hunt,
    Masking,
    Pgd,
    SuiteResult,
    apgd,
    carlini_wagner,
    deepfool,
    ead,
    fgsm,
    pgd,
)
from reseed.perturbations.features import FEATURE_CORRUPTIONS, FeatureCorruption, corrupt_features
from reseed.perturbations.texts import (
    TEXT_CORRUPTIONS,
    SubstitutedWords,
    Substitution,
    TextCorruption,
    corrupt_texts,
    marked_differences,
    substitute_words,
)

__all__ = [
    "FEATURE_CORRUPTIONS",
    "TEXT_CORRUPTIONS",
    "AbstractAttack",
    "Apgd",
    "AttackSuite",
    "Attacked",
    "CarliniWagner",
    "DeepFool",
    "Ead",
    "FeatureCorruption",
    "Fgsm",
    "Hunt",
    "Masking",
    "Pgd",
    "SubstitutedWords",
    "Substitution",
    "SuiteResult",
    "TextCorruption",
    "apgd",
    "carlini_wagner",
    "corrupt_features",
    "corrupt_texts",
    "deepfool",
    "ead",
    "fgsm",
    "marked_differences",
    "pgd",
    "substitute_words",
]
