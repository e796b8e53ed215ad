"""Errors that people make when they write, and words put in place of others."""

from reseed.perturbations.texts._corrupt import TEXT_CORRUPTIONS, TextCorruption, corrupt_texts

__all__ = ["TEXT_CORRUPTIONS", "TextCorruption", "corrupt_texts"]
