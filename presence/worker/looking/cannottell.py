"""`CannotTellError`: what could not be seen."""

from __future__ import annotations

from presence.errors import PresenceError


class CannotTellError(PresenceError):
    """It cannot be told at the moment, or not on this platform. The text says why, and what would be right."""


def needs(package: str, what: str = "it") -> CannotTellError:
    """The error that `what` needs a package of the extra ``sensors``."""
    return CannotTellError(f"{what} needs the package {package}: pip install 'buildbot-presence[sensors]'")
