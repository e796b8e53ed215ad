"""Attacks along gradients."""
