"""How gradients spread over samples, and how the loss bends along them."""
