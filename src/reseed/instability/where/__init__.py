"""In which samples of a study the instability is."""
