"""What noise on inputs does to answers and to the loss."""
