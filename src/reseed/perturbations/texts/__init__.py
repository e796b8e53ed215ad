"""Errors that people make when they write, and words put in place of others."""

from reseed.perturbations.texts._corrupt import TEXT_CORRUPTIONS, TextCorruption, corrupt_texts
from reseed.perturbations.texts._differences import marked_differences
from reseed.perturbations.texts._substitute import SubstitutedWords, Substitution, substitute_words

__all__ = [
    "TEXT_CORRUPTIONS",
    "SubstitutedWords",
    "Substitution",
    "TextCorruption",
    "corrupt_texts",
    "marked_differences",
    "substitute_words",
]
