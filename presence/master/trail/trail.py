"""The trail of a master: it is told what happens, writes it, and reads it again."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import fail

from presence.master.trail.background import Background
from presence.master.trail.limit import Limit
from presence.master.trail.store import TrailStore, toLine
from presence.master.trail.writer import Writer
from presence.text import MAX_NAME, MAX_REASON, cut, plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from twisted.internet.defer import Deferred

    from presence.master.happenings.happening import Happening

# So many workers are named in one entry: an order for more of them is several.
_WORKERS = 200

# So many may wait for what they read.
_MOST_READERS = 20

#: How many entries are read, at most.
MOST_READ = 5000


class Trail:
    """Keeps the trail of a master in `directory`, which takes at most `size` bytes there. `announce` is called with each entry."""

    #: what runs functions that may hang; a test with a fake reactor wants another
    backgroundFactory = Background

    def __init__(
        self, reactor: Any, directory: str, size: int, announce: Callable[[dict[str, Any]], object]
    ) -> None:
        self._clock = reactor
        self._store = TrailStore(Path(directory), size)
        self._announce = announce
        # two, so that whoever reads is in nobody's way
        self._writing = self.backgroundFactory(reactor, "presence trail")
        self._reading = self.backgroundFactory(reactor, "presence trail, read")
        self._writer = Writer(reactor, self._store.append, self._writing.run, self._lost_line)
        self._limit = Limit(reactor, self._tell)
        self._number = 0

    def add(self, happening: Happening) -> None:
        """It has happened."""
        self._limit.add(happening)

    def read(
        self, worker: str | None = None, since: float = 0.0, most: int = MOST_READ
    ) -> Deferred[list[dict[str, Any]]]:
        """A Deferred of the entries (about this worker), the newest first. It fails with `OSError` when they cannot be read."""

        def wanted(entry: dict[str, Any]) -> bool:
            at = entry.get("at")
            return (
                isinstance(at, (int, float))
                and at >= since
                and isinstance(entry.get("number"), int)
                and (worker is None or worker in (entry.get("workers") or ()))
            )

        if self._reading.waiting >= _MOST_READERS:
            return fail(OSError("too many read it already, or its file hangs"))
        return self._reading.run(partial(self._store.read, wanted, min(most, MOST_READ), worker or ""))

    def clockJumped(self) -> None:
        """The clock has jumped."""
        self._limit.clockJumped()
        self._writer.clockJumped()

    def stop(self) -> Deferred[None]:
        """Write what is to be written, and nothing afterwards. A Deferred that fires when that is done, or takes too long."""
        self._limit.stop()

        def ended(_: object) -> None:
            self._writing.stop()
            self._reading.stop()

        return self._writer.stop().addBoth(ended)

    def _tell(self, happening: Happening, left_out: int) -> None:
        for start in range(0, max(1, len(happening.workers)), _WORKERS):
            entry = self._entry(asdict(happening))
            if not happening.builders:
                del entry["builders"]
            entry["workers"] = list(happening.workers[start : start + _WORKERS])
            if left_out:
                entry["left_out"] = left_out
            self._writer.write(toLine(entry))
            self._announce(entry)

    def _entry(self, fields: dict[str, Any]) -> dict[str, Any]:
        # whoever follows it knows by the number what is new, also after a restart
        self._number = max(self._number + 1, int(self._clock.seconds() * 1000))
        for name, most in (("by", MAX_NAME), ("reason", MAX_REASON), ("problem", MAX_REASON)):
            if fields[name] is not None:
                fields[name] = cut(plain(str(fields[name])), most)
        return {
            "number": self._number,
            **{name: value for name, value in fields.items() if value is not None},
        }

    def _lost_line(self, number: int) -> bytes:
        fields = {"by": None, "reason": None, "problem": f"{number} entries could not be written"}
        return toLine(self._entry({"at": self._clock.seconds(), "kind": "lost", "what": "trail", **fields}))
