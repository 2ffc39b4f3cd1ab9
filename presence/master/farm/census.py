"""Whether anything runs on workers that are drained, at whichever master: counted in the database.

A build has its row there before the gate asks what is ordered of its worker (`presence.master.holding.lastmoment`). So when
none is seen after the drain was stored, none will begin, but for the children that builds of these workers wait for; and those are
only admitted while such a build runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from twisted.internet.defer import inlineCallbacks
from twisted.logger import Logger

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

    from presence.master.holding.recordtable import RecordTable

_log = Logger()

#: How often it is counted while something runs on a drained worker, in seconds; at the end of a build it is counted at once.
PERIOD = 1.0


class _Watched:
    """Workers that are drained together: their names, those of other masters too where they are a `group`."""

    def __init__(self, names: frozenset[str], group: str | None, changed: Callable[[], object]) -> None:
        self.names = names
        self.group = group
        self.changed = changed
        # it is not known before it is counted
        self.busy = True


class Census:
    """Counts the builds on drained workers, while there are any."""

    def __init__(self, master: Any, table: RecordTable) -> None:
        self._master = master
        self._table = table
        self._watched: dict[object, _Watched] = {}
        self._timer: IDelayedCall | None = None
        self._consumer: Any = None
        self._counting = self._asked = self._failing = False

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen to the ends of builds."""
        self._consumer = yield self._master.mq.startConsuming(
            lambda _key, _message: self._soon(), ("builds", None, "finished")
        )

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Count no more. No timer is left."""
        self._watched.clear()
        self._wait(None)
        if self._consumer is not None:
            yield self._consumer.stopConsuming()

    def watch(
        self, key: object, names: Iterable[str], group: str | None, changed: Callable[[], object]
    ) -> None:
        """Count what runs on these workers, from now on anew: `changed` is called when it is known that nothing does."""
        self._watched[key] = _Watched(frozenset(names), group, changed)
        self._soon()

    def forget(self, key: object) -> None:
        """They are not drained any more."""
        self._watched.pop(key, None)

    def isBusy(self, key: object) -> bool:
        """Whether something runs on the workers that are watched as `key`, as far as is known."""
        watched = self._watched.get(key)
        return watched is not None and watched.busy

    def clockJumped(self) -> None:
        """The clock has been set: count now."""
        self._soon()

    @inlineCallbacks
    def waitsIn(self, group: str, builds: Iterable[int]) -> Generator[Deferred[Any], Any, bool]:
        """Whether one of these builds (ids) runs on a worker that is drained in `group`."""
        model, wanted = self._master.db.model, list(builds)
        table, workers = model.builds.c, model.workers.c

        def thd(connection: Any) -> set[str]:
            rows = connection.execute(
                sa.select(workers.name).where(
                    workers.id == table.workerid, table.id.in_(wanted), table.complete_at.is_(None)
                )
            )
            return {row.name for row in rows.fetchall()}

        names = (yield self._master.db.pool.do(thd)) if wanted else set()
        if not names:
            return False
        members = yield self._table.drainedIn([group])
        return not names.isdisjoint(members[group])

    # --- counting

    def _soon(self) -> None:
        self._asked = True
        if any(each.busy for each in self._watched.values()) and not self._counting:
            self._wait(0)

    def _wait(self, seconds: float | None) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        if seconds is not None:
            self._timer = self._master.reactor.callLater(seconds, self._count)

    @inlineCallbacks
    def _count(self) -> Generator[Deferred[Any], Any, None]:
        self._timer, self._counting, self._asked = None, True, False
        busy = {key: each for key, each in self._watched.items() if each.busy}
        try:
            members = {key: each.names for key, each in busy.items()}
            groups = {each.group: key for key, each in busy.items() if each.group is not None}
            if groups:
                found = yield self._table.drainedIn(groups)
                for group, key in groups.items():
                    members[key] |= found[group]
            running = yield self._running(frozenset().union(*members.values()))
            self._failing = False
            idle = [key for key in busy if members[key].isdisjoint(running)]
        except Exception as problem:  # noqa: BLE001 (whatever it is: then it is not known, and tried again)
            if not self._failing:
                _log.warn(
                    "it cannot be counted what runs on drained workers; it is tried again: {kind}: {problem}",
                    kind=type(problem).__name__,
                    problem=str(problem),
                )
            self._failing, idle = True, []
        self._counting = False
        for key in idle:
            # (another drain of the same workers may have begun meanwhile, and is not in what was counted)
            if self._watched.get(key) is busy[key]:
                busy[key].busy = False
                busy[key].changed()
        if any(each.busy for each in self._watched.values()):
            self._wait(0 if self._asked and not self._failing else PERIOD)

    def _running(self, names: frozenset[str]) -> Deferred[set[str]]:
        """Those of these workers on which a build runs, or is being prepared, at any master."""
        model = self._master.db.model
        builds, workers, requests = model.builds.c, model.workers.c, model.buildrequests.c
        # (by the requests that are not complete, of which there is an index: a farm has millions of builds of the past)
        query = (
            sa.select(workers.name)
            .distinct()
            .where(requests.complete == 0, builds.buildrequestid == requests.id)
            .where(builds.complete_at.is_(None), workers.id == builds.workerid)
        )
        found: Deferred[set[str]] = self._master.db.pool.do(
            lambda connection: {row.name for row in connection.execute(query).fetchall()}
        )
        return found.addCallback(lambda running: running & names)
