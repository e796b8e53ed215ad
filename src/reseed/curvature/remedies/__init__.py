"""Which remedy lets a network be trained at which learning rate."""
