"""What a network learns by heart: random labels, destroyed inputs, wrong labels, and what it devotes to them."""

__all__: list[str] = []
