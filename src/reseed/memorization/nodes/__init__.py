"""What the nodes inside a network do with clean and with corrupted samples."""
