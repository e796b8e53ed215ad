"""One model in the place of another: what changes, and whether that is more than a retraining would change."""
