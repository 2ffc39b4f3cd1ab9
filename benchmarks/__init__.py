"""What presence costs, measured."""
