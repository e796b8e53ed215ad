"""Curvature along a training: what is measured every so many steps, and what it says afterwards."""
