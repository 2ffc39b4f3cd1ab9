"""`presence roll`: machines that are updated one after the other, while the farm goes on."""
