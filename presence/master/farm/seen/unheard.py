"""What a master has stored and did not come to tell: it was killed in between.

With each transaction a master stores which one of its own it was, a *mark*, and the message that follows says the same. Each master
sees the marks of all whenever it looks for orders (`presence.master.farm.reconciliation`), which costs it no statement more.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from twisted.internet.interfaces import IDelayedCall

#: What is stored: which start of the master it was, and which of the transactions since.
Mark = tuple[str, int]

#: The names of the rows that are marks, before the id of the master.
TOLD = "told "

#: How long a message may take that follows what is stored, in seconds.
GRACE = 0.5


def marksOf(states: Mapping[str, Any]) -> dict[int, Mark]:
    """The marks among what is stored of the whole farm, by the ids of the masters."""
    found: dict[int, Mark] = {}
    for name, value in states.items():
        # (what cannot be read is as none: its master writes it again)
        with suppress(TypeError, ValueError):
            if name.startswith(TOLD):
                boot, number = value
                found[int(name.removeprefix(TOLD))] = str(boot), int(number)
    return found


class Unheard:
    """Knows up to which mark each other master has been heard. `missed` is called when one has stored more and does not say it."""

    def __init__(self, master: Any, missed: Callable[[], object]) -> None:
        self._master = master
        self._missed = missed
        self._heard: dict[int, Mark] = {}
        self._timer: IDelayedCall | None = None

    def stop(self) -> None:
        """Wait for no message. No timer is left."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def clockJumped(self) -> None:
        """The clock has been set: do not wait for hours."""
        if self._timer is not None:
            self._timer.reset(0)

    def heard(self, masterid: int, mark: Mark) -> None:
        """What this master has stored up to there is known here."""
        if self._is_behind(masterid, mark):
            self._heard[masterid] = mark

    def looked(self, marks: Mapping[int, Mark]) -> None:
        """The masters have stored so much."""
        behind = {
            masterid: mark
            for masterid, mark in marks.items()
            if masterid != self._master.masterid and self._is_behind(masterid, mark)
        }
        if behind and self._timer is None:
            self._timer = self._master.reactor.callLater(GRACE, self._due, behind)

    def _is_behind(self, masterid: int, mark: Mark) -> bool:
        boot, number = self._heard.get(masterid, (None, 0))
        return boot != mark[0] or number < mark[1]

    def _due(self, behind: Mapping[int, Mark]) -> None:
        self._timer = None
        behind = {masterid: mark for masterid, mark in behind.items() if self._is_behind(masterid, mark)}
        if behind:
            # (what is missed is read, until that succeeds)
            self._heard.update(behind)
            self._missed()
