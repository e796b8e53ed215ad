"""Attacks that need answers alone."""
