"""Holds and drains that admins order."""
