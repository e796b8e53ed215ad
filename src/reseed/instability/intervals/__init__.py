"""Intervals of these measures: what other runs and other samples would give."""
