"""Several attacks one after the other, and signs of masked gradients."""
