"""What one process tells another."""
