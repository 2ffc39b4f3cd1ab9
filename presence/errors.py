"""What can go wrong, by name."""

from __future__ import annotations


class PresenceError(Exception):
    """The base of every error this package raises on its own account."""


class PresenceStopped(PresenceError):  # noqa: N818 (it is not an error of anybody's)
    """Whoever was asked is no longer there: the worker or the builder left the configuration, or the
    process shuts down. Deferreds from `waitUntilReady()` and `waitUntilIdle()` fail with it.
    """


class NotAcceptingBuildsError(PresenceError):
    """A build was about to start on a worker that has gone on its break, or is held, in the meantime."""
