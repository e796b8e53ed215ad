"""Functions that fit any targets: the small network that can, the smallest linear one, kernels, random signs."""
