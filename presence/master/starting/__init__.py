"""How a build gets to start."""
