"""How much of the instability comes from the seed, the training sample or one source of randomness."""
