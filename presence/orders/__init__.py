"""What may be ordered, read in one way."""
