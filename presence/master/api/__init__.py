"""Buildbot's Data API: what is published, and what may be ordered over it."""
