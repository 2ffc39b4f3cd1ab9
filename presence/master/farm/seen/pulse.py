"""Which masters of the farm live, and whether this one hears them: each sends a message every two seconds, over the message queue.

It costs the database nothing. A master that hears its own messages no more has lost the queue, whatever the connection to
the router says, and knows nothing of the others by it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import uuid4

from twisted.internet.defer import inlineCallbacks

from presence.master.farm.remote import TOPIC

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from twisted.internet.defer import Deferred
    from twisted.internet.interfaces import IDelayedCall

#: How often each master says that it lives, in seconds.
PERIOD = 2.0

#: After so long without one of its own messages a master knows that it is deaf, and after so long without one of another master's
#: that that one is gone; in seconds.
DEAF, GONE = 6.0, 10.0


class Pulse:
    """Says that this master lives, and knows which others do.

    `count` gives the number of the last message that it has sent to the others, which is told along; `heard` is called with
    what a master says of itself: (masterid, boot, count). `moved` is called when some master is gone, or is there again, or this
    one is deaf, or is not any more.
    """

    def __init__(
        self,
        master: Any,
        count: Callable[[], int],
        heard: Callable[[int, str, int], object],
        moved: Callable[[], object],
    ) -> None:
        self._master = master
        self._count = count
        self._heard = heard
        self._moved = moved
        #: another one after each start
        self.boot = uuid4().hex
        self._consumer: Any = None
        self._timer: IDelayedCall | None = None
        # when each was heard last; and from when on silence counts
        self._last: dict[int, float] = {}
        self._since = 0.0
        # who said that it stops, and who lives as far as the database knows
        self._stopped: set[int] = set()
        self._alive: frozenset[int] | None = None
        self._gone: frozenset[int] = frozenset()
        #: whether nothing comes through the queue
        self.deaf = False
        # who said that no worker of theirs has a presence
        self._without: set[int] = set()
        #: whether workers of this master have presences, or may get them; the others are told
        self.hasPresences: Callable[[], bool] = lambda: True
        #: called every two seconds: (whether it is deaf, since when it has not heard itself)
        self.beaten: Callable[[bool, float], object] = lambda *_: None

    @property
    def _now(self) -> float:
        now: float = self._master.reactor.seconds()
        return now

    @inlineCallbacks
    def start(self) -> Generator[Deferred[Any], Any, None]:
        """Listen, and begin."""
        self._since = self._last[self._master.masterid] = self._now
        self._consumer = yield self._master.mq.startConsuming(self._message, (TOPIC, None, "pulse"))
        self._beat()

    @inlineCallbacks
    def stop(self) -> Generator[Deferred[Any], Any, None]:
        """Say that this master stops, and no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._consumer is not None:
            self.say(stops=True)
            yield self._consumer.stopConsuming()

    def databaseSays(self, alive: frozenset[int]) -> None:
        """Which masters live as far as the database knows: that is some minutes late, and asked where nothing is heard."""
        self._alive = alive
        self._look()

    def watch(self, masterid: int) -> None:
        """Know whether this master lives, though it may never be heard."""
        self._last.setdefault(masterid, self._since)

    def isGone(self, masterid: int) -> bool:
        """Whether a master has not been heard for long."""
        return masterid in self._gone or self._is_gone(masterid)

    def mayHavePresences(self, masterid: int) -> bool:
        """Whether workers of another master, which lives, may have presences: what is not known may be."""
        if masterid in self._without:
            return False
        # who lives and says nothing has none of this package
        return masterid in self._last or self.deaf or self._now - self._since <= GONE

    def since(self, masterid: int) -> float | None:
        """When a master was heard last, in seconds since the epoch; None if it never was."""
        return self._last.get(masterid)

    def clockJumped(self) -> None:
        """The clock has been set: silence is counted from now on, by the new one."""
        self._since = self._now
        for masterid in self._last:
            self._last[masterid] = self._now
        if self._timer is not None:
            self._timer.reset(0)

    def _beat(self) -> None:
        self._timer = self._master.reactor.callLater(PERIOD, self._beat)
        self._look()
        self.say()
        self.beaten(self.deaf, self._last[self._master.masterid])

    def say(self, *, stops: bool = False) -> None:
        """Tell the others now that this master lives, or stops."""
        said = {
            "masterid": self._master.masterid,
            "boot": self.boot,
            "count": self._count(),
            "stops": stops,
            "presences": self.hasPresences(),
        }
        self._master.mq.produce((TOPIC, str(self._master.masterid), "pulse"), said)

    def _message(self, _key: tuple[str, ...], message: dict[str, Any]) -> None:
        masterid = message["masterid"]
        self._last[masterid] = self._now
        if message["stops"]:
            self._stopped.add(masterid)
        else:
            self._stopped.discard(masterid)
        # (an older version does not say it, and has some)
        if message.get("presences", True):
            self._without.discard(masterid)
        else:
            self._without.add(masterid)
        if masterid != self._master.masterid:
            self._heard(masterid, message["boot"], message["count"])
        self._look()

    def _look(self) -> None:
        deaf = self._now - self._last[self._master.masterid] > DEAF
        if self.deaf and not deaf:
            # the others have a moment to be heard again
            self._since = self._now
        before = self.deaf, self._gone
        self.deaf = deaf
        known = self._last.keys() | self._stopped | self._gone
        self._gone = frozenset(each for each in known if self._is_gone(each))
        if before != (self.deaf, self._gone):
            self._moved()

    def _is_gone(self, masterid: int) -> bool:
        if masterid == self._master.masterid:
            return False
        if masterid in self._stopped:
            return True
        if self.deaf:
            return self._alive is not None and masterid not in self._alive
        return self._now - max(self._last.get(masterid, 0.0), self._since) > GONE
