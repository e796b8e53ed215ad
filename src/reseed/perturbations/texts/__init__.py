"""Errors that people make when they write, and words put in place of others."""
