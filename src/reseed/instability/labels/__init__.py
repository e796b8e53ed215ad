"""Measures of what several runs answer: how often their labels differ, on each sample and over samples."""
