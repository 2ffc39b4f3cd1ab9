"""The wire to the master."""
