"""How far a training is from the curvature at which its optimiser diverges."""
