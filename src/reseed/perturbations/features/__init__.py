"""Noise on vectors of features."""
