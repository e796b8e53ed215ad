"""What a randomisation test says: how fast and how well networks fit labels and inputs that were destroyed."""
