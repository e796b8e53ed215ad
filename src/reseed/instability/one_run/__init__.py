"""What one training foretells of what others will answer."""
