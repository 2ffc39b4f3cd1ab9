"""Somebody who has not logged in, and is known all the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from presence.errors import PresenceError


class BearerError(PresenceError):
    """Whoever has sent this secret may not do this; the message says why."""


@dataclass(frozen=True)
class Who:
    """Who orders: `by` is the name in the log and in what is stored, and `details` is what Buildbot's rules are asked about, as
    of somebody who has logged in. `roles` are had beside those that the rules give. `may` are words of `ABILITIES`; None
    is all of them.
    """

    by: str
    details: dict[str, Any] = field(default_factory=dict)
    roles: tuple[str, ...] = ()
    may: tuple[str, ...] | None = None
