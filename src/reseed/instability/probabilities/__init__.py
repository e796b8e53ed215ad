"""Measures of what several runs believe: their probabilities, and the ensembles that are made of them."""
