"""Common corruptions of images and perturbation sequences, in batches, of any size and number of channels."""
