"""The parts of a master that are imported, and made, when they are first asked for something."""
