"""How long it takes until a change of a worker is announced to pages and scripts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.interfaces import IReactorTime

# What takes longer was never announced: it had changed back before.
_LONGEST = 600.0


class EventLag:
    """Calls `observed(seconds)` for each announced worker: since its first change that was not announced yet."""

    def __init__(self, clock: IReactorTime, observed: Callable[[float], object]) -> None:
        self._clock = clock
        self._observed = observed
        self._changed: dict[str, float] = {}

    def changed(self, name: str) -> None:
        """The holds of a worker have changed."""
        self._changed.setdefault(name, self._clock.seconds())

    def announced(self, _key: tuple[str, ...], entity: dict[str, Any]) -> None:
        """An event of Buildbot's message queue tells of it."""
        since = self._changed.pop(entity.get("name", ""), None)
        if since is not None:
            passed = self._clock.seconds() - since
            if 0 <= passed <= _LONGEST:
                self._observed(passed)
