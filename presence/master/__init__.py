"""What runs in the buildmaster."""
