"""The owner's page, and the server that the owner's command line asks."""
