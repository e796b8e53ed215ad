"""How far inputs are from another answer."""
