"""The one way in which attacks ask, search and give back; every attack is a frozen dataclass that writes `hunt`."""
