"""Buildbot's builds and requests."""
