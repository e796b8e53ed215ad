"""Attacks: the smallest, or the most harmful allowed, change of an input that changes the answer."""
