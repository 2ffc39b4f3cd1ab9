"""What the requests that wait, wait for: presence alone, or that a build ends, or something else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

from presence.master.builds.waiting import unclaimedRequests
from presence.master.metrics.times import KINDS

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred

    from presence.master.why.facts import Why

_log = Logger()

#: How often it is asked, in seconds; and of how many builders with requests at a time. The others wait because of "unknown".
INTERVAL, MOST_BUILDERS = 15.0, 100

# What presence does to a worker beside its holds.
_PRESENCE = frozenset({*KINDS, "partial", "sparing"})

#: Who is to blame: presence alone (every worker is held), capacity (a worker that is not held has other work), or something else.
BY = ("presence", "capacity", "other")


def causeOf(why: Why) -> tuple[str, str]:
    """The cause for which a request waits, a word of `presence why`, and who is to blame: see `BY`."""
    workers = why.workers.workers
    if why.reasons or not workers:
        kind = why.reasons[0].kind if why.reasons else "workers"
        # (the builder itself may be held)
        return kind, ("presence" if kind == "held" else "other")
    for each in workers:
        kinds = [reason.kind for reason in each.reasons]
        if _PRESENCE.isdisjoint(kinds):
            return kinds[0], "capacity"
    # the first of them is the first to be back
    first = next(reason.kind for reason in workers[0].reasons if reason.kind in _PRESENCE)
    return first, "presence"


class Causes:
    """Asks now and then why requests wait. `waiting` are those of (cause, by), and `seconds` how long they have waited for it."""

    def __init__(self, master: Any, why: Callable[[str], Deferred[Why]]) -> None:
        self._master = master
        self._why = why
        self._asked: float | None = None
        self._asking = False
        self._failed = False
        self.waiting: dict[tuple[str, str], int] = {}
        self.seconds: dict[tuple[str, str], float] = {}

    @inlineCallbacks
    def ask(self) -> Generator[Deferred[Any], Any, None]:
        """Ask now, unless that is under way."""
        if self._asking:
            return
        self._asking = True
        try:
            waiting = yield self._count()
        except Exception:  # noqa: BLE001 (whatever it is: builds and requests go on)
            if not self._failed:
                self._failed = True
                _log.failure("while counting for the metrics why requests wait; this is said once")
        else:
            self._failed = False
            self._add(waiting)
        finally:
            self._asking = False

    @inlineCallbacks
    def _count(self) -> Generator[Deferred[Any], Any, dict[tuple[str, str], int]]:
        found: dict[tuple[str, str], int] = {}
        requests = yield unclaimedRequests(self._master)
        for place, builderid in enumerate(sorted(requests)):
            builder = self._master.botmaster.getBuilderById(builderid)
            key = ("unknown", "other")
            if builder is None:
                key = ("builder", "other")
            elif place < MOST_BUILDERS:
                key = causeOf((yield self._why(builder.name)))
            found[key] = found.get(key, 0) + requests[builderid]
        return found

    def _add(self, waiting: dict[tuple[str, str], int]) -> None:
        now = self._master.reactor.seconds()
        passed = 0.0 if self._asked is None else min(max(0.0, now - self._asked), 4 * INTERVAL)
        self._asked = now
        # what waited since the last time, for what it did then
        for key, number in self.waiting.items():
            self.seconds[key] = self.seconds.get(key, 0.0) + passed * number
        self.waiting = waiting
