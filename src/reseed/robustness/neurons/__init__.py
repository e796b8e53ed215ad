"""What neurons do: their ranges, coverage, sensitivity and uncertainty."""
