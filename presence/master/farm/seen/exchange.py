"""The messages by which masters tell each other of their workers. They are counted, so that it is noticed when one is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twisted.internet.defer import inlineCallbacks

from presence.master.farm.remote import TOPIC
from presence.master.farm.seen.pulse import Pulse
from presence.master.farm.seen.snapshottable import Snapshot
from presence.master.farm.seen.unheard import Unheard

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

    from twisted.internet.defer import Deferred

    from presence.master.farm.seen.unheard import Mark

# How many snapshots are in one message.
_AT_ONCE = 50


class Exchange:
    """Sends what this master tells, and receives what the others do.

    `received` is called with the id of a master, its snapshots, and the names of workers that it tells of no more; `missed` when
    something has been told, or stored, that has not come; `moved` as in `Pulse`.
    """

    def __init__(
        self,
        master: Any,
        received: Callable[[int, list[Snapshot], list[str]], object],
        missed: Callable[[], object],
        moved: Callable[[], object],
    ) -> None:
        self._master = master
        self._received = received
        self._missed = missed
        self.pulse = Pulse(master, lambda: self._sent, self._pulse_heard, moved)
        self.unheard = Unheard(master, missed)
        self._consumer: Any = None
        # how many messages this master has sent; and of the others, by id: (boot, the last one)
        self._sent = 0
        self._last: dict[int, tuple[str, int]] = {}

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen."""
        self._consumer = yield self._master.mq.startConsuming(self._message, (TOPIC, None, "snapshots"))
        yield self.pulse.start()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Say that this master stops, and listen no more."""
        self.unheard.stop()
        if self._consumer is not None:
            yield self._consumer.stopConsuming()
            yield self.pulse.stop()
            self._consumer = None

    def send(self, snapshots: Sequence[Snapshot], removed: Iterable[str], mark: Mark) -> None:
        """Tell the others that these have been stored, and those workers removed; `mark` is that of the last of these transactions."""
        gone = sorted(removed)
        for first in range(0, max(len(snapshots), 1), _AT_ONCE):
            rows = [each.toDict() for each in snapshots[first : first + _AT_ONCE]]
            if rows or gone:
                self._send(rows, gone, mark if first + _AT_ONCE >= len(snapshots) else None)
            gone = []

    def _send(self, rows: list[dict[str, Any]], removed: list[str], mark: Mark | None) -> None:
        self._sent += 1
        message = {
            "masterid": self._master.masterid,
            "boot": self.pulse.boot,
            "count": self._sent,
            "rows": rows,
            "removed": removed,
            "mark": mark,
        }
        self._master.mq.produce((TOPIC, str(self._master.masterid), "snapshots"), message)

    def _message(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        masterid, boot, count = message["masterid"], message["boot"], message["count"]
        if masterid == self._master.masterid:
            return
        before = self._last.get(masterid)
        self._last[masterid] = (boot, count)
        if message["mark"] is not None:
            self.unheard.heard(masterid, tuple(message["mark"]))
        try:
            snapshots = [Snapshot.fromDict(each) for each in message["rows"]]
        except ValueError:
            # it is of another version of this package, which stores other things, too
            return
        self._received(masterid, snapshots, message["removed"])
        if before is not None and before != (boot, count - 1):
            # there was one before that has not come
            self._missed()

    def _pulse_heard(self, masterid: int, boot: str, count: int) -> None:
        if self._last.get(masterid) != (boot, count):
            self._last[masterid] = (boot, count)
            self._missed()
