"""What a curvature operator has in it: eigenvalues, densities, traces, by Lanczos and random probes."""
