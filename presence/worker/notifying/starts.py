"""`Notices`: the owner is asked when a build starts while somebody uses the machine."""

from __future__ import annotations

import time
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Any

from twisted.logger import Logger

from presence.text import MAX_NAME, cut, plain
from presence.worker.looking.cannottell import CannotTellError
from presence.worker.notifying import desktop
from presence.worker.sensors.looker import Looker
from presence.worker.sensors.used import Used

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from twisted.python.failure import Failure

_log = Logger()

#: The machine is used while nobody has been away from it for so long, in seconds.
USED = 300.0

#: For how long the button is "away", in seconds.
AWAY = 3600.0

TITLE = "This machine builds"
BUTTON = "Away for an hour"
REASON = "said on the desktop"


class Notices:
    """Asks, in a thread of the `reactor`, when the first of the builds that `running()` names has begun and somebody is at the
    machine. `away(reason, until)` is called when the answer is that; what runs is finished, as ever.

    There is one notice at a time, and none for a build that begins while another one runs. It goes when nothing runs any more.
    """

    def __init__(
        self,
        running: Callable[[], Sequence[str]],
        away: Callable[[str, float], object],
        reactor: Any,
        used: Used | None = None,
    ) -> None:
        self._running = running
        self._away = away
        self._reactor = reactor
        self._looker = Looker(reactor)
        self._used = Used() if used is None else used
        self._over: Event | None = None
        self._why = ""

    def changed(self) -> None:
        """What runs may have changed."""
        running = self._running()
        if not running:
            self._end()
        elif self._over is None:
            self._over = over = Event()
            asked = self._looker.look(partial(self._ask, running[0], over))
            asked.addCallback(self._answered).addErrback(self._failed)

    def stop(self) -> None:
        """Take the notice away, and ask no more."""
        self._end()
        self._looker.stop()

    def _end(self) -> None:
        if self._over is not None:
            self._over.set()
            self._over = None

    def _ask(self, builder: str, over: Event) -> bool:
        """Whether somebody is there who wants to be away. In a thread."""
        last = self._used.look().last
        if last is None or time.time() - last >= USED:
            return False
        name = plain(cut(builder, MAX_NAME) or "")
        return desktop.ask(TITLE, f"A build of {name} has started. It is finished in any case.", BUTTON, over)

    def _answered(self, away: bool) -> object:
        return self._away(REASON, self._reactor.seconds() + AWAY) if away else None

    def _failed(self, failure: Failure) -> None:
        if not isinstance(failure.value, CannotTellError):
            _log.failure("while showing a notice", failure=failure)
            return
        why, before = str(failure.value), self._why
        self._why = why
        # once, and not for each build
        if why != before:
            _log.info("presence: no notice is shown: {why}", why=why)
