"""A study's measures in one call, with the columns of its table."""
