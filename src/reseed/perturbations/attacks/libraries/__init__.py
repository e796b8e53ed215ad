"""Attacks of other libraries, under our budgets."""
