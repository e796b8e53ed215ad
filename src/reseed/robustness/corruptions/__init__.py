"""Errors under common corruptions, and flips along sequences."""
