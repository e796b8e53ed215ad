"""What happens to each sample along one training."""
