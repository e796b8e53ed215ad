"""How visible changes of inputs are, and which of them survive blur and compression."""
